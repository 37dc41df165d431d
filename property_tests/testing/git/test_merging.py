from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anabranch.environment import Oid
from anabranch.testing.git import NotModelled
from anabranch.testing.git.crossing import merge_commits
from anabranch.testing.git.lines import changes, distance, split
from anabranch.testing.git.merging import MergedTree, Merging, merge_trees
from anabranch.testing.git.objects import FILE, Entry, Objects, tree_id
from anabranch.testing.git.texts import merge_texts
from anabranch.testing.repositories import ScratchRepository
from anabranch.testing.strategies.repositories import (
    Fork,
    edited_git_trees,
    edited_line_texts,
    forks,
    line_texts,
)
from property_tests.testing.git.real import conflicts, export, merged, scratch


@pytest.fixture(scope="module")
def repo() -> Generator[ScratchRepository]:
    with scratch() as made:
        yield made


REAL = settings(
    max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.too_slow]
)


def by_the_model(fork: Fork) -> MergedTree | None:
    try:
        return merge_trees(fork.base, fork.ours, fork.theirs)
    except NotModelled:
        return None


def check(repo: ScratchRepository, fork: Fork, model: MergedTree) -> None:
    """That git makes the same tree, or meets the same conflicts with the same sides."""
    objects = Objects()
    base = objects.commit(fork.base, (), "base\n")
    ours, theirs = (
        objects.commit(tree, (base,), message)
        for tree, message in ((fork.ours, "ours\n"), (fork.theirs, "theirs\n"))
    )
    export(repo, objects)
    real = merged(repo, ours, theirs)
    if real.clashes is None:
        assert (real.tree, ()) == (tree_id(model.tree), model.conflicts)
    else:
        named = {conflict.path: conflict for conflict in model.conflicts}
        assert conflicts(repo, real, ours, theirs) == named
        check_what_is_left(fork, real.tree, names=Merging(ours, theirs))


def check_what_is_left(fork: Fork, left: str, *, names: Merging) -> None:
    """That git leaves the same in a working tree, markers and all."""
    try:
        expected = merge_trees(fork.base, fork.ours, fork.theirs, names).laid_out
    except NotModelled:
        return
    assert left == tree_id(expected)


@REAL
@given(fork=forks())
def test_trees_are_merged_as_git_merges_them(repo: ScratchRepository, fork: Fork) -> None:
    model = by_the_model(fork)
    if model is not None:
        check(repo, fork, model)


@st.composite
def crossed(draw: st.DrawFn) -> tuple[Objects, Oid, Oid]:
    """Two branches that were merged into each other, once or twice, and worked on since."""
    fork, objects = draw(forks()), Objects()
    base = objects.commit(fork.base, (), "base\n")
    one, other = fork.ours, fork.theirs
    left, right = objects.commit(one, (base,), "left\n"), objects.commit(other, (base,), "right\n")
    for number in range(draw(st.integers(1, 2))):
        merged = by_the_model(Fork(base=fork.base, ours=one, theirs=other))
        tree = draw(st.sampled_from([one, other] if merged is None else [merged.tree, one]))
        one, other = draw(edited_git_trees(tree)), draw(edited_git_trees(tree))
        left, right = (
            objects.commit(one, (left, right), f"left {number}\n"),
            objects.commit(other, (right, left), f"right {number}\n"),
        )
    return objects, left, right


@REAL
@given(crossed())
def test_branches_that_were_merged_into_each_other_are_merged_as_git_merges_them(
    repo: ScratchRepository, made: tuple[Objects, Oid, Oid]
) -> None:
    objects, ours, theirs = made
    try:
        model = merge_commits(objects, ours, theirs)
    except NotModelled:
        return
    assert model is not None
    export(repo, objects)
    real = merged(repo, ours, theirs)
    if real.clashes is None:
        assert (real.tree, ()) == (tree_id(model.tree), model.conflicts)
    else:
        assert {c.path for c in model.conflicts} == conflicts(repo, real, ours, theirs).keys()


def test_few_merges_of_crossed_branches_are_refused() -> None:
    outcomes = Counter[bool]()

    @settings(max_examples=60)
    @given(crossed())
    def collect(made: tuple[Objects, Oid, Oid]) -> None:
        with suppress(NotModelled):
            merge_commits(*made)
            outcomes[True] += 1
            return
        outcomes[False] += 1

    collect()
    assert outcomes[False] < 0.25 * outcomes.total()


