"""Transcripts of a terminal, as the documentation shows them, run and compared.

A line that begins with `$ ` is a command (`> ` continues it); the lines up to the next one are
what it prints, standard output and standard error in one. `...` stands for anything.
"""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

RUN: Final = frozenset({"anabranch", "cat", "echo", "git", "ls"})
"""Programs whose transcripts are run; a block with any other command is only for reading."""

_FLAGS: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@frozen
class Entry:
    """One command, and what the page says that it prints."""

    command: str
    printed: str


def parse(text: str) -> list[Entry]:
    """Split a transcript into its commands."""
    return list(_entries(text.splitlines()))


def _entries(lines: list[str]) -> Iterator[Entry]:
    starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        rest = lines[start + 1 : end]
        more = next((i for i, line in enumerate(rest) if not line.startswith("> ")), len(rest))
        command = "\n".join(line[2:] for line in [lines[start], *rest[:more]])
        yield Entry(command, "".join(f"{line}\n" for line in rest[more:]))


def disagreement(text: str) -> str | None:
    """Run a transcript in the current directory; say where it differs from what is written.

    Output that is not written is not compared. A command that fails must be followed by
    `$ echo $?`.
    """
    entries = parse(text)
    if not all(entry.command.split()[0] in RUN for entry in entries):
        return None
    status = 0
    for entry in entries:
        if status and entry.command != "echo $?":
            return f"exit code {status} before: {entry.command}"
        status, printed = _run(entry.command, status)
        if entry.printed and not doctest.OutputChecker().check_output(
            entry.printed, printed, _FLAGS
        ):
            return f"$ {entry.command}\nexpected:\n{entry.printed}\nprinted:\n{printed}"
    return f"exit code {status} at the end: {entries[-1].command}" if status else None


def _run(command: str, status: int) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", f"(exit {status})\n{command}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def environment(scratch: Path) -> dict[str, str]:
    """Environment variables of a page: our programs first, an empty home, a plain terminal."""
    home = scratch / "home"
    home.mkdir()
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "100",
    }


def make_repository(directory: Path) -> Path:
    """Make a git repository with one commit and an identity; return its directory."""
    git = ["git", "-C", str(directory)]
    settings = {"user.name": "Ada Example", "user.email": "ada@example.org"}
    directory.mkdir()
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    for key, value in settings.items():
        subprocess.run([*git, "config", key, value], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Begin"], check=True)
    return directory
