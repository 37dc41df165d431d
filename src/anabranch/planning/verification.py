"""Whether a plan keeps the laws: pure checks that return what is violated, nothing if all is well.

They share no code with what makes plans, except the admission decision, which is the definition
of what limits allow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from anabranch.planning.admission import Request, Usage, ended, may_start, started
from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits
from anabranch.planning.schedule import Schedule
from anabranch.values import Location, Problem


def batch_violations(graph: CommandGraph, batches: Sequence[Sequence[int]]) -> list[Problem]:
    """Check batches that run one after the other, the commands of each beside each other.

    Returns:
        Commands that are missing, unknown, or there more than once; then commands whose
        dependencies are not all in earlier batches.

    >>> graph = CommandGraph.from_edges(2, [(0, 1)])
    >>> [problem.code for problem in batch_violations(graph, [[1], [0]])]
    ['too-early']
    """
    times = Counter(command for batch in batches for command in batch)
    place = {command: at for at, batch in enumerate(batches) for command in batch}
    problems = list(_miscounted(graph, times))
    for before, after in graph.edges:
        if before in place and after in place and place[before] >= place[after]:
            problems.append(_too_early(graph, before, after, Location(path=f"[{place[after]}]")))
    return problems


def schedule_violations(
    graph: CommandGraph,
    schedule: Schedule,
    *,
    limits: Limits | None = None,
    claims: Sequence[Sequence[Claim]] = (),
) -> list[Problem]:
    """Check a schedule against the graph it is for, and against limits.

    Returns:
        Starts before the end of a dependency; starts that the limits do not allow at that
        moment; a makespan or lower bound that is not what it says.
    """
    if not len(graph.names) == len(schedule.starts) == len(schedule.ends):
        return [_problem("wrong-size", "the schedule is of another graph", Location())]
    problems = [
        _too_early(graph, before, after, Location(path=f"starts[{after}]"))
        for before, after in graph.edges
        if schedule.starts[after] < schedule.ends[before]
    ]
    problems += _over_limits(graph, schedule, limits or Limits(), claims)
    problems += _wrong_sums(schedule)
    return problems


def _miscounted(graph: CommandGraph, times: Counter[int]) -> Iterator[Problem]:
    for command, count in sorted(times.items()):
        if not 0 <= command < len(graph.names):
            yield _problem("unknown-step", "no command has this index", Location(), str(command))
        elif count > 1:
            name = graph.names[command]
            yield _problem("twice", "a command is planned more than once", Location(), name)
    for command, name in enumerate(graph.names):
        if command not in times:
            yield _problem("missing", "a command is not planned", Location(), name)


def _over_limits(
    graph: CommandGraph, schedule: Schedule, limits: Limits, claims: Sequence[Sequence[Claim]]
) -> Iterator[Problem]:
    """Replay the schedule; at any moment what ends comes before what starts."""
    if limits.slots is None and not any(claims):
        return
    usage = Usage()
    for moment, _, command, begins in _events(schedule):
        if limits.slots is None and not claims[command]:
            continue
        if begins:
            request = Request(str(command), tuple(claims[command]) if claims else ())
            if not may_start(limits, usage, request.claims, moment):
                message = "a command starts when the limits do not allow it"
                where = Location(path=f"starts[{command}]")
                yield _problem("over-committed", message, where, graph.names[command])
            usage = started(limits, usage, request, moment)
        else:
            usage = ended(usage, str(command))


def _events(schedule: Schedule) -> list[tuple[timedelta, int, int, bool]]:
    """List starts and ends in the order that is kindest to the schedule.

    Of what happens at one moment the ends come first, then commands that take no time, each
    with its end, then the other starts.
    """
    found: list[tuple[timedelta, int, int, bool]] = []
    for command, (start, end) in enumerate(zip(schedule.starts, schedule.ends, strict=True)):
        instant = start >= end
        found.append((start, 1 if instant else 2, command, True))
        found.append((end, 1 if instant else 0, command, False))
    return sorted(found, key=lambda event: (event[:3], not event[3]))


def _wrong_sums(schedule: Schedule) -> Iterator[Problem]:
    for command, (start, end) in enumerate(zip(schedule.starts, schedule.ends, strict=True)):
        if end < start:
            message, where = "a command ends before it starts", Location(path=f"ends[{command}]")
            yield _problem("wrong-end", message, where, str(end))
    makespan = max(schedule.ends, default=timedelta())
    if schedule.makespan != makespan:
        message, where = "not when the last command ends", Location(path="makespan")
        yield _problem("wrong-makespan", message, where, str(schedule.makespan))
    if schedule.makespan < schedule.lower_bound:
        message, where = "the makespan is below it", Location(path="lower_bound")
        yield _problem("wrong-bound", message, where, str(schedule.lower_bound))


def _too_early(graph: CommandGraph, before: int, after: int, where: Location) -> Problem:
    return Problem(
        code="too-early",
        message="a command starts before one that it waits for has ended",
        where=where,
        value=graph.names[after],
        expected=f"after {graph.names[before]}",
    )


def _problem(code: str, message: str, where: Location, value: str | None = None) -> Problem:
    return Problem(code=code, message=message, where=where, value=value)
