"""Hypothesis strategies for simulations: the choices of one run, and what may go wrong in it."""

from __future__ import annotations

from hypothesis import strategies as st

from anabranch.testing.git import GitFault
from anabranch.testing.git.faults import Faults as PlannedFaults
from anabranch.testing.git.faults import planned
from anabranch.testing.simulation import Faults, Source, replayed

_OPERATIONS = (("create", "agent-0"), ("create", "agent-1"), ("remove", "agent-0"))


def choices(*, max_size: int = 50) -> st.SearchStrategy[list[int]]:
    """The choices of one run, for `simulate(…, replay=…)`.

    They shrink to few, and to 0, which is the plainest answer: the one who waited longest goes on.
    """
    return st.lists(st.integers(0, 7), max_size=max_size)


def schedules(*, max_size: int = 50) -> st.SearchStrategy[Source]:
    """The same as a source of choices, for `simulate(…, source=…)` and `Chance`.

    Of each run that is drawn it is good for one: it is used up as it is read.
    """
    return choices(max_size=max_size).map(replayed)


def faults(*, kills: bool = True, most: int = 2) -> st.SearchStrategy[Faults]:
    """How likely it is that something goes wrong in a `World`; they shrink to never.

    Args:
        kills: whether the process of anabranch may be killed.
        most: how many faults there may be in one run.
    """
    rate = st.sampled_from([0.0, 0.02, 0.1, 0.3])
    return st.builds(
        Faults,
        git=rate,
        journal=rate,
        commands=rate,
        kills=rate if kills else st.just(0.0),
        most=st.integers(0, most),
    )


def git_faults(
    operations: tuple[tuple[str, str], ...] = _OPERATIONS,
) -> st.SearchStrategy[PlannedFaults]:
    """What goes wrong with a git in memory: up to three operations, each once.

    Args:
        operations: which may fail: the method of the port, and the tree or the branch.
    """
    fault = st.tuples(st.sampled_from(operations), st.sampled_from(GitFault))
    return st.lists(fault, max_size=3).map(lambda found: planned(*((*o, f) for o, f in found)))
