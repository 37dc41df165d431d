"""What merging needs, put together for one run: helpers, and what asks them."""

from __future__ import annotations

import os

from anabranch.services.git.attributes import DIFFERENCE, Attributes
from anabranch.services.git.helpers import Helper
from anabranch.services.git.merging import Merger
from anabranch.services.git.objects import Objects
from anabranch.services.git.refs import Refs
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.tree_merges import TreeMerger, merge_helper


def merger_for(repository: GitRepository, directory: str) -> Merger:
    """A merger with helpers of its own; `close` ends them.

    Arguments:
        repository: where it merges.
        directory: the run's own directory.
    """
    git = repository.git.at(repository.common)
    attributes = os.path.join(directory, "attributes")
    os.makedirs(attributes, exist_ok=True)
    blind = git.at(attributes).with_environ(
        {"GIT_DIR": repository.common, "GIT_WORK_TREE": attributes}
    )
    return Merger(
        git=repository.git,
        refs=Refs(
            git=repository.git,
            common=repository.common,
            writer=Helper(git, ("update-ref", "--stdin")),
        ),
        objects=Objects(common=repository.common, reader=Helper(git, ("cat-file", "--batch"))),
        trees=TreeMerger(
            git=blind,
            attributes=Attributes(git=git, directory=attributes, differ=Helper(git, DIFFERENCE)),
            helper=merge_helper(blind, repository.version),
        ),
        signer=repository.signer,
    )
