"""What the journal costs: a run with it and without it, the fold of many events, a status.

    python -m benchmarks.journal [directory] [steps]

The journal is written to the directory (by default a temporary one), so the first rows depend
on how long its disk takes to sync; a row of its own says how long.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from returns.result import Result, Success

from anabranch.environment import Environment, Journal, JournalError
from anabranch.interpreters import run_async
from anabranch.lifecycle import (
    CommandEnded,
    CommandStarted,
    Declared,
    Event,
    Merged,
    MergeStarted,
    Moved,
    Payload,
    RunCreated,
    RunMoved,
    SubjectKind,
    decode,
    encode,
    fold,
    verify,
)
from anabranch.program import Identity, program
from anabranch.services.journal import (
    ACTIVE,
    open_journal,
    read_segments,
    read_summary,
    write_views,
)
from anabranch.testing.mocks import mock_env
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow.builders import map_phase, map_reduce
from benchmarks._timing import show

STEPS = 10_000
PARALLEL = 16
EVENTS = 1_000_000


class NoJournal:
    """A journal that forgets at once."""

    async def append(
        self, *_: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        assert cause is None
        return Success(())


async def run_with(journal: Journal, steps: int) -> tuple[float, float]:
    """Run that many agents with one empty step each; wall-clock and CPU time in seconds."""
    items = json.dumps([{"id": number} for number in range(steps)])
    mock = mock_env(files={"items.json": items})
    env = Environment(
        worktrees=mock.worktrees,
        commands=mock.commands,
        merges=mock.merges,
        files=mock.files,
        journal=journal,
    )
    phase = map_phase("items.json", ["true"], max_parallel=PARALLEL)
    effect = program(map_reduce("empty", map=phase), Identity(run="r-1"))
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = await run_async(effect, env)
    assert outcome == Success(RunStatus.COMPLETED), outcome
    return time.perf_counter() - wall, time.process_time() - cpu


async def on_and_off(directory: Path, steps: int) -> None:
    off_wall, off_cpu = await run_with(NoJournal(), steps)
    async with AsyncExitStack() as stack:
        opened = open_journal(directory / "on", now=lambda: datetime.now(UTC))
        journal = await stack.enter_async_context(opened)
        on_wall, on_cpu = await run_with(journal, steps)
    show(f"{steps} empty steps, {PARALLEL} at a time, without a journal", f"{off_wall:.2f} s")
    show("  with it", f"{on_wall:.2f} s")
    show("  ratio", f"{on_wall / off_wall:.2f}", "3")
    show("  ratio of CPU time", f"{on_cpu / off_cpu:.2f}", "3")
    show("  one sync of this disk", f"{sync_of(directory) * 1000:.2f} ms")


def sync_of(directory: Path) -> float:
    descriptor = os.open(directory / "sync", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.perf_counter()
    for _ in range(100):
        os.write(descriptor, b"x" * 200)
        os.fsync(descriptor)
    os.close(descriptor)
    return (time.perf_counter() - began) / 100


def life_of_an_agent(name: str) -> Iterator[Payload]:
    to, step = StepStatus, f"{name}/step[0]"
    yield Declared(subject=name, kind=SubjectKind.AGENT, merges=True, item={"path": name})
    yield Declared(subject=step, parent=name)
    for subject in (name, step):
        yield Moved(subject=subject, to=to.QUEUED)
        yield Moved(subject=subject, to=to.RUNNING, attempt=1, worker="local-1")
    yield CommandStarted(subject=step, command="pytest -q")
    yield CommandEnded(subject=step, exit_code=0, duration=timedelta(seconds=1.25), tail="ok\n")
    yield Moved(subject=step, to=to.VALIDATING)
    yield Moved(subject=step, to=to.COMPLETED)
    yield Moved(subject=name, to=to.VALIDATING)
    yield MergeStarted(subject=name, source="c" * 40, target="run")
    yield Merged(subject=name, target="run", before="b" * 40, commit="d" * 40)
    yield Moved(subject=name, to=to.COMPLETED)


def history(length: int) -> list[Event]:
    def payloads() -> Iterator[Payload]:
        yield RunCreated(run="r-1", workflow="big", digest="d", limits={"agents": 1})
        yield RunMoved(to=RunStatus.RUNNING)
        for number in range(length // 14):
            yield from life_of_an_agent(f"agent-{number}")

    start = datetime(2026, 3, 14, 12, tzinfo=UTC)
    return [
        Event(number, start + timedelta(milliseconds=number), payload, number - 1 or None)
        for number, payload in enumerate(payloads(), start=1)
    ]


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def folds(events: list[Event]) -> None:
    show(f"fold of {len(events)} events", f"{timed(lambda: fold(events)):.2f} s", "3 s")
    some = events[:100_000]
    lines = [encode(event) for event in some]
    per_event = 1e6 / len(some)
    show("  encode, each", f"{timed(lambda: [encode(e) for e in some]) * per_event:.1f} µs")
    show("  decode, each", f"{timed(lambda: [decode(line) for line in lines]) * per_event:.1f} µs")
    show("  verify, each", f"{timed(lambda: verify(some)) * per_event:.1f} µs")


def statuses(directory: Path, events: list[Event]) -> None:
    (directory / ACTIVE).write_bytes(b"".join(encode(event) + b"\n" for event in events))
    write_views(directory, fold(events))
    read_summary(directory)
    show(f"status of a run of {len(events)} events", f"{timed_read(directory) * 1000:.1f} ms")
    reading = timed(lambda: fold(read_segments(directory).events))
    show("  from the journal alone", f"{reading * 1000:.0f} ms")


def timed_read(directory: Path) -> float:
    return min(timed(lambda: read_summary(directory)) for _ in range(5))


def main(directory: Path, steps: int) -> None:
    show("", "", "at most")
    asyncio.run(on_and_off(directory, steps))
    events = history(EVENTS)
    folds(events)
    statuses(directory, events[:100_000])


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=where) as scratch:
        main(Path(scratch), int(sys.argv[2]) if len(sys.argv) > 2 else STEPS)
