"""What a command reads and writes, and when two commands conflict.

All resources form one tree. Its root is the whole workspace; below it are the variables, the
files and the outputs of earlier steps; a file's place is its path, one level for each segment.
A resource stands for everything below its place, so two resources overlap exactly if the place
of one is a prefix of the place of the other. That one rule makes the whole workspace overlap
with everything, `file:src` with `file:src/a.py`, and `var:map` with `var:map.results`.

Everything that the tree cannot say is said by a *larger* resource, because a false dependency
is acceptable and a missing one never is:

* a glob stands at its literal prefix (`src/*.py` at `src`);
* a path that leaves the workspace (`/etc/x`, `../x`, `~/x`) may be another name for any file in
  it, and stands for all files;
* names that differ only in case, or in how an accent is encoded, may be the same file on some
  file systems, and share one place.

Paths are compared as text: a symbolic link is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from attrs import field, frozen

from anabranch.values import ConfigError, Problem

_EXPECTED: Final = "`var:NAME`, `file:PATH` with `/` between its parts, or `workspace`"
_GLOB: Final = re.compile(r"[*?\[]")


@frozen
class Resource:
    """Something that commands share, by its normalised text.

    Make one with `parse_resource`; `place` is where it stands in the tree of all resources.
    """

    text: str
    place: tuple[str, ...] = field(eq=False, repr=False)

    def __str__(self) -> str:
        return self.text

    def overlaps(self, other: Resource) -> bool:
        """Whether touching one may touch the other.

        >>> parse_resource("file:src/*.py").overlaps(parse_resource("file:src/a/b.txt"))
        True
        """
        shorter = min(len(self.place), len(other.place))
        return self.place[:shorter] == other.place[:shorter]

    def covers(self, path: str) -> bool:
        """Whether a file of the workspace is within this resource, wildcards taken exactly.

        `**` is any number of directories; a directory covers what is below it.

        >>> parse_resource("file:src/*.py").covers("src/a.py")
        True
        >>> parse_resource("file:src/*.py").covers("src/a.txt")
        False
        """
        if not self.place:
            return True
        kind, _, pattern = self.text.partition(":")
        return kind == "file" and _covers(pattern.split("/"), path.split("/"))


def _covers(pattern: list[str], path: list[str]) -> bool:
    reached = {0}
    for segment in path:
        for at in sorted(reached):
            while at < len(pattern) and pattern[at] == "**":
                at += 1
                reached.add(at)
        if len(pattern) in reached:
            return True
        reached = {at for before in reached for at in _steps(pattern, before, segment)}
    return any(all(p == "**" for p in pattern[at:]) for at in reached)


def _steps(pattern: list[str], at: int, segment: str) -> Iterator[int]:
    if pattern[at] == "**":
        yield at
    elif fnmatchcase(segment, pattern[at]):
        yield at + 1


WORKSPACE: Final = Resource("workspace", ())
"""Everything: all files, all variables, all outputs."""

OUTPUTS: Final = Resource("outputs", ("outputs",))
"""What the steps so far have printed and changed, as later templates see it."""


@lru_cache(maxsize=65536)
def parse_resource(text: str) -> Resource:
    """Read a resource as it is written in `reads:` and `writes:`.

    Raises:
        ConfigError: it is none.

    >>> parse_resource("file:./src//a.py").text
    'file:src/a.py'
    """
    if text == WORKSPACE.text:
        return WORKSPACE
    kind, _, rest = text.partition(":")
    if kind == "var" and rest and rest == "".join(rest.split()):
        return Resource(text, ("var", *rest.split(".")))
    if kind == "file" and rest:
        return _file(rest)
    hint = None if ":" in text or not text else f"did you mean `file:{text}` or `var:{text}`?"
    problem = Problem(
        code="bad-resource", message="not a resource", value=text, expected=_EXPECTED, hint=hint
    )
    raise ConfigError(problem)


def _file(path: str) -> Resource:
    segments = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith(("/", "~")) or ".." in segments or not segments:
        return Resource("file:**", ("file",))
    literal: list[str] = []
    for segment in segments:
        if _GLOB.search(segment):
            break
        literal.append(normalize("NFC", segment.casefold()))
    return Resource("file:" + "/".join(segments), ("file", *literal))


@frozen
class AccessSet:
    """What one command reads and what it writes.

    >>> AccessSet.of(reads=["var:A"], writes=["file:out"]).conflicts_with(EVERYTHING)
    True
    """

    reads: frozenset[Resource] = frozenset()
    writes: frozenset[Resource] = frozenset()

    @classmethod
    def of(cls, *, reads: Iterable[str] = (), writes: Iterable[str] = ()) -> AccessSet:
        """Read both sets from texts; every text that is no resource is reported at once.

        Raises:
            ConfigError: some texts are not resources.
        """
        problems: list[Problem] = []
        parsed = [frozenset(_parse_all(texts, problems)) for texts in (reads, writes)]
        if problems:
            raise ConfigError(*problems)
        return cls(*parsed)

    def __or__(self, other: AccessSet) -> AccessSet:
        """Touch what either touches."""
        return AccessSet(self.reads | other.reads, self.writes | other.writes)

    def conflicts_with(self, other: AccessSet) -> bool:
        """Whether the order of the two matters: one writes what the other reads or writes."""
        return any(True for _ in clashes(self, other))


def _parse_all(texts: Iterable[str], problems: list[Problem]) -> Iterator[Resource]:
    for text in sorted(texts):
        try:
            yield parse_resource(text)
        except ConfigError as error:
            problems.extend(error.problems)


def clashes(first: AccessSet, second: AccessSet) -> Iterator[tuple[Resource, Resource]]:
    """Every pair of overlapping resources, one of each set, of which at least one is written."""
    for mine in sorted(first.reads | first.writes, key=str):
        for theirs in sorted(second.reads | second.writes, key=str):
            written = mine in first.writes or theirs in second.writes
            if written and mine.overlaps(theirs):
                yield mine, theirs


NOTHING: Final = AccessSet()
"""Of a command that touches nothing."""

EVERYTHING: Final = AccessSet(frozenset({WORKSPACE}), frozenset({WORKSPACE}))
"""Of a command that nothing is known about."""


def undeclared_writes(declared: AccessSet, changed: Iterable[str]) -> tuple[str, ...]:
    """Which changed files, as paths with `/`, no declared write covers; sorted.

    >>> undeclared_writes(AccessSet.of(writes=["file:src/**"]), ["src/a.py", "README.md"])
    ('README.md',)
    """
    return tuple(p for p in sorted(changed) if not any(w.covers(p) for w in declared.writes))