@st.composite
def edited_twice(draw: st.DrawFn) -> Fork:
    base, entry = draw(line_texts(max_size=14)), Entry(b"")
    return Fork(
        base={"file": evolve(entry, data=base)},
        ours={"file": evolve(entry, data=draw(edited_line_texts(base)))},
        theirs={"file": evolve(entry, data=draw(edited_line_texts(base)))},
    )


@REAL
@given(fork=edited_twice())
def test_texts_are_merged_as_git_merges_them(repo: ScratchRepository, fork: Fork) -> None:
    check(repo, fork, merge_trees(fork.base, fork.ours, fork.theirs))


@given(forks())
def test_the_sides_of_a_merge_may_be_exchanged(fork: Fork) -> None:
    one = by_the_model(fork)
    other = by_the_model(Fork(base=fork.base, ours=fork.theirs, theirs=fork.ours))
    if one is not None and other is not None:
        exchanged = tuple(evolve(c, ours=c.theirs, theirs=c.ours) for c in other.conflicts)
        assert one.conflicts == exchanged
        assert bool(one.conflicts) or one.tree == other.tree


@given(forks())
def test_a_side_that_changed_nothing_has_no_say(fork: Fork) -> None:
    assert MergedTree(fork.ours) == by_the_model(evolve(fork, theirs=fork.base))


@given(line_texts(max_size=20), line_texts(max_size=20))
def test_a_difference_makes_the_new_text_of_the_old(old: bytes, new: bytes) -> None:
    before, after = split(old), split(new)
    made, done = list[bytes](), 0
    for change in changes(before, after):
        made += before[done : change.start]
        made += after[change.other_start : change.other_start + change.other_size]
        done = change.start + change.size
    assert after == made + before[done:]


def test_what_is_doubtful_is_refused() -> None:
    lines = b"".join(b"%d\n" % number for number in range(9))
    base = {"old": Entry(lines)}
    ours = {"new": Entry(lines + b"more\n"), "newer": Entry(b"more\n" + lines)}
    theirs = {"old": Entry(b"less\n" + lines)}
    with pytest.raises(NotModelled, match="one of several ways"):
        merge_trees(base, ours, theirs)


def test_a_file_that_was_moved_and_changed_takes_the_other_sides_edit_along() -> None:
    lines = b"".join(b"%d\n" % number for number in range(9))
    base, theirs = {"old": Entry(lines)}, {"old": Entry(b"less\n" + lines)}
    ours = {"new": Entry(lines + b"more\n")}
    merged = merge_trees(base, ours, theirs)
    assert MergedTree({"new": Entry(b"less\n" + lines + b"more\n")}) == merged


@REAL
@given(old=line_texts(max_size=20), new=line_texts(max_size=20))
def test_lines_are_counted_as_git_counts_them(
    repo: ScratchRepository, old: bytes, new: bytes
) -> None:
    one, other = split(old), split(new)
    objects = Objects()
    trees = {"old\n": {"file": Entry(old)}, "new\n": {"file": Entry(new)}}
    commits = [objects.commit(tree, (), message) for message, tree in trees.items()]
    export(repo, objects)
    counted = repo.git("diff-tree", "-r", "--numstat", *commits).split("\t")[:2]
    more, fewer = map(int, counted) if len(counted) > 1 else (0, 0)
    assert (len(other) - len(one), distance(one, other)) == (more - fewer, more + fewer)


def test_a_file_that_was_moved_takes_the_other_sides_edit_along() -> None:
    old, new = Entry(b"one\ntwo\n"), Entry(b"one\nTWO\n", FILE)
    assert {"new": new} == merge_trees({"old": old}, {"new": old}, {"old": new}).tree


def test_few_forks_are_refused() -> None:
    outcomes = Counter[bool]()

    @settings(max_examples=100)
    @given(forks())
    def collect(fork: Fork) -> None:
        outcomes[by_the_model(fork) is None] += 1

    collect()
    assert outcomes[True] < 0.15 * outcomes.total()


def test_a_text_with_only_worn_out_lines_in_common_is_refused() -> None:
    base = b"}\n" * 70
    with pytest.raises(NotModelled):
        merge_texts(base, b"a\n" + base + b"b\n", base + b"c\n")
