"""One changelog out of many parts: each is described by a command, and its line goes into a file."""

from __future__ import annotations

from anabranch import Do, Effect, ParallelError, PhaseEnv, do, par_all_limit, read_file, write_file
from anabranch.effects.work import execute
from anabranch.environment import CommandError, FileError, HasCommands, Invocation

CHANGELOG = "/project/CHANGES.md"

Trouble = CommandError | FileError


def describe(part: str) -> Effect[bytes, CommandError, HasCommands]:
    """What changed in a part, as a command says it."""
    described = execute(Invocation(argv=("describe", part), cwd="/project"))
    return described.map(lambda output: output.stdout.head)


@do
def add(part: str) -> Do[None, Trouble, PhaseEnv]:
    """Add the line of a part."""
    line = yield from describe(part)
    before = yield from read_file(CHANGELOG)
    yield from write_file(CHANGELOG, before + line)


def collect(parts: list[str]) -> Effect[list[None], ParallelError[None, Trouble], PhaseEnv]:
    """Add the lines of all parts, four at a time."""
    return par_all_limit([add(part) for part in parts], 4)


@do
def collect_in_one_go(
    parts: list[str],
) -> Do[None, ParallelError[bytes, CommandError] | FileError, PhaseEnv]:
    """Describe all parts, four at a time, and write once."""
    lines = yield from par_all_limit([describe(part) for part in parts], 4)
    yield from write_file(CHANGELOG, b"".join(lines))
