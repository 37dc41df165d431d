"""What a command reads and writes, and when two commands conflict.

The resources form a tree. Its root is the whole workspace; below it are the variables and the
files; a file's place is its path, one level for each segment. (The outputs of earlier steps
stand beside it: no command touches them but through templates.) A resource stands for everything
below its place, so two resources overlap exactly if the place of one is a prefix of the place of
the other. That one rule makes the whole workspace overlap with everything, `file:src` with
`file:src/a.py`, and `var:map` with `var:map.results`.

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
from enum import StrEnum
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
        if self == WORKSPACE:
            return True
        kind, _, pattern = self.text.partition(":")
        return kind == "file" and _covers(pattern.split("/"), path.split("/"))


def _covers(pattern: list[str], path: list[str]) -> bool:
    """Follow all readings of the pattern at once; a position is a segment of it to match next."""
    reached = _past_stars(pattern, {0})
    for segment in path:
        if len(pattern) in reached:
            return True
        matched = {at + 1 for at in reached if fnmatchcase(segment, pattern[at])}
        repeated = {at for at in reached if pattern[at] == "**"}
        reached = _past_stars(pattern, matched | repeated)
    return len(pattern) in reached


def _past_stars(pattern: list[str], reached: set[int]) -> set[int]:
    """Add the positions behind each `**`, which may stand for no directory at all."""
    for at, segment in enumerate(pattern):
        if at in reached and segment == "**":
            reached.add(at + 1)
    return reached


WORKSPACE: Final = Resource("workspace", ("workspace",))
"""Everything that a command can touch: all files, all variables."""

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
        return Resource(text, (*WORKSPACE.place, "var", *rest.split(".")))
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
        return Resource("file:**", (*WORKSPACE.place, "file"))
    literal: list[str] = []
    for segment in segments:
        if _GLOB.search(segment):
            break
        literal.append(normalize("NFC", segment.casefold()))
    return Resource("file:" + "/".join(segments), (*WORKSPACE.place, "file", *literal))


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


class ClashKind(StrEnum):
    """What goes wrong if the later of two commands runs first."""

    READ_AFTER_WRITE = "read after write"
    WRITE_AFTER_READ = "write after read"
    WRITE_AFTER_WRITE = "write after write"


@frozen(kw_only=True)
class Clash:
    """One reason why the order of two commands matters: overlapping resources, one of each."""

    kind: ClashKind
    first: Resource
    second: Resource

    def __str__(self) -> str:
        both = {self.first.text, self.second.text}
        return f"{self.kind}: {' / '.join(sorted(both))}"


def clashes(first: AccessSet, second: AccessSet) -> Iterator[Clash]:
    """Give every reason why the order of two commands matters, writes first.

    >>> earlier, later = AccessSet.of(writes=["file:src"]), AccessSet.of(reads=["file:src/a.py"])
    >>> [str(clash) for clash in clashes(earlier, later)]
    ['read after write: file:src / file:src/a.py']
    """
    yield from _overlaps(ClashKind.WRITE_AFTER_WRITE, first.writes, second.writes)
    yield from _overlaps(ClashKind.READ_AFTER_WRITE, first.writes, second.reads)
    yield from _overlaps(ClashKind.WRITE_AFTER_READ, first.reads, second.writes)


def _overlaps(
    kind: ClashKind, first: Iterable[Resource], second: Iterable[Resource]
) -> Iterator[Clash]:
    for mine in sorted(first, key=str):
        for theirs in sorted(second, key=str):
            if mine.overlaps(theirs):
                yield Clash(kind=kind, first=mine, second=theirs)


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
