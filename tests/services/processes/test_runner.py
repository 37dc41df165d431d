from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from returns.result import Failure

from anabranch.environment import CommandFault, Invocation
from anabranch.services.processes import (
    GroupContainment,
    Limits,
    LocalCommands,
    ReaperContainment,
    pump,
)
from tests.services.processes.survivors import alive, family

pytestmark = pytest.mark.anyio
SOON = timedelta(seconds=0.2)


def sh(script: str, cwd: Path) -> Invocation:
    return Invocation(argv=("sh", "-c", script), cwd=str(cwd))


async def test_an_exit_code_and_both_outputs_come_back(tmp_path: Path) -> None:
    done = await LocalCommands().run(sh("echo out; echo err >&2; exit 3", tmp_path))
    output = done.unwrap()
    assert (3, b"out\n", b"err\n") == (output.exit_code, output.stdout.head, output.stderr.head)


async def test_a_death_by_signal_is_a_negative_exit_code(tmp_path: Path) -> None:
    done = await LocalCommands().run(sh("kill -KILL $$", tmp_path))
    assert -signal.SIGKILL == done.unwrap().exit_code


async def test_lines_reach_the_listener_without_their_ends_and_a_partial_last_one_too(
    tmp_path: Path,
) -> None:
    lines: list[tuple[str, bytes]] = []

    def listen(stream: str, some: Sequence[bytes]) -> None:
        lines.extend((stream, line) for line in some)

    await LocalCommands().run(sh(r"printf 'a\n\n\377\000b\r\nlast'", tmp_path), listen)
    expected = [b"a", b"", b"\xff\0b\r", b"last"]
    assert [("stdout", line) for line in expected] == lines


async def test_a_process_that_prints_nothing_wakes_the_event_loop_up_once_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []

    async def wait(fd: int) -> None:
        await anyio.wait_readable(fd)
        woken.append(fd)

    monkeypatch.setattr(pump, "wait_readable", wait)
    await LocalCommands(containment=GroupContainment()).run(sh("exec >&- 2>&-", tmp_path))
    assert len(woken) <= 1


async def test_a_stream_longer_than_its_limits_keeps_head_and_tail_and_the_log_keeps_all(
    tmp_path: Path,
) -> None:
    runner = LocalCommands(logs=str(tmp_path / "logs"), limits=Limits(head=10, tail=7))
    done = await runner.run(evolve(sh("seq 1 100000", tmp_path), label="agent-0/2"))
    out = done.unwrap().stdout
    whole = b"".join(b"%d\n" % n for n in range(1, 100001))
    assert (whole[:10], whole[-7:], len(whole)) == (out.head, out.tail, out.size)
    assert str(tmp_path / "logs/agent-0/2.stdout.log") == out.log
    assert whole == await anyio.Path(str(out.log)).read_bytes()


async def test_stdin_of_any_size_arrives_whole(tmp_path: Path) -> None:
    given = bytes(range(256)) * 4096
    done = await LocalCommands().run(Invocation(argv=("cat",), cwd=str(tmp_path), stdin=given))
    assert given == done.unwrap().stdout.head


async def test_a_command_that_does_not_read_its_stdin_is_no_failure(tmp_path: Path) -> None:
    done = await LocalCommands().run(
        evolve(sh("exec <&-; echo ok", tmp_path), stdin=b"x" * 1_000_000)
    )
    assert b"ok\n" == done.unwrap().stdout.head


async def test_without_stdin_the_input_is_empty_and_there_is_no_terminal(tmp_path: Path) -> None:
    done = await LocalCommands().run(sh("cat; test -t 0 || (: </dev/tty) || echo none", tmp_path))
    assert b"none\n" == done.unwrap().stdout.head


async def test_the_environment_is_built_on_the_inherited_one(tmp_path: Path) -> None:
    runner = LocalCommands(environ={"PATH": "/usr/bin:/bin", "A": "1", "B": "1"})
    done = await runner.run(evolve(sh('echo "$A$B$C"', tmp_path), env={"B": "2", "C": "3"}))
    assert b"123\n" == done.unwrap().stdout.head


