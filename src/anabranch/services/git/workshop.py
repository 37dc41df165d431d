"""What a run needs of git, put together: helpers, and what asks them."""

from __future__ import annotations

import os
from functools import partial

from attrs import define, evolve

from anabranch.services.git.attributes import PATHS, Attributes
from anabranch.services.git.changes import Observer
from anabranch.services.git.diffs import Differ
from anabranch.services.git.helpers import Helper
from anabranch.services.git.merging import Merger
from anabranch.services.git.objects import Objects
from anabranch.services.git.refs import START, Refs
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.tree_merges import TreeMerger, merge_helper


@define(kw_only=True)
class Workshop:
    """The tools of one run, and the processes behind them.

    Attributes:
        refs: moves branches.
        merger: merges.
        observer: looks at worktrees.
        helpers: the processes.
    """

    refs: Refs
    merger: Merger
    observer: Observer
    helpers: tuple[Helper, ...]

    @classmethod
    def of(cls, repository: GitRepository, directory: str, *locks: int) -> Workshop:
        """Tools for a repository.

        Arguments:
            repository: where they work.
            directory: the run's own directory.
            locks: those of the run, which are not free before what moves its branches has ended.
        """
        git = repository.git.inside(repository.common)
        writer, reader = (
            Helper(evolve(git, held=locks), ("update-ref", "--stdin"), greeting=START),
            Helper(git, ("cat-file", "--batch")),
        )
        refs = Refs(
            git=repository.git,
            common=repository.common,
            writer=writer,
            hooked=partial(repository.has_hook, "reference-transaction"),
        )
        objects = Objects(common=repository.common, reader=reader)
        differ = Differ(git)
        trees = _tree_merger(repository, os.path.join(directory, "attributes"))
        helpers = (writer, reader, differ.helper, trees.attributes.differ.helper, trees.helper)
        return cls(
            refs=refs,
            merger=Merger(
                git=repository.git,
                refs=refs,
                objects=objects,
                trees=trees,
                signer=repository.signer,
            ),
            observer=Observer(git=repository.trees, refs=refs, objects=objects, differ=differ),
            helpers=tuple(helper for helper in helpers if helper is not None),
        )

    def close(self) -> None:
        """End the helpers. They start anew when they are asked again."""
        for helper in self.helpers:
            with helper.lock:
                helper.close()


def _tree_merger(repository: GitRepository, directory: str) -> TreeMerger:
    os.makedirs(directory, exist_ok=True)
    git = repository.git.inside(repository.common)
    blind = git.at(directory).with_environ(
        {"GIT_DIR": repository.common, "GIT_WORK_TREE": directory}
    )
    differ = Differ(git, ("--name-only", "--no-renames"), PATHS)
    return TreeMerger(
        git=blind,
        attributes=Attributes(git=git, directory=directory, differ=differ),
        helper=merge_helper(blind, repository.version),
    )
