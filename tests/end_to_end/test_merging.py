"""How the work of agents comes together: conflicts that are resolved, and a linear history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo

SOURCE = Path(__file__).parents[2] / "src"

FLOW = """
name: clash
mode: mapreduce
map:
  input: items.json
  agent_template:
    - shell: |
        echo ${item} >> shared; echo ${item} > ${item}
        git add --all; git commit --quiet --message "Item ${item}"
merge:
  history: HISTORY
  resolve:
    - shell: |
        test ${item} != c || exit 3
        test ${item} != d || exit 0
        sed -i '/^[<=>]/d' ${merge.conflicts}
"""


@pytest.mark.parametrize("history", ["merges", "linear"])
def test_conflicts_are_resolved_by_steps_and_those_that_are_not_fail_their_agents(
    tmp_path: Path, history: str
) -> None:
    repo = git_repo(tmp_path / "shop", {"items.json": json.dumps(list("abcdz")), "shared": ""})
    (tmp_path / "flow.yml").write_text(FLOW.replace("HISTORY", history))
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [sys.executable, "-m", "anabranch", "run", str(tmp_path / "flow.yml"), "--json"],
        cwd=repo.path,
        env={**hidden, **repo.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 1 == done.returncode, done.stderr
    failed = {f["label"]: f["message"] for f in json.loads(done.stdout)["failed"]}
    assert "conflict in shared; resolving it failed: " in failed["c"]
    assert "still in conflict: shared" in failed["d"]
    assert "a\nb\nz\n" == (repo.path / "shared").read_text()
    merges = repo.git("rev-list", "--count", "--merges", "HEAD")
    assert ("3" if history == "merges" else "0") == merges
    assert {"agent-2", "agent-3"} == left_branches(repo)
    assert 1 == len(repo.git("worktree", "list").splitlines())


def left_branches(repo: ScratchRepository) -> set[str]:
    listed = repo.git("for-each-ref", "--format=%(refname)", "refs/heads/anabranch")
    return {ref.rpartition("/")[2] for ref in listed.splitlines()}
