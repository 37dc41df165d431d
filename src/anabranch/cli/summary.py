"""How a run ended, for people and for programs: two renderings of one fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import asdict

from anabranch.lifecycle import Summary, Unsuccessful
from anabranch.values import Json, RunStatus, StepStatus, format_duration

_TOLD = 20
"""How many failures are told in full."""

_LINES = 12
"""How many lines of what a failed command printed are shown."""

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
    for failure in summary.failed[:_TOLD]:
        yield from _failure(failure)
        yield ""
    if len(summary.failed) > _TOLD:
        yield f"… and {len(summary.failed) - _TOLD} more that failed"
        yield ""


def _failure(failure: Unsuccessful) -> Iterator[str]:
    at = "" if failure.at == failure.subject else f" at {failure.at}"
    yield f"✗ {failure.label} ({failure.subject}{at}): {failure.message or failure.status.value}"
    for line in failure.tail.rstrip().splitlines()[-_LINES:]:
        yield f"    {line}"
    if failure.conflicts:
        yield f"    conflicts: {', '.join(failure.conflicts)}"
    if failure.session is not None:
        yield f"    session: {failure.session}"
    if failure.log is not None:
        yield f"    log: {failure.log}"


def _counts(summary: Summary) -> Iterator[str]:
    head = _HEADS.get(summary.status, summary.status.value)
    yield f"{summary.workflow}: {head} in {format_duration(summary.elapsed)} (run {summary.run})"
    if summary.agents:
        total = sum(summary.agents.values())
        done = summary.agents.get(StepStatus.COMPLETED, 0)
        failed = sum(summary.agents.get(s, 0) for s in (StepStatus.FAILED, StepStatus.TIMED_OUT))
        yield f"  agents: {total} in all, {done} done, {failed} failed, {summary.merged} merged"
    if summary.cost_usd or summary.input_tokens or summary.output_tokens:
        tokens = f"{summary.input_tokens:,} tokens in, {summary.output_tokens:,} out"
        yield f"  cost: ${summary.cost_usd:,.2f}, {tokens}"


def _result(summary: Summary, repo: str) -> Iterator[str]:
    delivered = summary.delivered
    at = "" if repo == "." else f" --repo {repo}"
    if summary.status is RunStatus.INTERRUPTED:
        yield "  result: nothing of yours was changed; what is done is kept"
        yield f"  next: anabranch resume {summary.run}{at}"
    elif delivered is None:
        yield "  result: nothing was changed"
    elif delivered.delivered:
        yield f"  result: on your branch, commit {delivered.commit[:12]}"
        there = "" if repo == "." else f"-C {repo} "
        yield f"  next: git {there}log --oneline -1 {delivered.commit[:12]}"
    else:
        yield f"  result: on branch {delivered.branch}, not on yours: {delivered.reason}"
        if delivered.hint:
            yield f"  next: {delivered.hint}"


def as_data(summary: Summary) -> dict[str, Json]:
    """The summary for programs; times in ISO 8601, durations in seconds."""
    data: dict[str, Json] = asdict(summary, value_serializer=plain)
    return data


def plain(_: Any, __: Any, value: Any) -> Any:
    """A value as JSON can say it: times in ISO 8601, durations in seconds."""
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    return value.isoformat() if hasattr(value, "isoformat") else value
