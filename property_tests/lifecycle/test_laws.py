from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from anabranch.lifecycle import (
    EMPTY,
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    STEP_TERMINAL,
    STEP_TRANSITIONS,
    CommandEnded,
    Declared,
    Event,
    Folding,
    InvalidTransition,
    Law,
    Opened,
    OutputRecorded,
    Payload,
    Spent,
    apply,
    by_agent,
    by_status,
    by_worker,
    describe,
    fold,
    measure,
    subject_of,
    summarise,
    tell,
    verify,
)
from anabranch.testing.strategies.lifecycle import events, histories, illegal_histories
from anabranch.values import RunStatus, StepStatus


def test_every_status_has_a_row_and_the_terminal_ones_have_no_exits() -> None:
    assert set(StepStatus) == set(STEP_TRANSITIONS)
    assert set(RunStatus) == set(RUN_TRANSITIONS)
    assert all(not STEP_TRANSITIONS[status] for status in STEP_TERMINAL)
    assert all(not RUN_TRANSITIONS[status] for status in RUN_TERMINAL)


def test_every_status_can_be_reached_and_every_life_can_end() -> None:
    for table, first in (
        (STEP_TRANSITIONS, StepStatus.PENDING),
        (RUN_TRANSITIONS, RunStatus.PENDING),
    ):
        exits: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in table.items()}
        assert set(exits) == reachable(exits, first)
        assert all(any(not exits[s] for s in reachable(exits, status)) for status in exits)


def reachable(table: dict[str, frozenset[str]], first: str) -> set[str]:
    found, waiting = {first}, [first]
    while waiting:
        new = table[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


@given(histories())
def test_lawful_histories_are_verified_at_every_prefix(history: tuple[Event, ...]) -> None:
    state = EMPTY
    for length, event in enumerate(history):
        state = apply(state, event)
        assert () == verify(history[: length + 1], state=state)


@given(histories(), st.data())
def test_folding_in_two_parts_is_folding_at_once(
    history: tuple[Event, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history)))
    assert fold(history) == fold(history[cut:], fold(history[:cut]))


@given(histories(), st.data())
def test_looking_at_a_fold_that_goes_on_does_not_change_it(
    history: tuple[Event, ...], data: st.DataObject
) -> None:
    folding, looks = Folding(), data.draw(st.sets(st.integers(0, 50)))
    for event in history:
        folding.take(event)
        if event.sequence in looks:
            assert fold(history[: event.sequence]) == folding.state
    assert fold(history) == folding.state


@given(histories(finished=True))
def test_a_finished_history_leaves_nothing_behind(history: tuple[Event, ...]) -> None:
    state = fold(history)
    assert () == verify(history, state=state)
    assert state.status in RUN_TERMINAL
    assert {subject.status for subject in state.subjects.values()} <= STEP_TERMINAL


@given(illegal_histories())
def test_an_illegal_event_is_refused_and_changes_nothing(history: tuple[Event, ...]) -> None:
    *lawful, wrong = history
    folding = Folding(fold(lawful))
    with pytest.raises(InvalidTransition) as caught:
        folding.take_all(history[-1:])
    assert fold(lawful) == folding.state
    assert wrong == caught.value.event
    assert Law.TRANSITIONS in {violation.law for violation in verify(history)}


@given(illegal_histories(), st.data())
def test_a_batch_with_an_illegal_event_is_refused_as_a_whole(
    history: tuple[Event, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history) - 1))
    folding = Folding(fold(history[:cut]))
    with pytest.raises(InvalidTransition):
        folding.take_all(history[cut:])
    assert fold(history[:cut]) == folding.state
    folding.take_all(history[cut:-1])
    assert fold(history[:-1]) == folding.state


@given(illegal_histories())
def test_a_refusal_tells_the_whole_story(history: tuple[Event, ...]) -> None:
    with pytest.raises(InvalidTransition) as caught:
        fold(history)
    name = subject_of(history[-1].payload)
    if name in fold(history[:-1]).subjects:
        story = [e for e in history[:-1] if subject_of(e.payload) == name]
        assert story == list(caught.value.story)
        assert tell(story) in str(caught.value)


