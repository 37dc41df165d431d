"""Whole runs with coding agents: stubs on the PATH that print, misbehave and fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo

SOURCE = str(Path(__file__).parents[2] / "src")

WORKFLOW = """
name: mend
mode: mapreduce
agents:
  claude: {arguments: [--permission-mode, acceptEdits]}
  mine: [mine]
setup:
  - echo '["it'"'"'s", "b"]' > items.json
map:
  input: items.json
  agent_template:
    - claude: "/fix ${item}"
      commit_required: true
    - agent: {use: mine, prompt: "Look at ${item}"}
"""

CLAUDE = """#!/bin/sh
[ "$1" = -p ] && [ "$6" = --permission-mode ] && [ "$7" = acceptEdits ] || exit 9
echo '{"type":"system","session_id":"s-1","model":"opus"}'
echo 'not JSON {'
printf '\\377\\000{"type"\\n'
echo "$2" > "fixed $(echo "$2" | tr -cd a-z)"
git add . && git commit --quiet -m "$2" || exit 8
echo '{"type":"result","result":"ok","total_cost_usd":0.5,"usage":{"input_tokens":9,"output_tokens":2}}'
"""


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    stubs = tmp_path / "bin"
    stubs.mkdir()
    for name, script in {"claude": CLAUDE, "mine": "#!/bin/sh\ncat > seen\n"}.items():
        (stubs / name).write_text(script)
        (stubs / name).chmod(0o755)
    (tmp_path / "flow.yml").write_text(WORKFLOW)
    return git_repo(tmp_path / "project", {"README": "hello\n"})


def anabranch(repository: ScratchRepository) -> subprocess.CompletedProcess[str]:
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    top = repository.path.parent
    env = {
        **hidden,
        "HOME": str(top),
        "PATH": f"{top / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": SOURCE,
        "NO_COLOR": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "anabranch", "run", str(top / "flow.yml"), "--json"],
        cwd=repository.path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_agents_work_are_merged_and_their_cost_is_told(repository: ScratchRepository) -> None:
    done = anabranch(repository)
    assert 0 == done.returncode, done.stderr
    summary = result_of(done)
    assert (1.0, 18, 4) == (
        summary["cost_usd"],
        summary["input_tokens"],
        summary["output_tokens"],
    )
    assert "/fix it's\n" == (repository.path / "fixed fixits").read_text()
    assert "/fix b\n" == (repository.path / "fixed fixb").read_text()


def test_an_agent_that_is_not_installed_is_told_by_its_name(
    repository: ScratchRepository,
) -> None:
    (repository.path.parent / "bin" / "mine").unlink()
    done = anabranch(repository)
    assert 1 == done.returncode
    failed = result_of(done)["failed"]
    assert ["agent-0", "agent-1"] == [one["subject"] for one in failed]
    assert all(one["message"].startswith("command not found: mine (") for one in failed)
