"""A process that does something in a repository and is killed while it does.

It prints `ready` when the scenario says so, and then waits for its end.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from anabranch.testing.repositories import ScratchRepository

_ROOT = Path(__file__).parents[3]

_PROGRAM = """
import sys, anyio
from pathlib import Path
from anabranch.environment import *
from anabranch.services.git import GitRepository, git_run
from anabranch.testing.repositories import ScratchRepository

async def main():
    repo = ScratchRepository(path=Path(sys.argv[1]))
    repository = GitRepository.open(sys.argv[1], environ=repo.environ).unwrap()
    async with git_run(repository, "r1") as git:
{scenario}
        print("ready", flush=True)
        sys.stdin.read()

anyio.run(main)
"""

TREE = """
        request = WorktreeRequest(name="agent-0", parent="main", branch="anabranch/r1/agent-0")
        tree = (await git.worktrees.create(request)).unwrap()
"""


@contextmanager
def victim(repo: ScratchRepository, scenario: str) -> Generator[subprocess.Popen[str]]:
    """A process that has come to the end of its scenario; it is killed at the end of the block."""
    program = _PROGRAM.replace("{scenario}\n", scenario)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(repo.path)],
        cwd=_ROOT,
        env={**repo.environ, "PYTHONPATH": f"{_ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
