"""Runs whose process was killed, from the command line, in real repositories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import frozen

from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.end_to_end.test_runs import (
    COMMAND,
    anabranch,
    environment,
    left_over,
    run_of,
    survivors,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

FLOW = """
name: held
mode: mapreduce
setup:
  - echo '["a", "b", "c"]' > items.json; echo once >> RECORD
map:
  input: items.json
  json_path: $[*]
  max_parallel: 3
  agent_template:
    - name: wait
      shell: echo > STARTED; test -e GO || sleep 600
    - name: make
      shell: echo ${item} > ${item}.txt; git add .; git commit --quiet --message ${item}
"""


@frozen(kw_only=True)
class Held:
    """A run that is held up in three agents."""

    repository: ScratchRepository
    process: subprocess.Popen[str]
    said: int

    @property
    def place(self) -> Path:
        return self.repository.path.parent

    def kill(self) -> None:
        """Kill all of it, wardens too, but for the commands; nobody can end them before."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in _marked(str(self.place)):
                with suppress(OSError):
                    if b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(pid, number)
        self.process.wait()
        (self.place / "go").touch()

    def resume_and_hold(self) -> subprocess.Popen[str]:
        """Resume it, and wait until it is held up in its agents again."""
        (self.place / "go").unlink()
        process = _start(self.repository, "resume")
        _wait_for_agents(self.said)
        return process


def _start(repository: ScratchRepository, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=repository.path,
        env={**environment(repository), "TEST_MARK": str(repository.path.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _wait_for_agents(said: int) -> None:
    heard = b""
    while heard.count(b"\n") < 3:
        heard += os.read(said, 100)


def _marked(mark: str) -> list[int]:
    """Processes that descend from the test's own call of the command line."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"TEST_MARK={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    yield from _held_up(tmp_path, FLOW)


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Held]:
    """The same, with a step that asks."""
    yield from _held_up(tmp_path, FLOW.replace("name: wait", "name: wait\n      in_doubt: ask"))


def _held_up(tmp_path: Path, flow: str) -> Iterator[Held]:
    repository = git_repo(tmp_path / "project")
    started = tmp_path / "started"
    os.mkfifo(started)
    text = flow.replace("STARTED", str(started)).replace("GO", f"{tmp_path}/go")
    (tmp_path / "held.yml").write_text(text.replace("RECORD", f"{tmp_path}/record"))
    said = os.open(started, os.O_RDWR)
    process = _start(repository, "run", str(tmp_path / "held.yml"))
    _wait_for_agents(said)
    yield Held(repository=repository, process=process, said=said)
    os.close(said)
    process.kill()
    process.wait()
    for pid in _marked(str(tmp_path)):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def test_a_run_that_is_alive_is_told_so_and_cannot_be_resumed(held: Held) -> None:
    status = anabranch(held.repository, "status")
    assert "held: running" in status.stdout
    assert f"process {held.process.pid} on" in status.stdout
    assert "at work: agent-" in status.stdout or "at work: a" in status.stdout
    run = run_of(status.stdout)
    refused = anabranch(held.repository, "resume", run)
    assert 3 == refused.returncode
    assert "another process works on this run" in refused.stderr


def test_a_run_that_is_being_resumed_cannot_be_resumed_a_second_time(held: Held) -> None:
    run = run_of(anabranch(held.repository, "status").stdout)
    held.kill()
    first = held.resume_and_hold()
    named = anabranch(held.repository, "resume", run)
    assert 3 == named.returncode
    assert f"another process works on this run: {run} (process {first.pid} on " in named.stderr
    newest = anabranch(held.repository, "resume")
    assert (2, True) == (newest.returncode, "there is no interrupted run" in newest.stderr)
    first.send_signal(signal.SIGINT)
    assert 130 == first.wait(60)
    (held.place / "go").touch()
    last = anabranch(held.repository, "resume", run)
    assert (0, []) == (last.returncode, left_over(held.repository)), last.stderr


def test_steps_in_doubt_that_ask_are_answered_on_the_command_line(asking: Held) -> None:
    asking.kill()
    refused = anabranch(asking.repository, "resume")
    steps = [f"agent-{number}/step[0]" for number in range(3)]
    assert 2 == refused.returncode
    assert f"not to be guessed: {', '.join(steps)}" in refused.stderr
    sure = anabranch(asking.repository, "resume", "--done", "agent-0/step[1]")
    assert 2 == sure.returncode
    assert "nobody asks about this step: agent-0/step[1]" in sure.stderr
    answers = ["--done", steps[0], "--again", steps[1], "--failed", steps[2]]
    ended = anabranch(asking.repository, "resume", *answers)
    assert 1 == ended.returncode
    assert "3 in all, 2 done, 1 failed, 2 merged" in ended.stdout
    assert {"a.txt", "b.txt"} <= asking.repository.files().keys()
    assert "c.txt" not in asking.repository.files()


def test_what_is_left_of_a_killed_run_is_ended_and_the_run_comes_to_its_end(held: Held) -> None:
    held.kill()
    assert [] != [name for name in survivors(f"TEST_MARK={held.place}") if "600" in name]
    assert "interrupted" in anabranch(held.repository, "runs").stdout
    resumed = anabranch(held.repository, "resume", "--json")
    assert 0 == resumed.returncode, resumed.stderr
    assert ("completed", 3) == (
        json.loads(resumed.stdout)["status"],
        json.loads(resumed.stdout)["merged"],
    )
    assert [] == survivors(f"TEST_MARK={held.place}")
    assert [] == left_over(held.repository)
    assert {"a.txt", "b.txt", "c.txt"} <= set(held.repository.files())
    assert "once\n" == (held.place / "record").read_text()


def test_locks_that_a_killed_git_left_behind_do_not_stop_the_run(held: Held) -> None:
    run = run_of(anabranch(held.repository, "status").stdout)
    held.kill()
    git = held.repository.path / ".git"
    locks = [git / "packed-refs.lock", git / "index.lock", git / "refs/heads/main.lock"]
    locks += [git / f"refs/heads/anabranch/{run}/{name}.lock" for name in ("result", "agent-1")]
    for lock in locks:
        lock.touch()
    resumed = anabranch(held.repository, "resume")
    assert (0, []) == (resumed.returncode, left_over(held.repository)), resumed.stderr
    assert [] == [lock for lock in locks if lock.exists()]


def test_a_changed_workflow_is_refused_with_the_differences_unless_forced(held: Held) -> None:
    held.kill()
    file = held.place / "held.yml"
    file.write_text(file.read_text().replace("echo ${item} >", "echo new ${item} >"))
    refused = anabranch(held.repository, "resume")
    assert 2 == refused.returncode
    assert "agent_template[make].shell" in refused.stderr
    forced = anabranch(held.repository, "resume", "--force")
    assert 0 == forced.returncode, forced.stderr
    assert "new a\n" == (held.repository.path / "a.txt").read_text()


def test_what_has_begun_cannot_be_changed_by_force(held: Held) -> None:
    held.kill()
    file = held.place / "held.yml"
    file.write_text(file.read_text().replace("echo once", "echo twice"))
    refused = anabranch(held.repository, "resume", "--force")
    assert 2 == refused.returncode
    assert "what has begun cannot change any more" in refused.stderr


def test_the_file_is_not_needed(held: Held) -> None:
    held.kill()
    (held.place / "held.yml").unlink()
    resumed = anabranch(held.repository, "resume")
    assert 0 == resumed.returncode, resumed.stderr
