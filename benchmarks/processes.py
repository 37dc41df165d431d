"""What running a process through anabranch costs over doing it bare.

    python -m benchmarks.processes [COMMANDS] [MEGABYTES]

Start: `true`, one after the other and 16 at once, in rounds that take turns; the least of the
rounds counts, since the machine is shared. There are two baselines, from threads where 16 run at
once: `subprocess.Popen` with no output taken in, and `subprocess.run` that captures both outputs,
which is what the others do.

Output: lines of 80 bytes through a listener and into a log file. The speed is that of this
process alone: bytes by its own processor time. Memory is the peak above the start, in a
process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import anyio
from returns.pipeline import is_successful

from anabranch.environment import Invocation
from anabranch.services.processes import (
    BestContainment,
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)

ROUNDS = 7
LINE = 80
TRUE = Invocation(argv=("true",), cwd="/")


def bare(_: int = 0) -> None:
    subprocess.Popen(["true"], cwd="/").wait()


def captured(_: int = 0) -> None:
    subprocess.run(["true"], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=True)


BASELINES: dict[str, Callable[[int], None]] = {
    "bare Popen": bare,
    "the same with capture": captured,
}


def bare_round(start: Callable[[int], None], commands: int, width: int) -> float:
    with ThreadPoolExecutor(width) as threads:
        list(threads.map(start, range(width)))
        began = time.perf_counter()
        list(threads.map(start, range(commands)))
        return (time.perf_counter() - began) / commands * 1000


async def round_of(runner: LocalCommands, commands: int, width: int) -> float:
    turns = iter(range(commands))

    async def worker() -> None:
        for _ in turns:
            assert is_successful(await runner.run(TRUE))

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(width):
            tasks.start_soon(worker)
    return (time.perf_counter() - began) / commands * 1000


async def starts(commands: int) -> None:
    kinds: dict[str, Containment] = {
        "sessions and groups": GroupContainment(),
        "subreapers": ReaperContainment(),
        "the best this machine permits": BestContainment(),
    }
    runners = {name: LocalCommands(containment=kind) for name, kind in kinds.items()}
    for width in (1, 16):
        times: dict[str, list[float]] = {}
        for runner in runners.values():
            await round_of(runner, 2 * width, width)
        for _ in range(ROUNDS):
            for name, start in BASELINES.items():
                times.setdefault(name, []).append(bare_round(start, commands, width))
            for name, runner in runners.items():
                times.setdefault(name, []).append(await round_of(runner, commands, width))
        show(width, times)
    for runner in runners.values():
        await runner.aclose()


def show(width: int, times: dict[str, list[float]]) -> None:
    print(f"start, {width} at once: ms a command (least; median), over each baseline (least)")
    for name, some in times.items():
        least = min(some)
        over = "".join(
            f"  {least - min(times[base]):+6.2f} x{least / min(times[base]):.2f}"
            for base in BASELINES
        )
        print(f"  {name:30} {least:6.2f} {median(some):6.2f} {over}")


def lines_file(folder: str, megabytes: int) -> Path:
    path = Path(folder, "lines")
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write((b"x" * (LINE - 1) + b"\n") * (1_000_000 // LINE))
    return path


def size_of(path: str) -> int:
    return Path(path).stat().st_size


async def output(megabytes: int) -> None:
    """Take a file's lines in, once to warm up, and say how fast and in how much memory."""
    heard = 0

    def listen(_stream: str, lines: Sequence[bytes]) -> None:
        nonlocal heard
        heard += len(lines)

    with tempfile.TemporaryDirectory() as folder:
        command = Invocation(argv=("cat", str(lines_file(folder, megabytes))), cwd=folder)
        async with LocalCommands(logs=f"{folder}/logs") as runner:
            await runner.run(TRUE, listen)
            before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
            done = (await runner.run(command, listen)).unwrap()
            wall = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_SELF)
        assert size_of(str(done.stdout.log)) == done.stdout.size
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size, memory = done.stdout.size / 1e6, (after.ru_maxrss - before.ru_maxrss) / 1024
    print(
        f"output: {size:.0f} MB in {heard} lines: {size / cpu:.0f} MB/s of processor time, ", end=""
    )
    print(f"{size / wall:.0f} MB/s of wall time, {memory:.1f} MiB above the start")


def main(commands: int = 100, megabytes: int = 100) -> None:
    for _ in range(3):
        subprocess.run(
            [sys.executable, "-m", "benchmarks.processes", "output", str(megabytes)], check=True
        )
    anyio.run(starts, commands)


if __name__ == "__main__":
    if sys.argv[1:2] == ["output"]:
        anyio.run(output, int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
