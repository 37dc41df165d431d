"""Planted bugs are found. All of them: `python -m benchmarks.mutants`."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import pytest

from benchmarks._mutants import MUTANTS, Mutant
from benchmarks.mutants import hunt, hunted

FEW: Final = [
    mutant
    for mutant in MUTANTS
    if mutant.name.startswith(("dependents run", "a release may", "two events"))
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_of_a_bug_that_can_be_planted_stands_once(mutant: Mutant) -> None:
    source = files("anabranch").joinpath(mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1


@pytest.mark.parametrize("mutant", FEW, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    runs, message = hunted(mutant)
    assert runs is not None, message


def test_without_a_bug_nothing_is_found() -> None:
    runs, message = hunt(seeds=3)
    assert runs is None, message
