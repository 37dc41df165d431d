"""Names that steps use to depend on each other: who is meant, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from anabranch.planning.digraph import elementary_cycles, reversed_edges
from anabranch.values import Location, Problem, did_you_mean

_CYCLES_SHOWN: Final = 20


def first_index(names: Sequence[str]) -> dict[str, int]:
    """Say where each name stands first."""
    return {name: at for at, name in reversed(list(enumerate(names)))}


def resolved(names: Sequence[str], depends_on: Sequence[Sequence[str]]) -> list[list[int]]:
    """Replace the names by indices, each once and ascending; unknown names and self-loops go.

    >>> resolved(["a", "b"], [[], ["a", "a", "b", "c"]])
    [[], [0]]
    """
    index = first_index(names)
    return [
        sorted({index[name] for name in wanted if name in index} - {at})
        for at, wanted in enumerate(depends_on)
    ]


def name_problems(
    names: Sequence[str], depends_on: Sequence[Sequence[str]], place: Callable[[int], str]
) -> list[Problem]:
    """Check who depends on whom, by name; cycles are for `cycle_problems`.

    Args:
        names: what the steps are called, in their order.
        depends_on: for each of them, the names it waits for.
        place: the path of the step with an index, such as `steps[3]`.

    Returns:
        Every duplicate name, then unknown names, self-loops and duplicate edges by step.
    """
    index = first_index(names)
    problems = list(_duplicate_names(names, index, place))
    for at, wanted in enumerate(depends_on):
        where = Location(path=f"{place(at)}.depends_on")
        problems += _edge_problems(index, at, wanted, where)
    return problems


def cycle_problems(names: Sequence[str], waits: Sequence[Sequence[int]]) -> list[Problem]:
    """Name every step that waits for itself, then the steps of every cycle, in waiting order.

    Of the cycles that visit no step twice there may be exponentially many: the first 20 are
    listed, at least one for every group of steps that wait for each other while the list lasts.
    """
    cycles = elementary_cycles(reversed_edges(waits), _CYCLES_SHOWN + 1)
    problems = [_self_loop(names[at], Location()) for at, on in enumerate(waits) if at in on]
    problems += [_cycle(names, cycle) for cycle in cycles[:_CYCLES_SHOWN]]
    if len(cycles) > _CYCLES_SHOWN:
        message = f"there are more than {_CYCLES_SHOWN} cycles, the others are not listed"
        problems.append(Problem(code="more-cycles", message=message))
    return problems


def _duplicate_names(
    names: Sequence[str], index: Mapping[str, int], place: Callable[[int], str]
) -> Iterator[Problem]:
    for at, name in enumerate(names):
        if index[name] != at:
            yield Problem(
                code="duplicate-name",
                message="two steps have the same name",
                where=Location(path=place(at)),
                value=name,
                expected=f"a name that {place(index[name])} does not have",
            )


def _edge_problems(
    index: Mapping[str, int], at: int, wanted: Sequence[str], where: Location
) -> Iterator[Problem]:
    for name, times in Counter(wanted).items():
        if name not in index:
            message, hint = "no step has this name", did_you_mean(name, index)
            yield Problem(code="unknown-step", message=message, where=where, value=name, hint=hint)
        elif index[name] == at:
            yield _self_loop(name, where)
        if times > 1:
            message = "a step is named more than once"
            yield Problem(code="duplicate-edge", message=message, where=where, value=name)


def unknown_step(name: str, known: Iterable[str], where: Location) -> Problem:
    """Report a name that no step has."""
    return Problem(
        code="unknown-step",
        message="no step has this name",
        where=where,
        value=name,
        hint=did_you_mean(name, known),
    )


def _self_loop(name: str, where: Location) -> Problem:
    return Problem(code="self-loop", message="a step waits for itself", where=where, value=name)


def _cycle(names: Sequence[str], cycle: Sequence[int]) -> Problem:
    story = " -> ".join(names[at] for at in [*cycle, cycle[0]])
    return Problem(
        code="cycle",
        message="these steps wait for each other",
        value=story,
        hint="take one of these dependencies out",
    )
