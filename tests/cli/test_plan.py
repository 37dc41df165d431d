from __future__ import annotations

import subprocess

import pytest

from anabranch.cli import main
from tests.cli.terminal import Terminal
from tests.transcripts import make_repository

FLOW = """\
name: tidy
mode: mapreduce
map:
  input: items.json
  json_path: $.files[*]
  max_parallel: 4
  agent_template:
    - shell: tidy ${item}
"""


@pytest.fixture
def repository(terminal: Terminal) -> Terminal:
    make_repository(terminal.directory / "repo")
    terminal.write("flow.yml", FLOW)
    return terminal


def commit(terminal: Terminal, name: str, text: str) -> None:
    terminal.write(f"repo/{name}", text)
    git = ["git", "-C", str(terminal.directory / "repo")]
    subprocess.run([*git, "add", name], check=True)
    subprocess.run([*git, "commit", "-qm", name], check=True)


def test_a_plan_tells_what_a_run_would_do(repository: Terminal) -> None:
    commit(repository, "items.json", '{"files": ["a.py", "b.py"]}')
    commands = ["", " --max-parallel 1", " --json"]
    assert {0} == {repository.type(f"anabranch plan flow.yml --repo repo{c}") for c in commands}
    repository.matches("plan")


def test_items_that_setup_writes_are_not_read_now(repository: Terminal) -> None:
    repository.write("flow.yml", f"{FLOW}setup: [make items]\n")
    assert 0 == repository.type("anabranch plan flow.yml --repo repo")
    repository.matches("plan-setup")


def test_planning_touches_nothing(repository: Terminal) -> None:
    commit(repository, "items.json", '{"files": ["a.py", "b.py"]}')
    before = {p: p.stat().st_mtime_ns for p in repository.directory.rglob("*")}
    repository.type("anabranch plan flow.yml --repo repo")
    assert before == {p: p.stat().st_mtime_ns for p in repository.directory.rglob("*")}


def test_an_input_that_a_run_would_not_find_is_told(repository: Terminal) -> None:
    repository.write("repo/items.json", "[]")
    assert 2 == repository.type("anabranch plan flow.yml --repo repo")
    commit(repository, "items.json", '{"file": ["a.py"]}')
    assert 2 == repository.type("anabranch plan flow.yml --repo repo")
    commit(repository, "items.json", "a.py b.py")
    assert 2 == repository.type("anabranch plan flow.yml --repo repo")
    repository.matches("plan-bad-input")


def test_a_place_that_is_no_repository_is_told(repository: Terminal) -> None:
    assert 3 == repository.type("anabranch plan flow.yml")
    assert 3 == repository.type("anabranch plan flow.yml --repo nowhere")
    subprocess.run(["git", "init", "-q", repository.directory / "empty"], check=True)
    assert 3 == repository.type("anabranch plan flow.yml --repo empty")
    repository.matches("plan-bad-repository")


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_limit_below_one_is_refused(repository: Terminal, limit: str) -> None:
    assert 2 == repository.type(f"anabranch plan flow.yml --repo repo --max-parallel {limit}")


def test_a_limit_that_is_no_number_is_told_in_plain_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 2 == main(["plan", "flow.yml", "--max-parallel", "x"])
    assert "`x` is not a valid whole number\n" in capsys.readouterr().err
