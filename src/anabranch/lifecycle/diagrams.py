"""Diagrams of the state machines, generated from the transition tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


def mermaid(table: Mapping[S, frozenset[S]]) -> str:
    """A transition table as a Mermaid state diagram.

    The first row is where life begins; rows without exits are where it ends. Rows and exits
    come in the order in which the statuses are defined, so the text is always the same.

    >>> from anabranch.lifecycle.transitions import RUN_TRANSITIONS
    >>> mermaid(RUN_TRANSITIONS).splitlines()[:3]
    ['stateDiagram-v2', '    [*] --> pending', '    pending --> running']
    """
    return "\n".join(["stateDiagram-v2", *(f"    {line}" for line in _lines(table))])


def _lines(table: Mapping[S, frozenset[S]]) -> Iterator[str]:
    yield f"[*] --> {next(iter(table))}"
    for status, exits in table.items():
        if not exits:
            yield f"{status} --> [*]"
        yield from (f"{status} --> {to}" for to in table if to in exits)
