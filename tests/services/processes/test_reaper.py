"""What wardens promise beyond the survivors: status, leftovers, deaths among the helpers."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from anabranch.environment import CommandFault, Invocation
from anabranch.services.processes import (
    BestContainment,
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
    warden,
)
from anabranch.services.processes.sweep import living
from tests.services.processes.survivors import (
    alive,
    all_dead,
    family,
    hung_up,
    restless,
    whole_family,
)

pytestmark = pytest.mark.anyio


def sh(script: str, cwd: Path) -> Invocation:
    return Invocation(argv=("sh", "-c", script), cwd=str(cwd))


def bare_output(script: str, cwd: Path) -> str:
    """What a script prints when `subprocess` runs it."""
    argv = ["sh", "-c", script]
    environ, null = dict(os.environ), subprocess.DEVNULL
    return subprocess.check_output(argv, cwd=cwd, env=environ, stdin=null).decode()


def start(argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv)


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def children(pid: int) -> set[int]:
    return {child for child, parent, *_ in living() if parent == pid}


def helpers(before: set[int]) -> tuple[int, int]:
    """The keeper that was not there before, and its only warden."""
    (keeper,) = children(os.getpid()) - before
    (warden,) = children(keeper)
    assert ("anabranch-keep", "anabranch-ward") == (name_of(keeper), name_of(warden))
    return keeper, warden


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def copy_changed(source: str, target: str, old: str, new: str) -> None:
    Path(target).write_text(Path(source).read_text(encoding="utf-8").replace(old, new), "utf-8")


def left_behind(mark: str) -> str:
    """Leave a daemon behind that sleeps under a mark."""
    return f"setsid sh -c 'sleep {mark} >/dev/null 2>&1 &'"


async def test_the_exit_status_of_other_children_is_left_alone(tmp_path: Path) -> None:
    mine = start(["sh", "-c", "exit 7"])
    async with LocalCommands() as runner:
        for script in ("true &", left_behind("0.01"), "exit 3"):
            await runner.run(sh(script, tmp_path))
    assert 7 == await anyio.to_thread.run_sync(mine.wait)


async def test_no_descriptor_and_no_process_is_left_of_a_runner(tmp_path: Path) -> None:
    before = descriptors(), children(os.getpid())
    async with LocalCommands() as runner:
        for script in ("echo one", "exit 1", left_behind("1000"), "nonsense-program"):
            await runner.run(sh(script, tmp_path))
    assert before == (descriptors(), children(os.getpid()))


async def test_a_runner_that_nobody_holds_any_more_ends_its_helpers(tmp_path: Path) -> None:
    before = children(os.getpid())
    await LocalCommands().run(sh("true", tmp_path))
    assert before == children(os.getpid())


async def test_helpers_are_there_before_the_first_command() -> None:
    before = children(os.getpid())
    async with LocalCommands():
        assert 1 == len(children(os.getpid()) - before)
    assert before == children(os.getpid())


async def test_a_warden_serves_one_command_after_the_other(tmp_path: Path) -> None:
    async with LocalCommands() as runner:
        parents = {
            (await runner.run(sh("echo $PPID", tmp_path))).unwrap().stdout.text for _ in range(5)
        }
    assert 1 == len(parents)


async def test_what_is_left_behind_lives_until_its_directory_is_given_up(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "ab"
    with family(tmp_path) as (_, one), family(tmp_path) as (_, other):
        async with LocalCommands() as runner:
            for place, mark in ((here, one), (there, other)):
                place.mkdir()
                await runner.run(sh(left_behind(mark), place))
            assert (1, 1) == (len(alive(one)), len(alive(other)))
            await runner.end_within(str(here))
            assert (0, 1) == (len(alive(one)), len(alive(other)))
        assert 0 == len(alive(other))


async def test_what_is_left_behind_and_holds_the_output_open_is_not_waited_for(
    tmp_path: Path,
) -> None:
    with family(tmp_path) as (_, mark):
        async with LocalCommands() as runner:
            done = await runner.run(sh(f"echo begun; sleep {mark} &", tmp_path))
            assert 1 == len(alive(mark))
    assert b"begun\n" == done.unwrap().stdout.head


async def test_what_is_left_behind_is_told_that_nobody_reads_any_more(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    watch = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    prints = "(exec 3>alive; trap '' PIPE; while echo on; do :; done) 2>/dev/null &"
    async with LocalCommands() as runner:
        await runner.run(sh(prints, tmp_path))
        assert hung_up(watch)
    os.close(watch)


async def test_output_that_comes_just_after_the_exit_is_not_lost(tmp_path: Path) -> None:
    async with LocalCommands() as runner:
        done = await runner.run(sh("(sleep 0.1; echo late) & echo early", tmp_path))
    assert b"early\nlate\n" == done.unwrap().stdout.head


async def test_a_command_that_signals_its_whole_group_ends_only_itself(tmp_path: Path) -> None:
    async with LocalCommands() as runner:
        done = await runner.run(sh("kill -KILL 0", tmp_path))
        again = await runner.run(sh("echo on", tmp_path))
    assert -signal.SIGKILL == done.unwrap().exit_code
    assert b"on\n" == again.unwrap().stdout.head


@pytest.mark.parametrize("containment", [BestContainment, ReaperContainment])
async def test_when_the_warden_is_killed_its_command_goes_with_it_and_the_result_says_so(
    tmp_path: Path, containment: Callable[[], Containment]
) -> None:
    before = children(os.getpid())
    marks: list[set[int]] = []
    with family(tmp_path) as (invocation, mark):

        def kill_warden(_stream: str, _lines: Sequence[bytes]) -> None:
            marks.append(whole_family(mark))
            os.kill(helpers(before)[1], signal.SIGKILL)

        async with LocalCommands(containment=containment()) as runner:
            error = (await runner.run(invocation, kill_warden)).failure()
            assert all_dead(marks[0])
            assert b"on\n" == (await runner.run(sh("echo on", tmp_path))).unwrap().stdout.head
    assert CommandFault.EXIT is error.fault
    assert error.message.startswith("exit code unknown")


async def test_when_one_warden_is_killed_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "wardens").mkdir()
    script = "echo >wardens/$PPID; until test -e go; do sleep 0.01; done; echo on"
    printed = list[bytes]()

    async def kill_one() -> None:
        while len(wardens := list((tmp_path / "wardens").iterdir())) < 2:
            await anyio.lowlevel.checkpoint()
        os.kill(int(wardens[0].name), signal.SIGKILL)

    async with LocalCommands(containment=ReaperContainment()) as runner:

        async def run() -> None:
            done = await runner.run(sh(script, tmp_path))
            (tmp_path / "go").touch()
            printed.append(done.map(lambda output: output.stdout.head).value_or(b"lost"))

        async with anyio.create_task_group() as tasks:
            for each in (run, run, kill_one):
                tasks.start_soon(each)
    assert [b"lost", b"on\n"] == printed


async def test_when_the_warden_is_killed_what_is_hard_to_catch_goes_too(tmp_path: Path) -> None:
    before = children(os.getpid())
    with restless("chain", tmp_path) as (invocation, watch):

        def kill_warden(_stream: str, _lines: Sequence[bytes]) -> None:
            os.kill(helpers(before)[1], signal.SIGKILL)

        async with LocalCommands(containment=ReaperContainment()) as runner:
            await runner.run(invocation, kill_warden)
            assert hung_up(watch)


@pytest.mark.parametrize("way", ['os.listdir("/proc")', '"/proc/thread-self/children"'])
async def test_either_way_to_find_what_is_alive_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    helper = str(tmp_path / "warden.py")
    copy_changed(warden.__file__, helper, way, '""')
    monkeypatch.setattr(warden, "__file__", helper)
    runner = LocalCommands(containment=ReaperContainment())
    with family(tmp_path) as (invocation, mark):
        short = evolve(invocation, grace=timedelta(seconds=0.05))
        with anyio.CancelScope() as scope:
            await runner.run(short, lambda _stream, _lines: scope.cancel())
        assert set() == alive(mark)
    await runner.aclose()


JOIN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.setpgid(0, os.getpgid(os.getppid()))
print("in", flush=True)
signal.pause()
"""


