"""Log files of commands: one for each stream that says something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO


def open_log(directory: str, label: str, stream: str) -> BinaryIO:
    """Make a new, empty log named after a label; an older one of that name stays.

    `agent-0/2` and `stdout` give `agent-0/2.stdout.log`, then `agent-0/2.2.stdout.log`.
    The file is unbuffered, so that whoever follows it sees all there is.
    """
    for path in _candidates(Path(directory), _parts(label), stream):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return path.open("xb", buffering=0)
        except FileExistsError:
            continue
    raise AssertionError


def _candidates(directory: Path, parts: tuple[str, ...], stream: str) -> Iterator[Path]:
    folder = directory.joinpath(*parts[:-1])
    yield folder / f"{parts[-1]}.{stream}.log"
    yield from (folder / f"{parts[-1]}.{n}.{stream}.log" for n in count(2))


def _parts(label: str) -> tuple[str, ...]:
    """A label as path components that stay inside the directory, whatever it says."""
    safe = (re.sub(r"[^\w.-]+", "-", part)[:100].strip(".") for part in label.split("/"))
    return tuple(filter(None, safe)) or ("command",)


def logs_of(directory: Path, label: str | None = None) -> list[Path]:
    """The logs that were made for a label, or for one inside of it, oldest first; by default all."""
    found = directory.rglob("*.log") if label is None else _made_for(directory, label)
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _made_for(directory: Path, label: str) -> Iterator[Path]:
    *above, last = _parts(label)
    folder = directory.joinpath(*above)
    own = re.compile(re.escape(last) + r"(\.\d+)?\.(stdout|stderr)\.log")
    yield from (path for path in folder.glob("*.log") if own.fullmatch(path.name))
    yield from (folder / last).rglob("*.log")
