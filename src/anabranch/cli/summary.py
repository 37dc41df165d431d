"""How a run ended, for people and for programs: two renderings of one fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from shlex import quote
from typing import Any

from attrs import asdict

from anabranch.cli.output import format_size
from anabranch.lifecycle import (
    RUN_TERMINAL,
    Running,
    StopReason,
    Summary,
    Unsuccessful,
    by_signature,
)
from anabranch.values import Json, RunStatus, StepStatus, format_duration, indented

_TOLD = 20
"""How many kinds of failure are told."""

_ALIKE = 5
"""How many of those that failed alike are named."""

_LINES = 12
"""How many lines of what a failed command printed are shown."""

_WORTH_TELLING = timedelta(seconds=1)
"""What commands used of processors is told from here on."""

_LIMITS = (StopReason.FAILURE, StopReason.LIMIT)
"""Why a run stops early that nobody told to."""

_HEADS = {
    RunStatus.COMPLETED: "done",
    RunStatus.PARTIAL: "done, with failures",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.INTERRUPTED: "interrupted",
}


def as_text(summary: Summary, repo: str = ".") -> str:
    """The summary that a person reads: what failed, the counts, where the result is."""
    return "\n".join([*_failures(summary), *_counts(summary), *_result(summary, repo)])


def _failures(summary: Summary) -> Iterator[str]:
    """Those that failed alike are told once."""
    kinds = tuple(by_signature(summary.failed).values())
    for alike in kinds[:_TOLD]:
        yield from _failure(alike)
        yield ""
    if left := sum(map(len, kinds[_TOLD:])):
        yield f"… and {left} more that failed"
        yield ""


def _failure(alike: Sequence[Unsuccessful]) -> Iterator[str]:
    first, *others = alike
    at = "" if first.at == first.subject else f" at {first.at}"
    yield f"✗ {first.label} ({first.subject}{at}): {indented(first.message or first.status.value)}"
    said = "" if first.tail.strip() in (first.message or "") else first.tail
    for line in said.rstrip().splitlines()[-_LINES:]:
        yield f"    {line}"
    if first.conflicts:
        yield f"    conflicts: {', '.join(first.conflicts)}"
    if first.branch is not None:
        yield f"    its work is on branch {first.branch}"
    if first.session is not None:
        yield f"    session: {first.session}"
    if first.log is not None:
        yield f"    log: {first.log}"
    if others:
        named = ", ".join(f"{each.label} ({each.subject})" for each in others[:_ALIKE])
        left = f" and {len(others) - _ALIKE} more" if len(others) > _ALIKE else ""
        yield f"  {len(others)} more failed alike: {named}{left}"


def _counts(summary: Summary) -> Iterator[str]:
    head = _HEADS.get(summary.status, f"{summary.status.value},")
    yield f"{summary.workflow}: {head} in {format_duration(summary.elapsed)} (run {summary.run})"
    if summary.stop is not None and summary.stop.reason in _LIMITS:
        yield f"  {summary.stop.message or 'stopped early'}"
    if summary.agents:
        yield f"  agents: {_agents(summary)}"
    elif summary.status is RunStatus.COMPLETED:
        yield "  agents: none, there was no item to work on"
    if summary.processor >= _WORTH_TELLING:
        peak = f"the largest process took {format_size(summary.memory_bytes)}"
        yield f"  commands: {format_duration(summary.processor)} of processor time, {peak}"
    if summary.cost_usd:
        tokens = f"{summary.input_tokens:,} tokens in, {summary.output_tokens:,} out"
        yield f"  cost: ${summary.cost_usd:,.2f}, {tokens}"
    elif summary.input_tokens or summary.output_tokens:
        yield f"  tokens: {summary.input_tokens:,} in, {summary.output_tokens:,} out"


def _agents(summary: Summary) -> str:
    """How many agents there are, and how they stand; what nothing is to be said of is left out."""
    of = summary.agents
    failed = sum(of.get(status, 0) for status in (StepStatus.FAILED, StepStatus.TIMED_OUT))
    counts = f"{sum(of.values())} in all, {of.get(StepStatus.COMPLETED, 0)} done, {failed} failed"
    others = [
        (summary.merged, "merged"),
        (of.get(StepStatus.VALIDATING, 0), "ready to be merged"),
        (of.get(StepStatus.SKIPPED, 0), "skipped"),
        (of.get(StepStatus.CANCELLED, 0), "cancelled"),
    ]
    told = [f"{count} {what}" for count, what in others if count or what == "merged"]
    return ", ".join([counts, *told])


def _result(summary: Summary, repo: str) -> Iterator[str]:
    """Where the result is, and what to type next."""
    delivered = summary.delivered
    next_commands = summary.next_commands
    if summary.status is RunStatus.INTERRUPTED:
        yield f"  result: {_interrupted(summary)}"
    elif delivered is None and summary.status not in RUN_TERMINAL:
        pass
    elif delivered is None or delivered.commit == summary.base:
        yield "  result: nothing was changed"
    elif delivered.delivered:
        where = "on your branch" if delivered.branch is None else "in your checkout"
        yield f"  result: {where}, commit {delivered.commit[:12]}"
        next_commands = next_commands or (f"git log --oneline -1 {delivered.commit[:12]}",)
    else:
        yield f"  result: on branch {delivered.branch}, not on yours: {indented(delivered.reason or '')}"
    yield from (f"  next: {in_repository(command, repo)}" for command in next_commands)


def _interrupted(summary: Summary) -> str:
    """What an interrupted run did to what is the user's."""
    if summary.delivering:
        return "its delivery was under way, your checkout may be half way; resume finishes it"
    return "nothing of yours was changed; what is done is kept"


def doing(running: Running) -> str | None:
    """What is at work inside of something, or which command, unless that is how it is called."""
    return running.step or (running.command if running.command != running.label else None)


def in_repository(command: str, repo: str) -> str:
    """A command to type, which means the same repository from where the user is.

    >>> in_repository("git merge result", "my project")
    "git -C 'my project' merge result"
    """
    program, _, rest = command.partition(" ")
    if repo == "." or rest.startswith("-C "):
        return command
    match program:
        case "anabranch":
            return f"{command} --repo {quote(repo)}"
        case "git":
            return f"git -C {quote(repo)} {rest}"
        case _:
            return command


def as_data(summary: Summary) -> dict[str, Json]:
    """The summary for programs; times in ISO 8601, durations in seconds."""
    data: dict[str, Json] = asdict(summary, value_serializer=plain)
    return data


def plain(_: Any, __: Any, value: Any) -> Any:
    """A value as JSON can say it: times in ISO 8601, durations in seconds."""
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    return value.isoformat() if hasattr(value, "isoformat") else value