@given(histories())
def test_times_of_a_subject_are_in_order(history: tuple[Event, ...]) -> None:
    for subject in fold(history).subjects.values():
        times = [subject.created_at, subject.started_at, subject.ended_at]
        known = [time for time in times if time is not None]
        assert sorted(known) == known
        assert (subject.status is StepStatus.RUNNING) == (subject.worker is not None)
        assert (subject.status in STEP_TERMINAL) == (subject.ended_at is not None)


@given(histories())
def test_a_run_has_an_end_exactly_when_it_has_ended_and_knows_who_opened_it(
    history: tuple[Event, ...],
) -> None:
    for length in range(len(history) + 1):
        state = fold(history[:length])
        assert (state.status in RUN_TERMINAL) == (state.ended_at is not None)
        opened = [e.payload for e in history[:length] if isinstance(e.payload, Opened)]
        assert opened == list(state.opened)


times = st.integers(0, 9).map(lambda seconds: timedelta(seconds=seconds))
work = st.lists(
    st.builds(
        CommandEnded,
        subject=st.just("a"),
        index=st.integers(0, 3),
        user=times,
        system=times,
        memory_bytes=st.integers(0, 9),
    )
    | st.builds(
        OutputRecorded, subject=st.just("a"), name=st.sampled_from("xy"), value=st.integers()
    )
    | st.builds(
        Spent,
        subject=st.just("a"),
        cost_usd=st.integers(0, 9).map(float),
        input_tokens=st.integers(0, 9),
        output_tokens=st.integers(0, 9),
        session=st.none() | st.sampled_from(["one", "two"]),
    )
)


@given(work)
def test_what_a_subject_did_is_added_up(payloads: list[Payload]) -> None:
    noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    story = [Event(n, noon, told) for n, told in enumerate([Declared(subject="a"), *payloads], 1)]
    done = fold(story).subjects["a"].work
    ends = [each for each in payloads if isinstance(each, CommandEnded)]
    spent = [each for each in payloads if isinstance(each, Spent)]
    outputs = [each for each in payloads if isinstance(each, OutputRecorded)]
    assert {each.name: each.value for each in outputs} == done.outputs
    assert sum((each.user + each.system for each in ends), timedelta()) == done.processor
    assert max((each.memory_bytes for each in ends), default=0) == done.memory_bytes
    assert (ends[-1] if ends else None) == done.last
    assert sum(each.cost_usd for each in spent) == done.cost_usd
    assert sum(each.input_tokens for each in spent) == done.input_tokens
    assert sum(each.output_tokens for each in spent) == done.output_tokens
    assert ([None, *(each.session for each in spent if each.session)])[-1] == done.session


@given(histories())
def test_counts_and_indices_leave_out_nobody(history: tuple[Event, ...]) -> None:
    state = fold(history)
    summary, status = summarise(state), by_status(state)
    tops = [s for s in state.subjects.values() if s.declared.parent is None]
    assert len(tops) == sum(summary.agents.values()) + sum(summary.steps.values())
    assert sorted(state.subjects) == sorted(name for names in status.values() for name in names)
    assert sum(summary.agents.values()) == len(by_agent(state))
    assert measure(state).starts == sum(map(len, by_worker(state).values()))


@given(histories(), st.integers(0, 3))
def test_cutting_the_failures_leaves_the_first(history: tuple[Event, ...], most: int) -> None:
    state = fold(history)
    every = summarise(state)
    assert evolve(every, failed=every.failed[:most]) == summarise(state, failures=most)


@given(st.lists(events(), max_size=5))
def test_any_events_can_be_verified_and_told(anything: list[Event]) -> None:
    assert isinstance(verify(anything), tuple)
    assert len(anything) == len(tell(anything).splitlines())
    assert all(len(describe(event.payload).splitlines()) == 1 for event in anything)
