"""Which way of making working trees suits a repository."""

from __future__ import annotations

import os

from attrs import frozen

from anabranch.services.git.filling import Cheapest, Checkout, Template
from anabranch.services.git.plain import PlainTrees
from anabranch.services.git.refs import Refs
from anabranch.services.git.registry import Registry
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.slots import SlotTrees
from anabranch.services.git.trees import Trees


@frozen(kw_only=True)
class Traits:
    """What of a repository bears on the choice.

    Attributes:
        loose_refs: whether `HEAD` of a worktree is a file that can be written.
        full_stat: whether git looks at all that `lstat` says, change times included.
    """

    loose_refs: bool
    full_stat: bool


def recycling_problem(traits: Traits) -> str | None:
    """Why slots are not safe, if they are not: git must see every change made in one.

    >>> recycling_problem(Traits(loose_refs=True, full_stat=False))
    'core.checkStat=minimal hides some changes of files'
    """
    if not traits.loose_refs:
        return "refs are in a table, not in files"
    return None if traits.full_stat else "core.checkStat=minimal hides some changes of files"


def traits_of(repository: GitRepository) -> Traits:
    """Look at a repository."""
    check = repository.git.attempt("config", "--get", "core.checkStat").text
    return Traits(
        loose_refs=not os.path.isdir(os.path.join(repository.common, "reftable")),
        full_stat=check.lower() != "minimal",
    )


def trees_for(registry: Registry, refs: Refs) -> Trees:
    """The cheapest way that is safe."""
    repository = registry.repository
    cheapest = Cheapest(repository.common, registry.directory, registry.trash)
    fill = Template(registry, Checkout(repository.trees), cheapest)
    if recycling_problem(traits_of(repository)) is None:
        return SlotTrees(registry, refs, fill)
    return PlainTrees(registry, fill)
