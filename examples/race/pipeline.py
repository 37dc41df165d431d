"""One changelog out of many parts: each is described by a command, and its line goes into a file."""

from __future__ import annotations

from typing import Any

from anabranch import Do, Effect, PhaseEnv, do, from_async, par_all_limit
from anabranch.effects.work import execute, read_file
from anabranch.environment import Invocation

CHANGELOG = "/work/CHANGES.md"


def describe(part: str) -> Effect[bytes, Any, PhaseEnv]:
    """What changed in a part, as a command says it."""
    said: Effect[Any, Any, PhaseEnv] = execute(Invocation(argv=("describe", part), cwd="/work"))
    return said.map(lambda output: output.stdout.head)


def write(text: bytes) -> Effect[None, Any, PhaseEnv]:
    """Replace the changelog."""
    return from_async(lambda env: env.files.write(CHANGELOG, text), label="write the changelog")


@do
def add(part: str) -> Do[None, Any, PhaseEnv]:
    """Add the line of a part."""
    line = yield from describe(part)
    before = yield from read_file(CHANGELOG)
    yield from write(before + line)


def collect(parts: list[str]) -> Effect[list[None], Any, PhaseEnv]:
    """Add the lines of all parts, four at a time."""
    return par_all_limit([add(part) for part in parts], 4)


@do
def collect_in_one_go(parts: list[str]) -> Do[None, Any, PhaseEnv]:
    """Describe all parts, four at a time, and write once."""
    lines = yield from par_all_limit([describe(part) for part in parts], 4)
    yield from write(b"".join(lines))
