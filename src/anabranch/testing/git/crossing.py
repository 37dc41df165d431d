"""What two commits are merged with: their merge base, or what git makes of several.

Branches that were merged into each other have several best common ancestors. Git's `merge-ort`
merges those first, each with what it made of the ones before, into a tree that is no commit; where
they are in conflict, the markers are part of that tree. In which order it takes them follows from
times and from its walk through the history; a merge that would turn on this is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final

from attrs import frozen

from anabranch.environment import Oid
from anabranch.testing.git.faults import NotModelled
from anabranch.testing.git.history import best_common
from anabranch.testing.git.merging import MergedTree, Merging, merge_trees
from anabranch.testing.git.objects import EMPTY, Objects, Tree

_MOST: Final = 3
"""Of more merge bases than this, the orders are too many to try."""


@frozen
class _Side:
    """A commit, or several that are taken for one."""

    tree: Tree
    commits: frozenset[Oid]


def merge_commits(
    objects: Objects, ours: Oid, theirs: Oid, how: Merging | None = None
) -> MergedTree | None:
    """Merge two commits; `None` if they have nothing in common.

    Raises:
        NotModelled: the outcome turns on the order of the merge bases, or on a conflict of theirs
            that the model does not know.
    """
    one, other = (_Side(objects.tree(oid), frozenset({oid})) for oid in (ours, theirs))
    if not best_common(objects, one.commits, other.commits):
        return None
    outcomes = [
        merge_trees(base, one.tree, other.tree, how or Merging())
        for base in _bases(objects, one, other, 0)
    ]
    if any(outcome != outcomes[0] for outcome in outcomes):
        raise NotModelled("a merge that turns on the order of its merge bases")
    return outcomes[0]


def _bases(objects: Objects, one: _Side, other: _Side, depth: int) -> Sequence[Tree]:
    """All trees that git could compare two sides with."""
    found = best_common(objects, one.commits, other.commits)
    if not found:
        return [EMPTY]
    if len(found) > _MOST:
        raise NotModelled(f"a merge with {len(found)} merge bases")
    trees: list[Tree] = []
    for order in permutations(found):
        trees += (tree for tree in _merged(objects, order, depth + 1) if tree not in trees)
    return trees


def _merged(objects: Objects, order: Sequence[Oid], depth: int) -> Iterator[Tree]:
    """What merging some commits in an order can make."""
    first, *rest = order
    sides = [_Side(objects.tree(first), frozenset({first}))]
    for oid in rest:
        other = _Side(objects.tree(oid), frozenset({oid}))
        sides = [made for side in sides for made in _virtual(objects, side, other, depth)]
    return (side.tree for side in sides)


def _virtual(objects: Objects, one: _Side, other: _Side, depth: int) -> Iterator[_Side]:
    how = Merging("Temporary merge branch 1", "Temporary merge branch 2", depth)
    for base in _bases(objects, one, other, depth):
        tree = merge_trees(base, one.tree, other.tree, how).laid_out
        yield _Side(tree, one.commits | other.commits)
