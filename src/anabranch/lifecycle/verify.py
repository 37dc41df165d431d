"""Verification: whether a plan and a journal keep the laws.

For property tests, continuous integration and post-mortems. It is a pure function of the
journal and never raises: a journal that breaks a law is exactly what it is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

from anabranch.lifecycle.events import Event
from anabranch.lifecycle.fold import fold
from anabranch.lifecycle.history import Law, Violation, read
from anabranch.lifecycle.laws import LAWS
from anabranch.lifecycle.plan_laws import plan_violations, run_violations
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.story import InvalidTransition
from anabranch.values import Problem
from anabranch.workflow import Plan


@overload
def verify(what: Plan, /) -> tuple[Problem, ...]: ...
@overload
def verify(
    what: Plan, journal: Iterable[Event], /, *, state: RunState | None = None
) -> tuple[Problem | Violation, ...]: ...
@overload
def verify(what: Iterable[Event], /, *, state: RunState | None = None) -> tuple[Violation, ...]: ...
def verify(
    what: Plan | Iterable[Event],
    journal: Iterable[Event] = (),
    /,
    *,
    state: RunState | None = None,
) -> tuple[Any, ...]:
    """Every violation of the laws of a plan, of a run, or of a run of a plan.

    A journal that ends before its run does is judged by what it says so far.

    Args:
        what: a plan, or the events of one run, from its first.
        journal: the events of a run of the plan.
        state: if given, it is compared with the fold of the journal (law 2).

    Returns:
        What violates the laws of the plan, as problems, then what violates those of the run, in
        the order of the journal; empty if all is well.

    >>> from datetime import UTC, datetime
    >>> from anabranch.lifecycle.events import Merged
    >>> merged = Merged(subject="agent-0", target="main", before="c0", commit="c1")
    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> for violation in verify([Event(1, noon, merged)]):
    ...     print(violation)
    event 1: agent-0 was not declared before this (law 1, TRANSITIONS)
    >>> from anabranch.workflow import make_plan, map_phase, map_reduce
    >>> verify(make_plan(map_reduce("tidy", map=map_phase("items.json", ["make"]))))
    ()
    """
    if not isinstance(what, Plan):
        return _of_journal(tuple(what), state)
    events = tuple(journal)
    told = (*run_violations(what, events), *_of_journal(events, state)) if events else ()
    return (*plan_violations(what), *told)


def _of_journal(events: tuple[Event, ...], state: RunState | None) -> tuple[Violation, ...]:
    history = read(events)
    found = [violation for law in LAWS.values() for violation in law(history)]
    if state is not None:
        found.extend(_compare(events, state))
    return tuple(sorted(found, key=lambda violation: (violation.sequence, violation.law)))


def _compare(events: tuple[Event, ...], state: RunState) -> tuple[Violation, ...]:
    last = events[-1].sequence if events else 0
    try:
        agrees = fold(events) == state
    except InvalidTransition:
        agrees = False
    if agrees:
        return ()
    message = "is not in the state that the journal says"
    return (Violation(law=Law.FOLD, sequence=last, subject=None, message=message),)
