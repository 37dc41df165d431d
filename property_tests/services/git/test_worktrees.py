from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch.environment import WorktreeRequest
from anabranch.services.git import GitRun
from anabranch.testing.strategies.git import Edits, Files, edited, edits_of, file_trees
from property_tests.services.git.workbench import REAL_GIT, apply, repository
from tests.services.git.forest import order, picture, trees_of

ONE = WorktreeRequest(name="agent-0", parent="main", branch="anabranch/r1/agent-0")


@st.composite
def edited_twice(draw: st.DrawFn) -> tuple[Files, Edits, Edits]:
    files = draw(file_trees())
    first = draw(edits_of(files))
    return files, first, draw(edits_of(edited(files, first)))


@REAL_GIT
@given(edited_twice())
def test_changes_are_the_difference_between_the_trees(
    given_: tuple[Files, Edits, Edits],
) -> None:
    files, first, second = given_
    committed = edited(files, first)
    left = edited(committed, second)

    with repository(files) as bench:

        async def scenario(git: GitRun) -> None:
            tree = (await git.worktrees.create(ONE)).unwrap()
            there = bench.repo.at(tree.path)
            apply(there, first)
            commit = there.commit()
            apply(there, second)
            changes = (await git.worktrees.changes(tree)).unwrap()
            old, new = ({pair[side] for pair in changes.renamed} for side in (0, 1))
            assert (commit, (commit,)) == (changes.head, changes.commits)
            assert committed.keys() - files.keys() == set(changes.added) | new
            assert files.keys() - committed.keys() == set(changes.deleted) | old
            assert {
                path for path in files.keys() & committed.keys() if files[path] != committed[path]
            } == set(changes.modified)
            assert {
                path
                for path in committed.keys() | left.keys()
                if committed.get(path) != left.get(path)
            } == set(changes.dirty)

        bench(scenario)


@pytest.mark.parametrize("kind", ["plain copies", "slots copies", "slots overlay"])
@REAL_GIT
@given(edited_twice(), st.booleans())
def test_a_tree_holds_the_commit_whatever_happened_in_the_ones_before(
    kind: str, given_: tuple[Files, Edits, Edits], commits: bool
) -> None:
    files, first, second = given_
    with repository(files) as bench, trees_of(kind, bench) as trees:
        for edits in (first, second, {}):
            tree = trees.make(order(bench, branch="anabranch/r1/agent-0"))
            there = bench.repo.at(tree.path)
            held = {path: content for path, (_, content) in picture(tree.path).items()}
            assert files == {
                path: content
                for path, content in held.items()
                if not Path(tree.path, path).is_dir()
            }
            assert "" == there.git("status", "--porcelain")
            apply(there, {path: edits[path] for path in edits if fits(tree.path, path)})
            if commits:
                there.commit()
            trees.take_away(tree)


def fits(top: str, path: str) -> bool:
    """Whether there is a file at a path, or room for one."""
    full = Path(top, path)
    above = next(parent for parent in full.parents if os.path.lexists(parent))
    return above.is_dir() and not full.is_dir()