async def test_a_command_that_joins_the_group_of_its_helper_is_ended_without_it(
    tmp_path: Path,
) -> None:
    before = children(os.getpid())
    joining = Invocation(
        argv=(sys.executable, "-c", JOIN), cwd=str(tmp_path), grace=timedelta(seconds=0.01)
    )
    async with LocalCommands(containment=ReaperContainment()) as runner:
        await runner.run(sh("true", tmp_path))
        found = helpers(before)
        with anyio.CancelScope() as scope:
            await runner.run(joining, lambda _stream, _lines: scope.cancel())
        assert (
            b"on\n" == (await runner.run(sh("sleep 0.05; echo on", tmp_path))).unwrap().stdout.head
        )
        assert found == helpers(before)


async def test_a_session_holds_one_helper_and_its_command(tmp_path: Path) -> None:
    async with LocalCommands(containment=ReaperContainment()) as runner:
        done = await runner.run(sh("echo $PPID; cut -d' ' -f6 /proc/$$/stat", tmp_path))
    helper, session = done.unwrap().stdout.text.split()
    assert helper == session


async def test_when_the_keeper_is_killed_commands_go_on_and_a_new_one_is_started(
    tmp_path: Path,
) -> None:
    before = children(os.getpid())

    def kill_keeper(_stream: str, lines: Sequence[bytes]) -> None:
        if b"begun" in lines:
            keeper, _ = helpers(before)
            os.kill(keeper, signal.SIGKILL)
            all_dead({keeper})

    async with LocalCommands() as runner:
        done = await runner.run(sh("echo begun; sleep 0.1; echo done", tmp_path), kill_keeper)
        again = await runner.run(sh("echo on", tmp_path))
    assert b"begun\ndone\n" == done.unwrap().stdout.head
    assert b"on\n" == again.unwrap().stdout.head


