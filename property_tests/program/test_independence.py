"""Law 6, by comparison: one item's failure changes nothing about another's result."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from anabranch.environment import CommandOutput, Invocation
from anabranch.lifecycle import Merged, Payload, RunState
from anabranch.testing import printed
from tests.program.crashes import resume
from tests.program.test_program import environment

NAMES = ("a", "b", "c", "d")
AGENTS = tuple(f"agent-{n}" for n in range(len(NAMES)))


def ended(failing: frozenset[str], clashing: frozenset[str]) -> RunState:
    """A run in which these items fail, and the work of these agents cannot be merged."""

    def shout(invocation: Invocation) -> CommandOutput:
        return printed(exit_code=int(invocation.env["__anabranch_0"] in failing))

    env = environment(
        commands={"shout *": shout, "*": printed()},
        conflicts=dict.fromkeys(clashing, ("same.txt",)),
    )
    return resume(env).journal.state


def story(state: RunState, agent: str) -> list[Payload]:
    """All that happened to an agent and its steps, but for the commits of others below its own."""
    return [
        event.payload
        for name, subject in state.subjects.items()
        if name == agent or name.startswith(f"{agent}/")
        for event in subject.story
        if not isinstance(event.payload, Merged)
    ]


@settings(max_examples=30)
@given(
    st.frozensets(st.sampled_from(NAMES)),
    st.frozensets(st.sampled_from(AGENTS)),
    st.sampled_from(range(len(NAMES))),
)
def test_what_becomes_of_an_item_is_the_same_whatever_becomes_of_the_others(
    failing: frozenset[str], clashing: frozenset[str], item: int
) -> None:
    agent = AGENTS[item]
    alone = ended(failing & {NAMES[item]}, clashing & {agent})
    together = ended(failing, clashing)
    assert story(alone, agent) == story(together, agent)
    merged = [state.subjects[agent].work.merged is not None for state in (alone, together)]
    assert merged[0] is merged[1]
