"""Whole runs from the command line, in real repositories, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo

THREE = Path(__file__).parents[2] / "examples" / "three-agents.yml"

SOURCE = str(Path(__file__).parents[2] / "src")

COMMAND = [sys.executable, "-m", "anabranch"]

MANY = """
name: many
mode: mapreduce
setup:
  - shell: |
      python3 -c 'import json; print(json.dumps([{"id": n} for n in range(COUNT)]))' > items.json
map:
  input: items.json
  json_path: $[*]
  max_parallel: 4
  agent_template:
    - shell: |
        SCRIPT
    - shell: git add --all made && git commit --quiet --message "Item ${item.id}"
reduce:
  - shell: ls made > SUMMARY; git add SUMMARY; git diff --cached --quiet || git commit --quiet --message Summary
"""


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    return git_repo(tmp_path / "project", {"README": "hello\n", "same": "base\n"})


def environment(repository: ScratchRepository) -> dict[str, str]:
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**hidden, "HOME": str(repository.path.parent), "PYTHONPATH": SOURCE, "NO_COLOR": "1"}


def workflow(repository: ScratchRepository, script: str, count: int = 6) -> str:
    file = repository.path.parent / "many.yml"
    file.write_text(MANY.replace("COUNT", str(count)).replace("SCRIPT", script))
    return str(file)


def anabranch(repository: ScratchRepository, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=repository.path,
        env=environment(repository),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def left_over(repository: ScratchRepository) -> list[str]:
    """Worktrees and branches beyond the user's own."""
    trees = repository.git("worktree", "list", "--porcelain").count("worktree ") - 1
    branches = repository.git("branch", "--format=%(refname:short)").split()
    return [f"{trees} worktrees"] * bool(trees) + [name for name in branches if name != "main"]


def test_prodigys_smallest_form_runs_and_leaves_nothing_but_its_result(
    repository: ScratchRepository,
) -> None:
    done = anabranch(repository, "run", str(THREE))
    assert (0, []) == (done.returncode, left_over(repository)), done.stderr
    made = {name for name in repository.files() if name.startswith("report-")}
    assert {"report-north.txt", "report-east.txt", "report-south.txt"} == made
    assert "Item 2" in (repository.path / "report-east.txt").read_text()
    assert "3 in all, 3 done, 0 failed, 3 merged" in done.stdout


def test_a_run_can_be_run_again(repository: ScratchRepository) -> None:
    file = workflow(repository, "mkdir -p made; date +%s%N >> made/${item.id}")
    assert 0 == anabranch(repository, "run", file).returncode
    first = repository.head
    assert 0 == anabranch(repository, "run", file).returncode
    assert first != repository.head
    assert [] == left_over(repository)


def test_failures_are_told_with_what_they_printed_and_the_others_are_merged(
    repository: ScratchRepository,
) -> None:
    script = 'mkdir -p made; test ${item.id} -ne 3 || { echo "no luck" >&2; exit 7; }; echo x > made/${item.id}'
    done = anabranch(repository, "run", workflow(repository, script))
    assert 1 == done.returncode
    assert "item 3 (agent-3 at agent-3/step[0])" in done.stdout
    assert "no luck" in done.stdout
    assert "6 in all, 5 done, 1 failed, 5 merged" in done.stdout
    assert ["0", "1", "2", "4", "5"] == sorted(
        path.name for path in (repository.path / "made").iterdir()
    )
    assert [] == left_over(repository)


def test_a_conflict_keeps_the_one_branch_and_merges_the_others(
    repository: ScratchRepository,
) -> None:
    script = "mkdir -p made; echo ${item.id} > made/${item.id}; test ${item.id} -gt 1 || { echo ${item.id} > same; git add same; }"
    done = anabranch(repository, "run", workflow(repository, script, 4))
    assert 1 == done.returncode
    assert "conflicts: same" in done.stdout
    assert "4 in all, 3 done, 1 failed, 3 merged" in done.stdout
    (kept,) = left_over(repository)
    assert kept.endswith("/agent-1")
    assert "0\n" == (repository.path / "same").read_text()


def test_uncommitted_work_survives_and_the_result_comes_all_the_same(
    repository: ScratchRepository,
) -> None:
    repository.write({"README": "mine\n", "untracked": "mine too\n"})
    done = anabranch(repository, "run", str(THREE))
    assert 0 == done.returncode
    assert "mine\n" == (repository.path / "README").read_text()
    assert "mine too\n" == (repository.path / "untracked").read_text()
    assert (repository.path / "report-north.txt").exists()


def test_what_is_in_the_way_stays_and_the_result_waits_on_its_branch(
    repository: ScratchRepository,
) -> None:
    repository.write({"report-north.txt": "mine\n"})
    before = repository.head
    done = anabranch(repository, "run", str(THREE))
    assert "mine\n" == (repository.path / "report-north.txt").read_text()
    assert before == repository.head
    (kept,) = left_over(repository)
    assert kept in done.stdout
    assert 1 == done.returncode


def test_a_failing_reduce_delivers_nothing_and_names_the_branch(
    repository: ScratchRepository,
) -> None:
    file = Path(workflow(repository, "mkdir -p made; echo > made/${item.id}"))
    file.write_text(file.read_text().replace("ls made > SUMMARY;", "exit 1;"))
    before = repository.head
    done = anabranch(repository, "run", str(file))
    assert (1, before) == (done.returncode, repository.head)
    assert [f"anabranch/{run_of(done.stdout)}/result"] == left_over(repository)


