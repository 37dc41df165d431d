from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from anabranch.cli import main
from tests.cli.terminal import Terminal
from tests.transcripts import make_repository

EXAMPLES = Path(__file__).parents[2] / "examples"

FLOW = """\
name: words
mode: mapreduce
setup:
  - shell: echo '["one", "two", "three"]' > words.json
map:
  input: words.json
  max_parallel: 1
  agent_template:
    - shell: test ${item} != two || { echo cannot do two >&2; exit 3; }
      name: check
    - shell: echo ${item} > ${item}.txt; git add ${item}.txt
    - shell: git commit -qm "Add ${item}"
reduce:
  - shell: cat *.txt > all; git add all; git commit -qm "Gather ${map.successful} of ${map.total}"
"""

_VARYING = [
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "COMMIT"),
    (re.compile(r"\(\S*/RUN/[\w-]+/"), "(TREE/"),
    (re.compile(r" in \d+(m \d+)?s"), " in TIME"),
]


@pytest.fixture
def repository(terminal: Terminal) -> Terminal:
    make_repository(terminal.directory / "repo")
    terminal.write("flow.yml", FLOW)
    terminal.varying = _VARYING
    return terminal


def git(terminal: Terminal, *arguments: str) -> str:
    command = ["git", "-C", str(terminal.directory / "repo"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def footprint(terminal: Terminal) -> tuple[str, ...]:
    """All that a run could leave behind: branches, worktrees, changes of the checkout."""
    looks = ["for-each-ref"], ["worktree", "list", "--porcelain"], ["status", "--porcelain"]
    return tuple(git(terminal, *look) for look in looks)


def test_the_smallest_form_of_prodigy_runs_unchanged(repository: Terminal) -> None:
    shutil.copy(EXAMPLES / "three-agents.yml", repository.directory)
    assert 0 == repository.type("anabranch run three-agents.yml --repo repo")
    assert "report-east.txt\nreport-north.txt\nreport-south.txt\n" == git(repository, "ls-files")
    assert 1 == len(git(repository, "worktree", "list").splitlines())
    assert "  main" == git(repository, "branch").rstrip().replace("*", " ")
    repository.matches("run-three-agents")


def test_an_agent_that_fails_is_told_and_the_others_are_merged(repository: Terminal) -> None:
    assert 1 == repository.type("anabranch run flow.yml --repo repo")
    assert "all\none.txt\nthree.txt\n" == git(repository, "ls-files")
    assert "Gather 2 of 3" in git(repository, "log", "--format=%s")
    repository.matches("run-with-a-failure")


def test_a_run_can_be_told_to_a_program(
    repository: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["run", "flow.yml", "--repo", str(repository.directory / "repo"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert ("words", "partial", 2) == (told["workflow"], told["status"], told["merged"])


BAD: dict[str, tuple[str, str, int]] = {
    "no input": ("> words.json", "> other.json", 2),
    "no json": ("""'["one", "two", "three"]'""", "one", 2),
    "no match": ("  max_parallel: 1", "  json_path: $.words[*]", 2),
    "limit 0": ("max_parallel: 1", "max_parallel: 0", 2),
    "bad filter": ("max_parallel: 1", "filter: a ==", 2),
    "unknown key": ("max_parallel: 1", "max_paralel: 1", 2),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_told_and_nothing_is_touched(repository: Terminal, what: str) -> None:
    old, new, code = BAD[what]
    assert old in FLOW
    repository.write("flow.yml", FLOW.replace(old, new))
    before = footprint(repository)
    assert code == repository.type("anabranch run flow.yml --repo repo")
    assert before == footprint(repository)
    repository.matches(f"run-bad-{what.replace(' ', '-')}")


def test_a_machine_that_is_not_fit_for_it_is_told(
    repository: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", repository.directory / "empty"], check=True)
    repos = [".", "empty", "nowhere"]
    assert {3} == {repository.type(f"anabranch run flow.yml --repo {repo}") for repo in repos}
    monkeypatch.setenv("PATH", str(repository.directory))
    assert 3 == repository.type("anabranch run flow.yml --repo repo")
    repository.matches("run-bad-machine")