async def test_many_at_once_do_not_mix_up(tmp_path: Path) -> None:
    printed: dict[int, str] = {}
    async with LocalCommands() as runner, anyio.create_task_group() as tasks:

        async def one(number: int) -> None:
            done = await runner.run(sh(f"echo {number}; exit {number}", tmp_path))
            output = done.unwrap()
            printed[output.exit_code] = output.stdout.text.strip()

        for number in range(40):
            tasks.start_soon(one, number)
    assert {number: str(number) for number in range(40)} == printed


@pytest.mark.parametrize("containment", [GroupContainment, ReaperContainment])
async def test_a_process_finds_what_it_would_find_under_subprocess(
    tmp_path: Path, containment: type[GroupContainment | ReaperContainment]
) -> None:
    script = (
        "umask; pwd; ls /proc/$$/fd; ps -o tty= -p $$; readlink /proc/self/ns/pid; id; ulimit -a;"
        "env | grep -v ^ANABRANCH | sort; grep SigBlk /proc/self/status"
    )
    bare = bare_output(script, tmp_path)
    async with LocalCommands(containment=containment()) as runner:
        done = await runner.run(sh(script, tmp_path))
    assert bare == done.unwrap().stdout.text


async def test_signals_are_ignored_as_under_subprocess(tmp_path: Path) -> None:
    script = "grep SigIgn /proc/self/status"
    async with LocalCommands() as runner:
        done = await runner.run(sh(script, tmp_path))
    # `posix_spawn` of glibc leaves its two internal signals, 32 and 33, ignored; whoever started
    # the tests may have used it too.
    known = ~(0b11 << 31)
    ours = int(done.unwrap().stdout.text.split()[1], 16) & known
    assert int(bare_output(script, tmp_path).split()[1], 16) & known == ours


async def test_a_group_leader_can_be_signalled_by_its_own_number(tmp_path: Path) -> None:
    async with LocalCommands() as runner:
        done = await runner.run(sh("kill -TERM -$$; sleep 1000", tmp_path))
    assert -signal.SIGTERM == done.unwrap().exit_code


async def test_what_a_process_used_is_told(tmp_path: Path) -> None:
    argv = (sys.executable, "-I", "-S", "-c", "b'x' * 50_000_000; sum(range(1_000_000))")
    async with LocalCommands() as runner:
        output = (await runner.run(Invocation(argv=argv, cwd=str(tmp_path)))).unwrap()
    assert output.usage is not None
    assert output.usage.memory > 50_000_000
    assert output.usage.user.total_seconds() > 0


async def test_what_a_process_used_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    argv = (sys.executable, "-I", "-S", "-c", "b'x' * 200_000_000")
    async with LocalCommands() as runner:
        await runner.run(Invocation(argv=argv, cwd=str(tmp_path)))
        output = (await runner.run(sh("true", tmp_path))).unwrap()
    assert output.usage is not None
    assert output.usage.memory < 100_000_000


