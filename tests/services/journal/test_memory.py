from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest
from returns.result import Success

from anabranch.environment import Journal
from anabranch.lifecycle import Declared, InvalidTransition, Moved, Payload, fold
from anabranch.services.journal import MemoryJournal
from anabranch.values import StepStatus

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
QUEUED = Moved(subject="a", to=StepStatus.QUEUED)


def append(journal: Journal, *payloads: Payload, cause: int | None = None) -> object:
    async def main() -> object:
        return await journal.append(*payloads, cause=cause)

    return anyio.run(main)


def test_events_are_numbered_and_carry_their_cause() -> None:
    journal = MemoryJournal(now=lambda: NOON)
    append(journal, Declared(subject="a"), Declared(subject="b"))
    append(journal, QUEUED, cause=1)
    assert [(1, None), (2, None), (3, 1)] == [(e.sequence, e.cause) for e in journal.events]


def test_what_was_appended_comes_back_as_events() -> None:
    journal = MemoryJournal()
    append(journal, Declared(subject="a"))
    answer = append(journal, QUEUED)
    assert Success(tuple(journal.events[1:])) == answer


def test_the_state_is_the_fold_of_the_events() -> None:
    journal = MemoryJournal()
    append(journal, Declared(subject="a"), QUEUED)
    assert fold(journal.events) == journal.state


def test_an_illegal_batch_is_refused_as_a_whole() -> None:
    journal = MemoryJournal()
    append(journal, Declared(subject="a"))
    before = journal.state
    with pytest.raises(InvalidTransition):
        append(journal, Declared(subject="b"), QUEUED, QUEUED)
    assert (1, before) == (len(journal.events), journal.state)


def test_a_clock_that_goes_back_does_not_take_the_journal_with_it() -> None:
    times = iter([NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)])
    journal = MemoryJournal(now=lambda: next(times))
    append(journal, Declared(subject="a"))
    append(journal, QUEUED)
    append(journal, Declared(subject="b"))
    assert [NOON, NOON, NOON + timedelta(seconds=1)] == [e.time for e in journal.events]


def test_a_journal_goes_on_from_a_history() -> None:
    first = MemoryJournal()
    append(first, Declared(subject="a"))
    second = MemoryJournal(events=first.events)
    append(second, QUEUED)
    assert [1, 2] == [e.sequence for e in second.events]
    assert fold(second.events) == second.state
