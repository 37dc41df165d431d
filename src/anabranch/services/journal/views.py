"""What is derived from a journal and lies beside it, for whoever wants an answer at once.

`current.json` (the summary), `metrics.json` and `index/` are made from the journal's fold and
from nothing else. They may be deleted at any time, are replaced as a whole, and may lag behind
the journal; each says in `sequence` how far it has come.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from attrs import fields

from anabranch.lifecycle import (
    AgentEntry,
    Delivered,
    Metrics,
    Running,
    RunState,
    Spread,
    StopRequested,
    Summary,
    Unsuccessful,
    by_agent,
    by_status,
    by_worker,
    fold,
    measure,
    summarise,
)
from anabranch.services.journal.segments import last_sequence, read_segments

if TYPE_CHECKING:
    from cattrs import Converter

CURRENT: Final = "current.json"
METRICS: Final = "metrics.json"
INDEX: Final = "index"

FAILURES: Final = 100
"""How many failures `current.json` tells in full."""

_LONGEST_LAG_SECONDS: Final = 2.0
_SHARE: Final = 50


def read_summary(directory: Path) -> Summary:
    """A run at a glance: from `current.json` if that is up to date, else from the journal.

    Raises:
        HostError: the journal is damaged, or of a newer schema.
        OSError: it cannot be read.
    """
    summary = _read_current(directory)
    if summary is not None and summary.sequence == last_sequence(directory):
        return summary
    return summarise(fold(read_segments(directory).events), failures=FAILURES)


def write_views(directory: Path, state: RunState) -> None:
    """Write everything that is derived, each file at once.

    Raises:
        OSError: one of them could not be written.
    """
    (directory / INDEX).mkdir(exist_ok=True)
    index = directory / INDEX
    _write(directory / CURRENT, state.sequence, summarise(state, failures=FAILURES))
    _write(directory / METRICS, state.sequence, measure(state))
    _write(index / "statuses.json", state.sequence, {"statuses": by_status(state)})
    _write(index / "agents.json", state.sequence, {"agents": by_agent(state)})
    _write(index / "workers.json", state.sequence, {"workers": by_worker(state)})


@final
class Views:
    """A thread that keeps the derived files up to date.

    They are at most two seconds late, or fifty times as long as writing them takes, so a big
    run does not spend its time on them.

    Args:
        directory: where they are.
        snapshot: the state now; called on the thread.
    """

    def __init__(self, directory: Path, snapshot: Callable[[], RunState]) -> None:
        self._directory, self._snapshot = directory, snapshot
        self._changed, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="anabranch-views", daemon=True)
        self._thread.start()

    def touch(self) -> None:
        """Tell that there is something new. Asking first is cheaper than telling twice."""
        if not self._changed.is_set():
            self._changed.set()

    def close(self) -> None:
        """Write them a last time, and end."""
        self._closing.set()
        self._changed.set()
        self._thread.join()
        self._write()

    def _run(self) -> None:
        while self._changed.wait() and not self._closing.is_set():
            self._changed.clear()
            began = time.monotonic()
            self._write()
            cost = time.monotonic() - began
            self._closing.wait(max(_LONGEST_LAG_SECONDS, _SHARE * cost))

    def _write(self) -> None:
        # What is derived can be derived again; a disk that is full is told by the journal.
        with suppress(OSError):
            write_views(self._directory, self._snapshot())


def _write(path: Path, sequence: int, view: object) -> None:
    row = {"sequence": sequence, **_converter().unstructure(view)}
    scratch = path.with_suffix(".new")
    text = json.dumps(row, ensure_ascii=False)
    scratch.write_bytes(text.encode(errors="surrogatepass"))
    scratch.replace(path)


def _read_current(directory: Path) -> Summary | None:
    """The summary in `current.json`; `None` if it is not there, or cannot be understood."""
    try:
        row = json.loads((directory / CURRENT).read_bytes().decode(errors="surrogatepass"))
        return _converter().structure(row, Summary)
    except Exception:  # noqa: BLE001 (derived data: whatever is wrong with it, make it again)
        return None


@cache
def _converter() -> Converter:
    """How views are written: durations as seconds, and their names say so."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter()
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, lambda number, _: timedelta(seconds=number))
    for plain in (str, int, bool, float):
        converter.register_structure_hook(plain, _as_it_is)
    for kind in _KINDS:
        names: dict[str, Any] = {
            field.name: override(rename=f"{field.name}_seconds")
            for field in fields(kind)
            if "timedelta" in str(field.type)
        }
        writing = make_dict_unstructure_fn(kind, converter, **names)
        converter.register_unstructure_hook(kind, writing)
        reading = make_dict_structure_fn(kind, converter, **names)
        converter.register_structure_hook(kind, reading)
    return converter


def _as_it_is(value: object, kind: type) -> object:
    """A plain value, or the member of an enumeration that it names. Nothing is made to fit."""
    if issubclass(kind, Enum):
        return kind(value)
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise TypeError(f"{value!r} is not of the type {kind.__name__}")


_KINDS: Final = (
    Running,
    Unsuccessful,
    StopRequested,
    Delivered,
    Summary,
    Spread,
    Metrics,
    AgentEntry,
)
"""The kinds of values that views are made of, the inner ones first."""