async def test_what_a_stranger_was_handed_writes_into_nobody_elses_output(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.bind(str(tmp_path / "stranger"))
        hand = "import socket; s = socket.socket(1, 2); s.connect('stranger'); print('mine')"
        script = f"{hand}; socket.send_fds(s, [b'-'], [1, 2])"
        argv = (sys.executable, "-I", "-c", script)
        async with LocalCommands() as runner:
            first = (await runner.run(Invocation(argv=argv, cwd=str(tmp_path)))).unwrap()
            _, fds, _, _ = socket.recv_fds(stranger, 1, 2)
            for fd in fds:
                with suppress(BrokenPipeError), os.fdopen(fd, "wb", buffering=0) as end:
                    end.write(b"strange")
            second = (await runner.run(sh("echo own", tmp_path))).unwrap()
    assert (b"mine\n", b"own\n", b"") == (
        first.stdout.head,
        second.stdout.head,
        second.stderr.head,
    )


async def test_a_request_larger_than_a_packet_arrives_whole(tmp_path: Path) -> None:
    env = {f"LARGE_{number}": f"{number}" * 10_000 for number in range(10)}
    async with LocalCommands() as runner:
        done = await runner.run(
            Invocation(argv=("printenv", *env), cwd=str(tmp_path), env=env, stdin=b"unread")
        )
    assert list(env.values()) == done.unwrap().stdout.text.split()


async def test_where_ends_of_pipes_cannot_be_opened_that_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = str(tmp_path / "warden.py")
    copy_changed(warden.__file__, helper, "/proc/self/fd", "/nowhere")
    monkeypatch.setattr(warden, "__file__", helper)
    containment = BestContainment()
    async with LocalCommands(containment=containment) as runner:
        done = await runner.run(sh("echo on", tmp_path))
    assert b"on\n" == done.unwrap().stdout.head
    assert "No such file or directory" in (containment.reason or "")


async def test_where_there_is_no_room_for_a_process_its_command_is_told_and_the_helpers_live_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper, limit = str(tmp_path / "warden.py"), errno.EAGAIN
    crowded = f"if not os.path.exists('{tmp_path}/room'): raise OSError({limit}, '')"
    fork = "            pid = os.fork()\n"
    copy_changed(warden.__file__, helper, fork, f"            {crowded}\n{fork}")
    monkeypatch.setattr(warden, "__file__", helper)
    async with LocalCommands(containment=ReaperContainment()) as runner:
        refused = (await runner.run(evolve(sh("true", tmp_path), stdin=b"unread"))).failure()
        assert "cannot run sh: Resource temporarily unavailable" == refused.message
        assert "too many processes: see `ulimit -u`" == refused.hint
        before = children(os.getpid())
        (tmp_path / "room").touch()
        done = await runner.run(sh("echo on", tmp_path))
        assert (b"on\n", before) == (done.unwrap().stdout.head, children(os.getpid()))


async def test_a_shortage_is_no_reason_to_contain_commands_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "no room")

    containment = BestContainment()
    runner = LocalCommands(containment=containment)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", crowded)
        refused = (await runner.run(sh("true", tmp_path))).failure()
    assert "cannot start a process: no room" == refused.message
    assert 0 == (await runner.run(sh("true", tmp_path))).unwrap().exit_code
    assert containment.reason is None
    await runner.aclose()


async def test_without_an_interpreter_for_the_helper_commands_run_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    containment = BestContainment()
    async with LocalCommands(containment=containment) as runner:
        done = await runner.run(sh("echo on", tmp_path))
    assert b"on\n" == done.unwrap().stdout.head
    assert "there is no Python interpreter to run a helper process with" == containment.reason


async def test_a_helper_that_does_not_start_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    containment = BestContainment()
    async with LocalCommands(containment=containment) as runner:
        await runner.run(sh("true", tmp_path))
    assert "the helper process did not start" == containment.reason


def test_a_copy_of_this_process_has_helpers_of_its_own(tmp_path: Path) -> None:
    script = Path(__file__).with_name("forking.py")
    # Less than the patience for helpers that do not end: a copy does not wait for another's.
    done = subprocess.check_output([sys.executable, str(script)], cwd=tmp_path, timeout=15)
    assert b"parent child parent" == done
