"""The git state of a step against a model: a tree and a commit, before and after, as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from anabranch.environment import Changes, Oid
from anabranch.program.git_state import GitState, state_between

Files = Mapping[str, str]

_FILES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))


def kinds(one: Files, other: Files) -> dict[str, str]:
    """What became of each file that differs."""
    found = {path: "D" for path in one if path not in other}
    found |= {path: "A" for path in other if path not in one}
    return found | {path: "M" for path in one if path in other and one[path] != other[path]}


def uncommitted(head: Files, tree: Files) -> dict[str, str]:
    return {path: f"{kind} {tree.get(path)}" for path, kind in kinds(head, tree).items()}


def of(found: Mapping[str, str], kind: str) -> tuple[str, ...]:
    return tuple(sorted(path for path in found if found[path] == kind))


def changes(old: Files, new: Files, tree: Files) -> Changes:
    found = kinds(old, new)
    return Changes(
        head=Oid("1"),
        commits=(Oid("1"),) if old != new else (),
        added=of(found, "A"),
        modified=of(found, "M"),
        deleted=of(found, "D"),
        uncommitted=uncommitted(new, tree),
    )


def told(state: GitState) -> dict[str, str]:
    pairs = (("A", state.added), ("M", state.modified), ("D", state.deleted))
    return {path: kind for kind, paths in pairs for path in paths}


@given(_FILES, _FILES, _FILES)
def test_without_a_commit_the_state_is_what_changed_in_the_tree(
    head: Files, before: Files, after: Files
) -> None:
    state = state_between(uncommitted(head, before), changes(head, head, after))
    assert kinds(before, after) == told(state)


@given(_FILES, _FILES)
def test_with_everything_committed_the_state_is_what_was_committed(old: Files, new: Files) -> None:
    assert kinds(old, new) == told(state_between({}, changes(old, new, new)))


@given(_FILES, _FILES, _FILES)
def test_from_a_clean_tree_the_state_is_what_changed_in_the_tree(
    old: Files, new: Files, after: Files
) -> None:
    state = told(state_between({}, changes(old, new, after)))
    wanted = kinds(old, after)
    # What was committed and then undone has been touched, though nothing of it is left.
    assert wanted == {path: kind for path, kind in state.items() if path in wanted}
    assert all(state[path] == "M" and old[path] == after[path] for path in {*state} - {*wanted})


@given(_FILES, _FILES, _FILES, _FILES)
def test_a_path_is_told_once_and_agrees_with_what_is_there(
    old: Files, before: Files, new: Files, after: Files
) -> None:
    state = state_between(uncommitted(old, before), changes(old, new, after))
    assert all(path in after for path in (*state.added, *state.modified))
    assert not {*state.deleted} & {*after}
    assert 1 >= max(map([*state.added, *state.modified, *state.deleted].count, "abcd"))
