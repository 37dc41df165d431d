from __future__ import annotations

from anabranch.lifecycle import (
    DeadLettered,
    Declared,
    WorktreeCreated,
    by_agent,
    by_status,
    by_worker,
    fold,
)
from tests.lifecycle.histories import AGAIN, Q, R, V, agent, history, merged, moves

STEP = Declared(subject="one/step[0]", parent="one")
INNER = Declared(subject="one/step[0]/on_failure[0]", parent="one/step[0]")


def test_subjects_are_found_by_where_they_stand() -> None:
    state = fold(history(agent("one"), agent("two"), STEP, *moves("two", Q)))
    assert {Q.PENDING: ("one", "one/step[0]"), Q: ("two",)} == by_status(state)


def test_an_agent_is_found_with_all_its_steps() -> None:
    state = fold(history(agent("one"), agent("two"), STEP, INNER, *moves(INNER.subject, Q)))
    found = by_agent(state)
    assert ["one", "two"] == list(found)
    assert {STEP.subject: Q.PENDING, INNER.subject: Q} == found["one"].steps


def test_an_agent_tells_where_its_work_is() -> None:
    tree = WorktreeCreated(subject="one", path="/t", branch="b-tree")
    letter = DeadLettered(subject="one", signature="s", branch="b-kept")
    events = history(agent("one"), tree, merged("one"), letter)
    branches = [by_agent(fold(events[:n]))["one"].branch for n in (1, 2, 4)]
    assert [None, "b-tree", "b-kept"] == branches
    assert "c1" == by_agent(fold(events))["one"].commit


def test_a_worker_is_found_with_what_it_ran_and_ran_again() -> None:
    state = fold(history(agent("one"), agent("two"), *moves("two", Q, R, AGAIN, Q, R, V)))
    assert {"w-0": ("two", "two")} == by_worker(state)
