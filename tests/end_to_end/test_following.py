"""Looking on, from other processes, while a run goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import frozen

from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.end_to_end.test_runs import COMMAND, anabranch, environment, run_of

FLOW = """
name: followed
mode: mapreduce
setup:
  - echo '["a"]' > items.json
map:
  input: items.json
  json_path: $[*]
  agent_template:
    - shell: echo before; echo > STARTED; read word < WORD; echo "after $word"
    - shell: echo ${item} > ${item}.txt; git add .; git commit --quiet --message ${item}
"""


@frozen(kw_only=True)
class Going:
    """A run whose agent waits for a word."""

    repository: ScratchRepository
    process: subprocess.Popen[str]
    word: int
    stack: ExitStack

    @property
    def run(self) -> str:
        return run_of(anabranch(self.repository, "status").stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start another anabranch in the repository; it is ended with the test."""
        return self.stack.enter_context(_started(self.repository, *arguments))

    def release(self) -> None:
        """Say the word; the run comes to its end."""
        os.write(self.word, b"now\n")
        assert 0 == self.process.wait(60)


def _started(repository: ScratchRepository, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=repository.path,
        env=environment(repository),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _pipe(path: Path, stack: ExitStack) -> int:
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)  # for both, so that there is never an end
    stack.callback(os.close, descriptor)
    return descriptor


@pytest.fixture
def going(tmp_path: Path) -> Iterator[Going]:
    repository = git_repo(tmp_path / "project")
    text = FLOW.replace("STARTED", f"{tmp_path}/started").replace("WORD", f"{tmp_path}/word")
    (tmp_path / "flow.yml").write_text(text)
    with ExitStack() as stack:
        said, word = (_pipe(tmp_path / name, stack) for name in ("started", "word"))
        process = stack.enter_context(_started(repository, "run", str(tmp_path / "flow.yml")))
        stack.callback(process.terminate)
        assert b"\n" == os.read(said, 100)
        yield Going(repository=repository, process=process, word=word, stack=stack)


def test_events_are_followed_from_the_first_on_until_the_run_ends(going: Going) -> None:
    follower = going.start("events", "--follow")
    assert follower.stdout is not None
    begun: list[str] = []
    while not (begun and "agent-0/step[0]" in begun[-1]):
        begun.append(follower.stdout.readline())
    going.release()
    rest = follower.stdout.read()
    assert 0 == follower.wait(60)
    assert anabranch(going.repository, "events").stdout == "".join(begun) + rest
    assert "completed" in rest.splitlines()[-1]


def test_the_log_of_an_agent_is_followed_until_the_run_ends(going: Going) -> None:
    follower = going.start("logs", going.run, "agent-0/step[0]", "--follow")
    assert follower.stdout is not None
    assert "before\n" == follower.stdout.readline()
    going.release()
    rest = follower.stdout.read()
    assert (0, "after now\n") == (follower.wait(60), rest)
