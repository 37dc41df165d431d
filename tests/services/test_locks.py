from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Result, Success

from anabranch.services.locks import (
    FileLock,
    LockError,
    LockFault,
    acquire,
    owner_of,
)
from anabranch.services.owners import Life, Owner, life_of, this_process, write_owner

HOLDER = """
import sys
from pathlib import Path
from anabranch.services.locks import acquire
lock = acquire(Path(sys.argv[1])).unwrap()
print("held", flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert b"held\n" == process.stdout.readline()
    return process


def fault(outcome: Result[FileLock, LockError]) -> LockFault:
    return outcome.failure().fault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.lock"


def test_a_free_lock_is_granted_and_signed(path: Path) -> None:
    with acquire(path).unwrap():
        assert this_process() == owner_of(path)


def test_a_released_lock_leaves_nothing_behind(path: Path) -> None:
    with acquire(path).unwrap() as lock:
        pass
    lock.release()
    assert [] == list(path.parent.iterdir())


def test_a_lock_is_not_granted_twice_even_to_the_same_process(path: Path) -> None:
    with acquire(path).unwrap():
        assert LockFault.HELD == fault(acquire(path))
    assert isinstance(acquire(path), Success)


def test_the_lock_of_a_living_process_is_refused_and_names_it(path: Path) -> None:
    with holder(path) as other:
        error = acquire(path).failure()
        assert error.owner is not None
        assert (LockFault.HELD, other.pid) == (error.fault, error.owner.pid)
        other.communicate()


def test_the_lock_of_a_killed_process_is_taken_over(path: Path) -> None:
    with holder(path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with acquire(path).unwrap():
            assert this_process() == owner_of(path)


def test_the_lock_of_a_zombie_is_taken_over(path: Path) -> None:
    with holder(path) as other:
        signed = owner_of(path)
        assert signed is not None
        other.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert Life.DEAD == life_of(signed)
        acquire(path).unwrap().release()


def test_a_signature_of_a_living_process_counts_without_the_kernel(path: Path) -> None:
    path.write_bytes(write_owner(this_process()))
    assert LockFault.HELD == fault(acquire(path))


@pytest.mark.parametrize(
    "dead",
    [
        evolve(this_process(), started="1"),
        evolve(this_process(), boot="an earlier one"),
        evolve(this_process(), pid=2**30),
    ],
)
def test_a_signature_of_a_dead_process_does_not_count(path: Path, dead: Owner) -> None:
    path.write_bytes(write_owner(dead))
    assert isinstance(acquire(path), Success)


def test_a_process_that_died_while_it_started_another_lets_go_in_a_moment(path: Path) -> None:
    path.write_bytes(write_owner(evolve(this_process(), started="1")))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        begun = subprocess.Popen(["sleep", "0.05"], pass_fds=[file.fileno()])
    with begun, acquire(path).unwrap():
        assert 0 == begun.wait()


def test_a_lock_that_is_given_back_while_another_takes_it_is_taken_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with acquire(path).unwrap():
        assert this_process() == owner_of(path)
        assert LockFault.HELD == fault(acquire(path))


def test_a_new_signature_replaces_a_longer_one(path: Path) -> None:
    path.write_bytes(write_owner(evolve(this_process(), host="h" * 90, started="1")))
    with acquire(path).unwrap():
        assert this_process() == owner_of(path)


def test_a_machine_that_changed_its_name_is_the_same_machine(path: Path) -> None:
    path.write_bytes(write_owner(evolve(this_process(), host="elsewhere")))
    assert LockFault.HELD == fault(acquire(path))


def test_a_lock_from_another_machine_is_left_alone_with_advice(path: Path) -> None:
    path.write_bytes(write_owner(evolve(this_process(), host="elsewhere", boot="another")))
    error = acquire(path).failure()
    assert LockFault.ELSEWHERE == error.fault
    assert f"if that process has ended, remove `{path}`" == error.hint


def test_a_lock_that_was_signed_halfway_is_free(path: Path) -> None:
    signature = write_owner(this_process())
    for length in range(len(signature) - 1):
        path.write_bytes(signature[:length])
        acquire(path).unwrap().release()


def test_a_directory_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    error = acquire(tmp_path / "nowhere" / "run.lock").failure()
    assert LockFault.UNAVAILABLE == error.fault
    assert "No such file or directory" in str(error)


def test_a_lock_whose_file_was_taken_away_does_not_take_away_another(path: Path) -> None:
    first = acquire(path).unwrap()
    path.unlink()
    second = acquire(path).unwrap()
    first.release()
    assert this_process() == owner_of(path)
    second.release()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and threads
def test_a_forked_child_does_not_keep_the_lock_of_its_parent(path: Path) -> None:
    reading, writing = os.pipe()
    lock = acquire(path).unwrap()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    lock.release()
    again = acquire(path)
    os.close(writing)
    os.waitpid(child, 0)
    assert isinstance(again, Success)
