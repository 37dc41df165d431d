from __future__ import annotations

from anabranch.cli.cancel import told
from anabranch.engine import Cancellation
from anabranch.lifecycle import fold


def lines(branches: int) -> list[str]:
    names = tuple(f"anabranch/r1/agent-{number}" for number in range(branches))
    return list(told("r1", ".", Cancellation(state=fold(()), ended=None, branches=names)))


def test_of_many_branches_that_are_kept_a_few_are_named_and_how_to_list_them() -> None:
    *named, more, listing = lines(8)
    assert 1 + 2 * 5 == len(named)
    assert ("  kept: 3 more such branches", "  next: git branch --list 'anabranch/r1/*'") == (
        more,
        listing,
    )


def test_branches_that_are_kept_are_all_named_if_they_are_few() -> None:
    assert 1 + 2 * 5 == len(lines(5))
    assert ["  nothing is left of it but its journal and its logs"] == lines(0)[1:]
