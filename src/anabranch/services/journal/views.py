"""What is derived from a journal and lies beside it, for whoever wants an answer at once.

`current.json` (the summary), `metrics.json` and `index/` are made from the journal's fold and
from nothing else. They may be deleted at any time, are replaced as a whole, and may lag behind
the journal; each says in `sequence` how far it has come.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from anabranch.lifecycle import (
    RunState,
    Summary,
    by_agent,
    by_status,
    by_worker,
    fold,
    measure,
    summarise,
)
from anabranch.services.journal.plain import as_plain, plain_of, summary_of
from anabranch.services.journal.segments import last_sequence, read_segments

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
    _write(directory / CURRENT, state.sequence, plain_of(summarise(state, failures=FAILURES)))
    _write(directory / METRICS, state.sequence, plain_of(measure(state)))
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


def _write(path: Path, sequence: int, view: Mapping[str, object]) -> None:
    row = {"sequence": sequence, **view}
    scratch = path.with_suffix(".new")
    text = json.dumps(row, ensure_ascii=False, default=as_plain)
    scratch.write_text(text, errors="surrogatepass")
    scratch.replace(path)


def _read_current(directory: Path) -> Summary | None:
    """The summary in `current.json`; `None` if it is not there, or cannot be understood."""
    try:
        row = json.loads((directory / CURRENT).read_text(errors="surrogatepass"))
        return summary_of(row)
    except Exception:  # noqa: BLE001 (derived data: whatever is wrong with it, make it again)
        return None
