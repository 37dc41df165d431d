"""Runs a command, then one in a fork of this process, then another."""

from __future__ import annotations

import os
import sys

import anyio

from anabranch.environment import Invocation
from anabranch.services.processes import LocalCommands


def say(runner: LocalCommands, word: str) -> None:
    """Print what a command prints."""
    done = anyio.run(runner.run, Invocation(argv=("printf", word), cwd="/"))
    os.write(1, done.unwrap().stdout.head)


def main() -> None:
    """Three commands, the second in a copy of this process."""
    runner = LocalCommands()
    say(runner, "parent ")
    if os.fork() == 0:
        say(runner, "child ")
        sys.exit()
    os.wait()
    say(runner, "parent")


if __name__ == "__main__":
    main()
