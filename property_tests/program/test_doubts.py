"""Questions about steps in doubt: asked where the answer matters, and nowhere else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from anabranch.environment import Invocation
from anabranch.lifecycle import DoubtSettled, Event, verify
from anabranch.program import open_questions
from anabranch.services.journal import MemoryJournal
from anabranch.testing import MockEnvironment, mock_env
from anabranch.values import RunStatus
from anabranch.workflow import InDoubt, Step, Workflow, map_phase, map_reduce, step
from tests.program.crashes import Fuse, crashed, past_of, resume

_TAKE = re.compile(r"/take\[\d+\]")


def asking(max_parallel: int) -> Workflow:
    template: list[str | Step] = [
        "pay",
        step("pack", when="item == 'a'"),
        step("post", when="item == 'b'", optional=True),
    ]
    return map_reduce(
        "shop",
        setup=["open"],
        map=map_phase("items.json", template, max_parallel=max_parallel),
        reduce=["close"],
        in_doubt=InDoubt.ASK,
    )


def keys(subjects: Iterable[str]) -> set[str]:
    """What the world outside knows steps by, however often their agent was started."""
    return {f"r1/{_TAKE.sub('', name)}" for name in subjects}


def ran(env: MockEnvironment) -> Counter[str]:
    """How often each step was run, by its key."""
    calls = (call for call in env.asked("run") if isinstance(call, Invocation))
    return Counter(call.env["ANABRANCH_IDEMPOTENCY_KEY"] for call in calls)


def answered(env: MockEnvironment, questions: tuple[str, ...]) -> MockEnvironment:
    events = list(env.journal.events)
    for name in questions:
        again = DoubtSettled(subject=name, verdict="again")
        events.append(Event(len(events) + 1, events[-1].time, again))
    return evolve(env, journal=MemoryJournal(events=events))


@settings(max_examples=100)
@given(st.data(), st.integers(1, 3))
def test_what_is_done_again_was_asked_about_and_nothing_else_was(
    data: st.DataObject, max_parallel: int
) -> None:
    flow, questions, told = asking(max_parallel), tuple[str, ...](), set[str]()
    env = mock_env(files={"items.json": '["a", "b", "c"]'})
    for _ in range(data.draw(st.integers(1, 2), label="crashes")):
        last = data.draw(st.integers(0, 12) | st.integers(0, 110), label="call")
        env = crashed(
            answered(env, questions),
            fuse=Fuse(last=last, after=data.draw(st.booleans())),
            lost=lambda sure, written: data.draw(st.integers(sure, written), label="survive"),
            flow=flow,
        )
        past = past_of(env)
        if past is None or past.status is RunStatus.COMPLETED:
            return
        questions = open_questions(flow, past)
        event(f"questions: {len(questions)}")
        told |= keys(questions)
    before = ran(env)
    ended = resume(answered(env, questions), flow)
    after = ran(ended)
    assert {key for key, count in before.items() if after[key] > count} <= told
    assert keys(questions) <= {key for key, count in after.items() if count > before[key]}
    assert RunStatus.COMPLETED is ended.journal.state.status
    assert () == verify(ended.journal.events)
