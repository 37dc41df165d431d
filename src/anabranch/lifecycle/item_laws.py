"""The laws about items: they do not touch each other, and each is merged as it should be."""

from __future__ import annotations

from collections.abc import Iterator

from anabranch.lifecycle.events import (
    UPSTREAM_FAILED,
    Event,
    Merged,
    Moved,
    RunMoved,
    StopReason,
    StopRequested,
    SubjectKind,
)
from anabranch.lifecycle.history import History, Law, Violation, breach
from anabranch.lifecycle.story import subject_of
from anabranch.lifecycle.transitions import (
    RUN_TERMINAL,
    UNSUCCESSFUL,
)
from anabranch.values import RunStatus, StepStatus

# --- 6: independence ---------------------------------------------------------------------------


def independence(history: History) -> Iterator[Violation]:
    """No item ends because another one failed, unless it needs it or the run was stopped."""
    stopped = False
    failed: set[str] = set()
    for event in history.events:
        match event.payload:
            case StopRequested() as stop:
                stopped = True
                yield from _stop(history, event, stop)
            case RunMoved(to=to):
                stopped = stopped and to is not RunStatus.RUNNING
            case Moved() as moved if moved.to in UNSUCCESSFUL:
                if not stopped:
                    yield from _blame(history, event, moved, failed)
                failed.add(moved.subject)
            case _:
                pass


def _stop(history: History, event: Event, stop: StopRequested) -> Iterator[Violation]:
    continues = history.created is not None and history.created.continue_on_failure
    if continues and stop.reason is StopReason.FAILURE:
        message = "was stopped by a failure under a policy that continues"
        yield breach(Law.INDEPENDENCE, event, message)


def _blame(history: History, event: Event, moved: Moved, failed: set[str]) -> Iterator[Violation]:
    blamed = moved.upstream or _subject_at(history, event.cause)
    if moved.reason == UPSTREAM_FAILED and blamed not in failed:
        message = f"was {moved.to} because of {blamed}, which had not failed"
        yield breach(Law.INDEPENDENCE, event, message)
    elif blamed is not None and blamed in failed and not _related(history, moved.subject, blamed):
        message = f"ended {moved.to} because {blamed} failed, which it does not need"
        yield breach(Law.INDEPENDENCE, event, message)


def _subject_at(history: History, cause: int | None) -> str | None:
    if cause is None or not 0 < cause <= len(history.events):
        return None
    return subject_of(history.events[cause - 1].payload)


def _related(history: History, name: str, other: str) -> bool:
    mine, theirs = (_line(history, subject) for subject in (name, other))
    agents = [_agents(history, line) for line in (mine, theirs)]
    if not all(agents) or agents[0] & agents[1]:
        return True
    return bool(_needed(history, mine) & theirs)


def _line(history: History, name: str | None) -> set[str]:
    """A subject and everything it runs inside of."""
    line: set[str] = set()
    while name is not None and name not in line:
        line.add(name)
        declared = history.declared.get(name)
        name = None if declared is None else declared.parent
    return line


def _agents(history: History, names: set[str]) -> set[str]:
    found = (history.declared.get(name) for name in names)
    return {d.subject for d in found if d is not None and d.kind is SubjectKind.AGENT}


def _needed(history: History, names: set[str]) -> set[str]:
    """Everything that these need, directly or not."""
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        declared = history.declared.get(waiting.pop())
        new = set(() if declared is None else declared.needs) - needed
        needed |= new
        waiting.extend(new)
    return needed


# --- 8: merges ---------------------------------------------------------------------------------


def merges(history: History) -> Iterator[Violation]:
    """At most one merge of each subject, none of a failed one, one of each that completed."""
    merged: set[str] = set()
    ended: dict[str, StepStatus] = {}
    for event in history.events:
        match event.payload:
            case Merged(subject=name):
                if name in merged:
                    yield breach(Law.MERGES, event, "was merged a second time")
                if ended.get(name) in UNSUCCESSFUL:
                    yield breach(Law.MERGES, event, f"was merged after it was {ended[name]}")
                merged.add(name)
            case Moved(subject=name, to=to):
                ended[name] = to
                if to in UNSUCCESSFUL and name in merged:
                    yield breach(Law.MERGES, event, f"was {to} after it was merged")
            case RunMoved(to=to) if to in RUN_TERMINAL:
                yield from _unmerged(history, event, merged)
            case _:
                pass


def _unmerged(history: History, end: Event, merged: set[str]) -> Iterator[Violation]:
    for name, declared in history.declared.items():
        moved = history.last.get(name)
        completed = moved is not None and moved.to is StepStatus.COMPLETED
        if declared.merges and completed and name not in merged:
            message = "completed and was never merged"
            yield Violation(law=Law.MERGES, sequence=end.sequence, subject=name, message=message)
