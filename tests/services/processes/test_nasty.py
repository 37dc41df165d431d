"""Processes that misbehave, under a helper's care and without one."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from anabranch.environment import CommandFault, Invocation
from anabranch.services.processes import (
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)
from anabranch.values import LONGEST_LINE

pytestmark = pytest.mark.anyio

CONTAINMENTS: dict[str, Callable[[], Containment]] = {
    "reaper": ReaperContainment,
    "group": GroupContainment,
}
MEBI = 1 << 20
LONG = 40 * MEBI


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what differs between them, the laws of commands go through."""
    return "asyncio"


@pytest.fixture(params=CONTAINMENTS)
async def runner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[LocalCommands]:
    containment = CONTAINMENTS[request.param]()
    async with LocalCommands(logs=str(tmp_path / "logs"), containment=containment) as commands:
        yield commands


def sh(script: str, cwd: Path) -> Invocation:
    return Invocation(argv=("sh", "-c", script), cwd=str(cwd))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a path is no descriptor)


async def test_a_stream_without_a_line_break_comes_in_pieces_and_nothing_is_lost(
    tmp_path: Path, runner: LocalCommands
) -> None:
    sizes: list[int] = []

    def listen(_stream: str, lines: Sequence[bytes]) -> None:
        sizes.extend(map(len, lines))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = await runner.run(sh(f"head -c {LONG} /dev/zero", tmp_path), listen)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    out = done.unwrap().stdout
    assert (LONG, LONG) == (out.size, sum(sizes))
    assert LONGEST_LINE + MEBI >= max(sizes)
    assert LONG == (await anyio.Path(str(out.log)).stat()).st_size
    assert 32 * 1024 >= grown, "kibibytes"


async def test_a_flood_on_both_streams_is_taken_in_and_kept_apart(
    tmp_path: Path, runner: LocalCommands
) -> None:
    script = "(yes err | head -c 3000000 >&2) & yes out | head -c 3000000; wait"
    output = (await runner.run(sh(script, tmp_path))).unwrap()
    assert (3_000_000, 3_000_000) == (output.stdout.size, output.stderr.size)
    assert {b"out"} == set(output.stdout.head.split(b"\n")[:-1])
    assert {b"err"} == set(output.stderr.head.split(b"\n")[:-1])


async def test_what_cannot_be_decoded_is_visible_and_no_failure(
    tmp_path: Path, runner: LocalCommands
) -> None:
    output = (await runner.run(sh(r"printf 'a\000\377\302b'", tmp_path))).unwrap()
    assert "a\0\\xff\\xc2b" == output.stdout.text


async def test_a_process_that_closes_its_outputs_is_waited_for_all_the_same(
    tmp_path: Path, runner: LocalCommands
) -> None:
    script = "exec >&- 2>&-; while [ ! -e go ]; do sleep 0.01; done; exit 7"

    async def let_go() -> None:
        (tmp_path / "go").touch()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(let_go)
        assert 7 == (await runner.run(sh(script, tmp_path))).unwrap().exit_code


async def test_a_descendant_that_floods_after_the_end_keeps_nobody_waiting(
    tmp_path: Path, runner: LocalCommands
) -> None:
    output = (await runner.run(sh("yes & echo $!; exit 5", tmp_path))).unwrap()
    assert 5 == output.exit_code
    assert timedelta(seconds=20) > output.duration


async def test_a_process_that_reads_only_the_beginning_of_its_input_is_no_failure(
    tmp_path: Path, runner: LocalCommands
) -> None:
    given = evolve(sh("head -c 3", tmp_path), stdin=b"abc" * MEBI)
    assert b"abc" == (await runner.run(given)).unwrap().stdout.head


async def test_hundreds_of_processes_leave_no_descriptor_behind(
    tmp_path: Path, runner: LocalCommands
) -> None:
    turns = iter(range(300))
    assert 0 == (await runner.run(Invocation(argv=("true",), cwd="/"))).unwrap().exit_code

    async def worker() -> None:
        for _ in turns:
            done = await runner.run(Invocation(argv=("true",), cwd=str(tmp_path)))
            assert 0 == done.unwrap().exit_code

    before = open_files()
    await worker_group(worker, 8)
    assert 8 * 3 + before >= open_files(), "a line to a helper for each that ran at once, at most"


async def worker_group(worker: Callable[[], Coroutine[object, object, None]], count: int) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(worker)


async def test_arguments_and_environment_may_be_any_bytes(
    tmp_path: Path, runner: LocalCommands
) -> None:
    odd = os.fsdecode(b"\xff\xfe 'x'\n")
    asked = Invocation(
        argv=("sh", "-c", 'printf %s "$1$ODD"', "sh", odd), cwd=str(tmp_path), env={"ODD": odd}
    )
    assert b"\xff\xfe 'x'\n" * 2 == (await runner.run(asked)).unwrap().stdout.head


async def test_a_directory_of_any_name_can_be_worked_in(
    tmp_path: Path, runner: LocalCommands
) -> None:
    place = tmp_path / os.fsdecode(b"-\xff \n$(x)")
    place.mkdir()
    done = await runner.run(Invocation(argv=("ls", "-d", "."), cwd=str(place)))
    assert b".\n" == done.unwrap().stdout.head


async def test_a_directory_that_vanishes_under_a_process_is_its_own_affair(
    tmp_path: Path, runner: LocalCommands
) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    done = await runner.run(sh('rmdir "$PWD"; echo still here', place))
    assert b"still here\n" == done.unwrap().stdout.head
    again = await runner.run(sh("true", place))
    assert f"no such directory: {place}" == again.failure().message


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("text", "cannot run ./text: Exec format error", "#!/bin/sh"),
        ("folder", "cannot run ./folder: it is a directory", None),
        ("forbidden", "cannot run ./forbidden: Permission denied", "chmod +x"),
    ],
)
async def test_what_is_no_program_is_told_as_what_it_is(
    tmp_path: Path, runner: LocalCommands, name: str, message: str, hint: str | None
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("echo hi\n")
    (tmp_path / "text").chmod(0o755)
    (tmp_path / "forbidden").write_text("#!/bin/sh\n")
    error = (await runner.run(Invocation(argv=(f"./{name}",), cwd=str(tmp_path)))).failure()
    assert (CommandFault.NOT_STARTED, message) == (error.fault, error.message)
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize("name", ["", "a=b"])
async def test_what_is_no_name_of_a_variable_is_refused(
    tmp_path: Path, runner: LocalCommands, name: str
) -> None:
    error = (await runner.run(evolve(sh("true", tmp_path), env={name: "x"}))).failure()
    assert "cannot run: illegal environment variable name" == error.message


async def test_an_environment_that_is_too_large_is_told_with_its_remedy(
    tmp_path: Path, runner: LocalCommands
) -> None:
    env = {f"V{n}": "x" * 120_000 for n in range(40)}
    error = (await runner.run(evolve(sh("true", tmp_path), env=env))).failure()
    assert CommandFault.NOT_STARTED is error.fault
    assert "too long" in error.message
    assert "stdin" in (error.hint or "")


async def test_a_log_directory_that_is_gone_costs_the_log_and_not_the_command(
    tmp_path: Path, runner: LocalCommands
) -> None:
    (tmp_path / "logs").write_text("in the way")
    output = (await runner.run(sh("echo hi", tmp_path))).unwrap()
    assert (b"hi\n", None) == (output.stdout.head, output.stdout.log)
    shutil.rmtree(tmp_path / "logs", ignore_errors=True)
