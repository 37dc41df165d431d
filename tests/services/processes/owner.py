"""Runs a command until this process is ended: `owner.py KIND PROGRAM ARGUMENT…`.

With the kind `forking` it also forks, as `multiprocessing` does: a copy that holds every
descriptor open, and that ends when its own standard output has no reader.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import anyio

from anabranch.environment import Invocation
from anabranch.services.processes import (
    BestContainment,
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)


def _live_on() -> None:
    with suppress(BrokenPipeError):
        while True:
            time.sleep(0.05)
            os.write(1, b".")
    os._exit(0)


def listen(_stream: str, lines: Sequence[bytes]) -> None:
    if "forking" in sys.argv and os.fork() == 0:
        _live_on()
    os.write(1, b"".join(line + b"\n" for line in lines))


CONTAINMENTS: dict[str, Callable[[], Containment]] = {
    "best": BestContainment,
    "group": GroupContainment,
}


def main(kind: str, *argv: str) -> None:
    """Run a command."""
    # A shell that starts this in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if kind == "group":
        # Without a helper, only a process that hears its end coming can end its commands.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    runner = LocalCommands(containment=CONTAINMENTS.get(kind, ReaperContainment)())
    command = Invocation(argv=argv, cwd=str(Path.cwd()), grace=timedelta(seconds=0.05))
    anyio.run(runner.run, command, listen)


if __name__ == "__main__":
    main(*sys.argv[1:])
