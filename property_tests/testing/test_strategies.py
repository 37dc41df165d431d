"""What strategies find shrinks to what a person would write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from anabranch import par_all, sleep
from anabranch.expressions import FieldPath
from anabranch.testing import GitFault, NotModelled
from anabranch.testing import strategies as given_by
from anabranch.testing.git import Operation
from anabranch.testing.git.merging import MergedTree, merge_trees
from anabranch.testing.simulation import Faults, simulate
from anabranch.testing.strategies.repositories import Fork

T = TypeVar("T")

_QUIET = settings(
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    phases=[Phase.generate, Phase.shrink],
    max_examples=200,
    derandomize=True,
    database=None,
)


def smallest(strategy: st.SearchStrategy[T], such: Callable[[T], Any] = lambda _: True) -> T:
    return find(strategy, such, settings=_QUIET)


def merged(fork: Fork) -> MergedTree:
    try:
        return merge_trees(fork.base, fork.ours, fork.theirs)
    except NotModelled:
        return MergedTree(fork.ours)


def test_an_item_shrinks_to_one_field_without_a_value() -> None:
    assert {"a": None} == smallest(given_by.json_items(), bool)


def test_a_filter_shrinks_to_one_comparison() -> None:
    found = smallest(given_by.map_configs(), lambda config: config.filter)
    assert FieldPath(("a",)) == getattr(getattr(found.filter, "root", None), "left", None)
    assert (0, None, 1) == (found.offset, found.max_items, found.max_parallel)


def test_a_conflict_shrinks_to_one_file_with_a_line_of_each_side() -> None:
    found = smallest(given_by.forks(), lambda fork: merged(fork).conflicts)
    assert [{"a"}] * 3 == [set(tree) for tree in (found.base, found.ours, found.theirs)]
    base, ours, theirs = (tree["a"].data for tree in (found.base, found.ours, found.theirs))
    assert (b"", b"one\n") == (base, ours)
    assert theirs in {b"two\n", b"one\none\n"}


def test_a_repository_shrinks_to_one_file_that_was_changed() -> None:
    found = smallest(given_by.repositories(), lambda repository: repository.home.dirty)
    assert ({"a.txt": b""}, {"a.txt": b"one\n"}) == (found.files(), found.home.files)


def test_choices_shrink_to_the_one_that_matters() -> None:
    assert [4] == smallest(given_by.choices(), lambda choices: sum(choices) > 3)


def test_faults_shrink_to_the_one_that_matters() -> None:
    found = smallest(given_by.faults(), lambda faults: faults.git > 0)
    assert Faults(git=0.02, most=0) == found


@given(given_by.schedules())
def test_any_schedule_drives_a_simulation(source: Any) -> None:
    assert 1 == simulate(par_all([sleep(1), sleep(1)]), source=source).runs


@given(given_by.git_faults())
def test_a_planned_fault_comes_once(faults: Any) -> None:
    operation = Operation("create", "agent-0")
    came = [fault for fault in (faults(operation) for _ in range(9)) if fault is not None]
    assert len(came) <= 3
    assert set(came) <= set(GitFault)
