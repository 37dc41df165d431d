"""Ways of making working trees, to be tested against each other."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from anabranch.environment import Oid
from anabranch.services.git.admin import entries
from anabranch.services.git.filling import Checkout, Copying, LayingOver, Template
from anabranch.services.git.overlays import overlay_problem
from anabranch.services.git.plain import PlainTrees
from anabranch.services.git.registry import Registry
from anabranch.services.git.slots import SlotTrees
from anabranch.services.git.trees import Order, Tree, Trees
from anabranch.services.git.workshop import Workshop
from tests.services.git.bench import Bench

KINDS = ("plain", "plain copies", "plain overlay", "slots", "slots copies", "slots overlay")

Picture: TypeAlias = dict[str, tuple[str, bytes]]
"""Kind and mode, and content, by path."""


@contextmanager
def trees_of(kind: str, bench: Bench) -> Generator[Trees]:
    repository = bench.repository
    if "overlay" in kind and overlay_problem(str(bench.repo.path.parent)) is not None:
        pytest.skip("mounting is not permitted")
    workshop = Workshop.of(repository, str(Path(repository.state, "runs", "r1")))
    registry = Registry(repository=repository, run="r1")
    checkout = Checkout(repository.trees)
    spread = LayingOver(registry.trash) if "overlay" in kind else Copying()
    fill = checkout if " " not in kind else Template(registry, checkout, spread)
    slots, plain = SlotTrees(registry, workshop.refs, fill), PlainTrees(registry, fill)
    trees: Trees = slots if "slots" in kind else plain
    try:
        yield trees
    finally:
        trees.close()
        for entry in list(entries(repository.common))[::-1]:
            if entry.reason is not None:
                registry.strike(Tree(path=entry.path, admin=entry.admin))
        workshop.close()


def order(bench: Bench, number: int = 0, branch: str | None = None) -> Order:
    return Order(name=f"agent-{number}", base=Oid(bench.repo.head), branch=branch)


def picture(top: str) -> Picture:
    """Everything in a tree but `.git`."""
    paths = (Path(above, name) for above, dirs, files in os.walk(top) for name in (*dirs, *files))
    return {str(path.relative_to(top)): _look(path) for path in paths if path.name != ".git"}


def _look(path: Path) -> tuple[str, bytes]:
    mode = path.lstat().st_mode
    content = b""
    if stat.S_ISLNK(mode):
        content = os.fsencode(path.readlink())
    elif stat.S_ISREG(mode):
        content = path.read_bytes()
    return stat.filemode(mode), content
