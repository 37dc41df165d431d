"""A graph of steps as plain facts, before anything is known to be right about it.

This is what `anabranch.planning.validation` looks at. It is neutral: whoever has steps of some
kind says what is so in these words. Nothing is refused here, so that everything can be reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from attrs import field, frozen

from anabranch.planning.resources import Claim, Limits
from anabranch.values import Json


class StepKind(StrEnum):
    """What a step is for, as far as the shape of the graph depends on it."""

    TASK = "task"
    CONDITION = "condition"
    AGGREGATOR = "aggregator"


@frozen(kw_only=True)
class StepNode:
    """One step.

    Attributes:
        name: what the other steps call it.
        depends_on: names of the steps that must come first; their outputs are its input.
        branches: of a condition, the steps that it chooses among.
        default: of a condition, the step that it chooses if no branch holds.
        uses: variables that it reads.
        sets: variables that it sets.
        takes: JSON Schema of what it accepts from each step that it depends on.
        gives: JSON Schema of its output.
        bounded_retry: whether its retries, if it has any, end by themselves.
        timeout: after this it is ended; `None` is no limit.
        limits: whatever it limits, by the name of the setting, such as `max_parallel`.
        claims: resources that it holds while it runs.
        path: where it stands in its document; `None` is `steps[n]`.
    """

    name: str
    kind: StepKind = StepKind.TASK
    depends_on: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    default: str | None = None
    uses: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    takes: Mapping[str, Json] | None = None
    gives: Mapping[str, Json] | None = None
    bounded_retry: bool = True
    timeout: timedelta | None = None
    limits: Mapping[str, int] = field(factory=dict[str, int])
    claims: tuple[Claim, ...] = ()
    path: str | None = None


@frozen(kw_only=True)
class StepGraph:
    """Steps, and what holds for all of them.

    Attributes:
        steps: in the order in which they were written.
        variables: those that have a value before any step runs.
        entries: names of the steps at which everything begins; `None` is every step that waits
            for nothing.
        results: names of the steps whose outcome is wanted; `None` is every step that nothing
            waits for.
        max_timeout: no step may have a longer timeout; `None` is no limit.
        limits: whatever is limited for all steps together, by the name of the setting.
        resources: what the claims are on.
    """

    steps: tuple[StepNode, ...]
    variables: frozenset[str] = frozenset()
    entries: frozenset[str] | None = None
    results: frozenset[str] | None = None
    max_timeout: timedelta | None = None
    limits: Mapping[str, int] = field(factory=dict[str, int])
    resources: Limits = field(factory=Limits)
