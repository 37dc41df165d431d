from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st
from returns.result import Success

from anabranch.services.locks import acquire
from anabranch.services.owners import Owner, read_owner, this_process, write_owner

owners = st.builds(
    Owner,
    host=st.text(max_size=9),
    boot=st.text(max_size=9),
    pid=st.integers(1, 2**22),
    started=st.text("0123456789", max_size=9),
)


@given(owners)
def test_an_owner_survives_writing_and_reading(owner: Owner) -> None:
    assert owner == read_owner(write_owner(owner))


@given(st.binary(max_size=200))
def test_no_garbage_in_the_file_keeps_a_lock(garbage: bytes) -> None:
    assume(read_owner(garbage) is None)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lock"
        path.write_bytes(garbage)
        outcome = acquire(path)
        assert isinstance(outcome, Success)
        outcome.unwrap().release()


@given(owners)
def test_a_living_owner_is_never_taken_for_another(owner: Owner) -> None:
    me = this_process()
    assert (owner == me) == (write_owner(owner) == write_owner(me))


CONTENDER = """
import os, random, signal, sys
from pathlib import Path
from anabranch.services.locks import LockFault, acquire
path, counter, inside = (Path(sys.argv[1]) / name for name in ("lock", "counter", "inside"))
chance = random.Random(int(sys.argv[2]))
done = 0
while done < 40:
    outcome = acquire(path)
    if outcome.value_or(None) is None:
        assert outcome.failure().fault is LockFault.HELD, outcome
        continue
    with outcome.unwrap():
        try:
            descriptor = os.open(inside, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            sys.exit("two inside at once")
        os.close(descriptor)
        count = int(counter.read_text())
        os.sched_yield()
        counter.write_text(str(count + 1))
        done += 1
        inside.unlink()
        if chance.random() < 0.02:
            print(done, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
print(done, flush=True)
"""


def test_contenders_that_are_killed_while_they_hold_it_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    contenders = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(tmp_path), str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in range(8)
    ]
    results = [contender.communicate() for contender in contenders]
    assert [b""] * 8 == [errors for _, errors in results]
    assert any(contender.returncode < 0 for contender in contenders)
    assert sum(int(count) for count, _ in results) == int((tmp_path / "counter").read_text())