@pytest.mark.parametrize(
    ("argv", "cwd", "fault", "said"),
    [
        (("no-such-program",), "", CommandFault.NOT_FOUND, "command not found: no-such-program"),
        (("./nothing",), "", CommandFault.NOT_FOUND, "command not found: ./nothing"),
        (("true",), "/no/such", CommandFault.NOT_STARTED, "no such directory: /no/such"),
        (("./plain",), "", CommandFault.NOT_STARTED, "Permission denied"),
        (("./orphan",), "", CommandFault.NOT_STARTED, "No such file"),
        (("echo", "a\0b"), "", CommandFault.NOT_STARTED, "null byte"),
        (("echo", "x" * 200_000), "", CommandFault.NOT_STARTED, "Argument list too long"),
        ((), "", CommandFault.NOT_STARTED, "no program"),
        (("", "x"), "", CommandFault.NOT_STARTED, "no program"),
    ],
)
async def test_what_cannot_be_started_says_why(
    tmp_path: Path, argv: tuple[str, ...], cwd: str, fault: CommandFault, said: str
) -> None:
    (tmp_path / "plain").write_text("echo hi")
    (tmp_path / "orphan").write_text("#!/no/such/interpreter\n")
    (tmp_path / "orphan").chmod(0o755)
    done = await LocalCommands().run(Invocation(argv=argv, cwd=cwd or str(tmp_path)))
    assert isinstance(done, Failure)
    assert fault is done.failure().fault
    assert said in done.failure().message


async def test_a_timeout_ends_the_tree_and_tells_what_was_printed(tmp_path: Path) -> None:
    done = await LocalCommands().run(
        evolve(sh("echo begun; sleep 1000 & sleep 1000", tmp_path), timeout=SOON)
    )
    error = done.failure()
    assert (CommandFault.TIMED_OUT, "timed out after 200ms: sh") == (error.fault, error.message)
    assert error.output is not None
    assert b"begun\n" == error.output.stdout.head


async def test_what_ignores_the_request_to_end_is_killed_after_the_grace(tmp_path: Path) -> None:
    done = await LocalCommands().run(
        evolve(
            sh("trap '' TERM; echo begun; while :; do sleep 1; done", tmp_path),
            timeout=SOON,
            grace=timedelta(seconds=0.1),
        )
    )
    output = done.failure().output
    assert output is not None
    assert -signal.SIGKILL == output.exit_code


async def test_within_the_grace_a_command_may_tidy_up(tmp_path: Path) -> None:
    script = "trap 'echo tidy; exit 0' TERM; echo begun; while :; do sleep 0.01; done"
    done = await LocalCommands().run(evolve(sh(script, tmp_path), timeout=SOON))
    output = done.failure().output
    assert output is not None
    assert b"begun\ntidy\n" == output.stdout.head


async def test_cancellation_ends_the_tree_before_it_is_seen(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    with anyio.CancelScope() as scope:
        await LocalCommands().run(
            sh(f"mkfifo {fifo}; exec 3<>{fifo}; echo begun; sleep 1000", tmp_path),
            lambda _stream, _lines: scope.cancel(),
        )
    assert scope.cancelled_caught


async def test_a_defect_in_the_listener_ends_the_tree_and_propagates(tmp_path: Path) -> None:
    def listen(_stream: str, _lines: Sequence[bytes]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await LocalCommands().run(sh("echo begun; sleep 1000", tmp_path), listen)


@pytest.mark.parametrize("containment", [GroupContainment, ReaperContainment])
@pytest.mark.parametrize("script", ["true", "echo on; sleep 0.05"])
async def test_without_a_free_descriptor_a_command_is_not_run_and_none_is_lost(
    tmp_path: Path, containment: type[GroupContainment | ReaperContainment], script: str
) -> None:
    async with LocalCommands(containment=containment()) as runner:
        await runner.run(sh(script, tmp_path))
        held, before = all_descriptors(), descriptors()
        for _ in range(12):
            with few_descriptors():
                done = await runner.run(sh(script, tmp_path))
            os.close(held.pop())
            if isinstance(done, Failure):
                assert done.failure().message.endswith(": Too many open files")
        assert 0 == (await runner.run(sh(script, tmp_path))).unwrap().exit_code
        assert before - 12 >= descriptors()
        for each in held:
            os.close(each)


def descriptors() -> int:
    """How many there are."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a path is no descriptor)


def all_descriptors() -> list[int]:
    """Take every descriptor there is."""
    held: list[int] = []
    with few_descriptors(), suppress(OSError):
        while True:
            held.append(os.dup(0))
    return held


@contextmanager
def few_descriptors() -> Generator[None]:
    """Let this process have no more than 200."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("containment", [GroupContainment, ReaperContainment])
async def test_an_impatient_end_by_asyncio_itself_leaves_nothing(
    tmp_path: Path,
    containment: type[GroupContainment | ReaperContainment],
    anyio_backend_name: str,
) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("a matter of asyncio")
    with family(tmp_path) as (invocation, mark):
        async with LocalCommands(containment=containment()) as runner:

            def cancel_twice(_stream: str, _lines: Sequence[bytes]) -> None:
                task.cancel()
                asyncio.get_running_loop().call_soon(task.cancel)

            task = asyncio.create_task(runner.run(invocation, cancel_twice))
            with suppress(asyncio.CancelledError):
                await task
        assert len(alive(mark)) <= (1 if containment is GroupContainment else 0)