def run_of(text: str) -> str:
    return text.partition("(run ")[2].partition(")")[0]


def test_the_result_can_be_had_as_json(repository: ScratchRepository) -> None:
    done = anabranch(repository, "run", str(THREE), "--json")
    told = json.loads(done.stdout)
    assert ("completed", 3, {"completed": 3}) == (told["status"], told["merged"], told["agents"])
    assert told["delivered"]["commit"] == repository.head


def test_a_budget_for_worktrees_lets_fewer_agents_run_at_once(
    repository: ScratchRepository,
) -> None:
    repository.git("config", "anabranch.worktreeBudget", "8k")
    busy = repository.path.parent / "busy"
    script = f"mkdir {busy} || touch {busy}-too; mkdir made; git status; touch made/x; rmdir {busy}"
    done = anabranch(repository, "run", workflow(repository, script, count=4))
    assert "4 in all, 4 done" in done.stdout
    assert not busy.with_name("busy-too").exists()


def test_limits_can_be_lowered_from_the_command_line(repository: ScratchRepository) -> None:
    done = anabranch(repository, "run", str(THREE), "--max-parallel", "1")
    assert 0 == done.returncode


@pytest.fixture
def interrupted(
    repository: ScratchRepository, request: pytest.FixtureRequest
) -> subprocess.CompletedProcess[str]:
    """A run that got a signal while four agents were at work."""
    started = repository.path.parent / "started"
    os.mkfifo(started)
    script = f"mkdir -p made; sh -c 'exec sleep 600' & echo > {started}; sleep 600"
    process = subprocess.Popen(
        [*COMMAND, "run", workflow(repository, script)],
        cwd=repository.path,
        env={**environment(repository), "TEST_MARK": str(started)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = os.open(started, os.O_RDWR)  # for writing too, so that there is never an end
    heard = b""
    while heard.count(b"\n") < 4:
        heard += os.read(said, 100)
    os.close(said)
    process.send_signal(request.param)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def survivors(mark: str) -> list[str]:
    """Processes with the mark in their environment."""
    found: list[str] = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    "interrupted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], indirect=True
)
def test_an_interrupted_run_leaves_no_process_and_no_change_but_what_resuming_needs(
    repository: ScratchRepository, interrupted: subprocess.CompletedProcess[str]
) -> None:
    assert 130 == interrupted.returncode
    run = run_of(interrupted.stderr)
    assert f"anabranch resume {run}" in interrupted.stderr
    assert [] == survivors(str(repository.path.parent / "started"))
    assert ["1 worktrees", f"anabranch/{run}/result"] == left_over(repository)
    assert "" == repository.git("status", "--porcelain")


# --- input that is none ------------------------------------------------------------------------


BAD: list[Any] = [
    pytest.param("name: x\n\tmode: mapreduce\n", 2, "tab", id="a-tab"),
    pytest.param(
        THREE.read_text().replace("max_parallel", "max_paralel"),
        2,
        "max_parallel",
        id="an-unknown-key",
    ),
    pytest.param(
        THREE.read_text().replace("max_parallel: 2", "max_parallel: 0"),
        2,
        "max_parallel",
        id="a-limit-of-0",
    ),
    pytest.param(
        THREE.read_text().replace("max_parallel: 2", 'filter: "id >"'),
        2,
        "filter",
        id="a-broken-filter",
    ),
    pytest.param(
        THREE.read_text().replace("$[*]", "$.nothing[*]"),
        2,
        "json_path",
        id="a-path-that-matches-nothing",
    ),
]


@pytest.mark.parametrize(("text", "code", "told"), BAD)
def test_a_workflow_that_is_none_is_refused_and_nothing_is_touched(
    repository: ScratchRepository, text: str, code: int, told: str
) -> None:
    file = repository.path.parent / "bad.yml"
    file.write_text(text)
    before = repository.head
    done = anabranch(repository, "run", str(file))
    assert (code, before, []) == (done.returncode, repository.head, left_over(repository))
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_all_problems_of_a_file_are_told_at_once(repository: ScratchRepository) -> None:
    file = repository.path.parent / "bad.yml"
    text = THREE.read_text().replace("max_parallel: 2", "max_parallel: 0\n  offset: -1\n  ofset: 1")
    file.write_text(text)
    done = anabranch(repository, "run", str(file))
    assert 2 == done.returncode
    assert all(word in done.stderr for word in ("map.max_parallel", "map.offset", "map.ofset"))


def test_a_missing_file_is_a_usage_error(repository: ScratchRepository) -> None:
    assert 2 == anabranch(repository, "run", "nothing.yml").returncode


def test_no_repository_is_a_fault_of_the_host(repository: ScratchRepository) -> None:
    done = anabranch(repository, "run", str(THREE), "--repo", "/")
    assert 3 == done.returncode
    assert "not a git repository" in done.stderr


def test_a_repository_without_a_commit_is_a_fault_of_the_host(tmp_path: Path) -> None:
    empty = ScratchRepository(path=tmp_path)
    empty.git("init", "--quiet")
    done = anabranch(empty, "run", str(THREE))
    assert 3 == done.returncode
    assert "commit" in done.stderr


def test_a_machine_without_git_is_told_so(repository: ScratchRepository) -> None:
    done = subprocess.run(
        [*COMMAND, "run", str(THREE)],
        cwd=repository.path,
        env={**environment(repository), "PATH": str(repository.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 3 == done.returncode
    assert "git" in done.stderr
