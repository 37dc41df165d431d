"""The files of a journal: found, read, cut where they are torn.

The journal of a run is `journal.jsonl`. When that has grown big it is renamed to
`journal.0001.jsonl` and so on, and a new one is begun; `cat journal*.jsonl` is the whole
history, in order.

A line counts once its line's end is there. What comes after the last line's end was being
written when the writer died: nobody was told that it is safe, and it is left out. A line that
is complete and damaged is something else, and nothing here writes to a journal that has one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from attrs import evolve, frozen

from anabranch.lifecycle import Event, decode
from anabranch.values import HostError, Location, Problem

T = TypeVar("T")

ACTIVE: Final = "journal.jsonl"
"""The file that is being written."""


_BLOCK: Final = 1 << 16


@frozen(kw_only=True)
class History:
    """What a journal holds.

    Attributes:
        events: all of them.
        size: how many bytes of the active file are whole lines.
        torn: how many bytes come after them.
    """

    events: tuple[Event, ...]
    size: int
    torn: int


def segments(directory: Path) -> list[Path]:
    """The files of a journal, oldest first; the last one is the active file, if it is there."""
    active = directory / ACTIVE
    return [*_sealed(directory), *([active] if active.exists() else [])]


def sealed_name(directory: Path) -> Path:
    """What the active file is called when it is put away."""
    sealed = _sealed(directory)
    number = int(sealed[-1].suffixes[0][1:]) + 1 if sealed else 1
    return directory / f"journal.{number:04}.jsonl"


def _sealed(directory: Path) -> list[Path]:
    return sorted(directory.glob("journal.[0-9][0-9][0-9][0-9].jsonl"))


def unchanged(directory: Path, look: Callable[[list[Path]], T]) -> T:
    """What `look` sees in the files of a journal while none of them is put away.

    Raises:
        HostError, OSError: what `look` raises.
    """
    while True:
        files = segments(directory)
        try:
            seen = look(files)
        except (HostError, FileNotFoundError):
            if segments(directory) == files:
                raise
        else:
            if segments(directory) == files:
                return seen


def read_segments(directory: Path) -> History:
    """Read the whole journal of a run, and change nothing.

    Raises:
        HostError: a line is damaged, missing or of a newer schema. It names file and line.
        OSError: the files cannot be read.
    """
    return unchanged(directory, _read)


def _read(files: list[Path]) -> History:
    events: list[Event] = []
    size = torn = 0
    for path in files:
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if path.name == ACTIVE:
            size, torn = whole, len(data) - whole
        elif whole != len(data):
            raise _damaged(path, data.count(b"\n") + 1, "the line has no end")
        events.extend(_decoded(path, data[:whole], len(events) + 1))
    return History(events=tuple(events), size=size, torn=torn)


def _decoded(path: Path, data: bytes, first: int) -> Iterator[Event]:
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        yield decode_line(line, first + number - 1, path, number)


def decode_line(line: bytes, sequence: int, path: Path, number: int) -> Event:
    """A line as the event it must be.

    Raises:
        HostError: it is damaged, of a newer schema, or another event than the one that
            should stand there.
    """
    try:
        event = decode(line)
    except HostError as error:
        where = Location(file=str(path), line=number)
        raise HostError(*(_placed(problem, where) for problem in error.problems)) from error
    if event.sequence != sequence:
        raise _damaged(path, number, f"event {sequence} is missing; this is {event.sequence}")
    return event


def _placed(problem: Problem, where: Location) -> Problem:
    hint = problem.hint or _advice(where)
    return evolve(problem, where=where, hint=hint)


def _damaged(path: Path, number: int, why: str) -> HostError:
    where = Location(file=str(path), line=number)
    return HostError(Problem(code="corrupt-journal", message=why, where=where, hint=_advice(where)))


def _advice(where: Location) -> str:
    return (
        "nothing was changed; restore the file from a backup, or keep a copy of it and "
        f"shorten it to the {(where.line or 1) - 1} lines before this one"
    )


def last_sequence(directory: Path) -> int:
    """The number of the last whole line, without reading the rest; 0 if there is none.

    Raises:
        HostError: that line is damaged.
        OSError: the files cannot be read.
    """
    return unchanged(directory, _last_sequence)


def _last_sequence(files: list[Path]) -> int:
    for path in reversed(files):
        line = _last_line(path)
        if line:
            return decode(line).sequence
    return 0


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and b"\n" not in tail[: tail.rfind(b"\n")]:
            end, start = start, max(start - _BLOCK, 0)
            file.seek(start)
            tail = file.read(end - start) + tail
    whole = tail[: tail.rfind(b"\n") + 1]
    return whole[whole.rfind(b"\n", 0, -1) + 1 : -1]
