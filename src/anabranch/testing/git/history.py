"""What is an ancestor of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from anabranch.environment import Oid
from anabranch.testing.git.objects import Objects


def ancestors(objects: Objects, commit: Oid) -> frozenset[Oid]:
    """A commit and everything that it is built on."""
    found, pending = {commit}, [commit]
    while pending:
        for parent in objects.commits[pending.pop()].parents:
            if parent not in found:
                found.add(parent)
                pending.append(parent)
    return frozenset(found)


def is_ancestor(objects: Objects, older: Oid, newer: Oid) -> bool:
    """Whether everything in one commit is in another."""
    return older in ancestors(objects, newer)


def best_common(objects: Objects, ones: Iterable[Oid], others: Iterable[Oid]) -> list[Oid]:
    """The best common ancestors of any of some commits and any of others: the latest ones."""
    mine, yours = (
        {oid for commit in commits for oid in ancestors(objects, commit)}
        for commits in (ones, others)
    )
    common = mine & yours
    above = {parent for commit in common for parent in objects.commits[commit].parents}
    # A parent of what both have is what both have: nothing further up has to be looked at.
    return sorted(common - above)


def since(objects: Objects, base: Oid, head: Oid) -> list[Oid]:
    """The commits in `head` and not in `base`, parents first: `rev-list --reverse --topo-order`."""
    wanted = ancestors(objects, head) - ancestors(objects, base)
    children = Counter(
        parent
        for commit in wanted
        for parent in objects.commits[commit].parents
        if parent in wanted
    )
    found, pending = list[Oid](), [head] if head in wanted else []
    while pending:
        commit = pending.pop()
        found.append(commit)
        for parent in objects.commits[commit].parents:
            children[parent] -= 1
            if parent in wanted and children[parent] == 0:
                pending.append(parent)
    return found[::-1]


def first_parents(objects: Objects, base: Oid, head: Oid) -> list[Oid]:
    """The first parents from `base`, which is left out with all that is in it, to `head`."""
    known, found, commit = ancestors(objects, base), list[Oid](), head
    while commit not in known:
        found.append(commit)
        parents = objects.commits[commit].parents
        if not parents:
            break
        commit = parents[0]
    return found[::-1]
