"""The events of a run that another process writes, until there can be no more of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from anabranch.lifecycle import Event
    from anabranch.services.runs import FoundRun

_POLL_SECONDS: Final = 0.1


def followed(found: FoundRun) -> Iterator[Event]:
    """Every event from the first one on; the end is that of the run, or of its process."""
    from anabranch.services.journal import Tail

    tail = Tail(found.directory)
    while True:
        alive = found.is_alive
        events = tail.poll()
        yield from events
        if not alive:
            return
        if not events:
            time.sleep(_POLL_SECONDS)
