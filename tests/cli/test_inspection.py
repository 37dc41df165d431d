"""What the command line tells of runs, and what can be done with those that failed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from returns.result import Success

from anabranch import succeed
from anabranch.cli import main
from anabranch.engine import run_in_repository
from anabranch.environment import Oid
from anabranch.services.git import GitRepository
from anabranch.services.git.registry import Registry
from anabranch.services.git.trees import Order
from anabranch.services.owners import this_process, write_owner
from tests.cli.terminal import Terminal
from tests.transcripts import make_repository

FLOW = """\
name: words
mode: mapreduce
setup:
  - echo '["one", "two", "three", "four"]' > words.json
map:
  input: words.json
  json_path: $[*]
  agent_template:
    - name: check
      shell: |
        case ${item} in
          t*) test -e ALLOWED || { echo "cannot read /tmp/${item}.txt" >&2; exit 3; };;
        esac
        echo "fine: ${item}"
    - shell: echo ${item} > ${item}.txt; git add ${item}.txt; git commit -qm "Add ${item}"
"""


@pytest.fixture
def repository(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> Path:
    """A repository with a run in which two of four items failed."""
    make_repository(terminal.directory / "repo")
    allowed = terminal.directory / "allowed"
    terminal.write("flow.yml", FLOW.replace("ALLOWED", str(allowed)))
    assert 1 == main(["run", "flow.yml", "--repo", "repo"])
    capsys.readouterr()
    return terminal.directory / "repo"


@pytest.fixture
def ask(repository: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the command line for programs; what it answered."""

    def asked(*arguments: str) -> Any:
        main([*arguments, "--repo", str(repository), "--json"])
        return json.loads(capsys.readouterr().out)

    return asked


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert 0 == main([*arguments, "--repo", "repo"])
    return capsys.readouterr().out


def files(repository: Path) -> set[str]:
    return {path.name for path in repository.glob("*.txt")}


def test_runs_and_status_tell_how_it_stands(ask: Any) -> None:
    (run,) = ask("runs")["runs"]
    assert ("words", "partial", 2) == (run["workflow"], run["status"], run["dead_letters"])
    status = ask("status")
    assert (run["run"], "partial", 2) == (status["run"], status["status"], status["merged"])
    assert status == ask("status", run["run"])


def test_a_run_that_is_not_there_is_an_error_with_a_hint(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["status", "nothing", "--repo", str(repository)])
    assert "no such run: nothing" in capsys.readouterr().err


def test_events_can_be_chosen_by_a_condition(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repository.exists()
    told = say(capsys, "events", "--filter", "type == moved && to == failed")
    failed = [line.split()[2] for line in told.splitlines()]
    assert {"agent-1", "agent-1/step[0]", "agent-2", "agent-2/step[0]"} == set(failed)
    rows = say(capsys, "events", "--filter", "type == run_moved", "--json").splitlines()
    assert ["running", "partial"] == [json.loads(row)["to"] for row in rows]


def test_following_a_run_that_has_ended_comes_to_an_end(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repository.exists()
    assert say(capsys, "events") == say(capsys, "events", "--follow")


def test_a_run_is_told_as_it_was_at_a_past_moment(
    ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    now = ask("status")
    events = [json.loads(line) for line in say(capsys, "events", "--json").splitlines()]
    begun = next(e for e in events if e["type"] == "moved" and e["to"] == "running")
    then = ask("status", "--at", str(begun["seq"]))
    assert ("running", 1, begun["seq"]) == (then["status"], len(then["running"]), then["sequence"])
    last = max(e["seq"] for e in events if e["time"] <= begun["time"])
    assert ask("status", "--at", str(last)) == ask("status", "--at", begun["time"])
    assert now["agents"] == ask("status", "--at", str(now["sequence"]))["agents"]
    assert "at work: " in say(capsys, "status", "--at", str(begun["seq"]))
    assert "next: anabranch" not in say(capsys, "status", "--at", str(now["sequence"]))


@pytest.mark.parametrize(
    "arguments", [["--at", "noon"], ["--at", "3", "--follow"], ["--at", "2020-01-01"]]
)
@pytest.mark.usefixtures("repository")
def test_what_is_no_past_moment_is_refused(arguments: list[str]) -> None:
    assert 2 == main(["status", "--repo", "repo", *arguments])


def test_effects_that_code_runs_by_itself_are_listed_among_no_runs(
    repository: Path, ask: Any
) -> None:
    before = ask("runs")["runs"]
    assert Success(1) == run_in_repository(succeed(1), str(repository))
    assert before == ask("runs")["runs"]


def test_logs_of_a_step_and_of_an_agent(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = ask("status")["run"]
    assert "fine: one\n" == say(capsys, "logs", run, "agent-0/step[0]")
    assert "cannot read" in say(capsys, "logs", run, "agent-1")
    everything = say(capsys, "logs")
    assert "fine: one\n" in everything
    assert "cannot read" in everything
    assert 2 == main(["logs", run, "agnt-1", "--repo", "repo"])
    assert "did you mean `agent-1`?" in capsys.readouterr().err


def test_a_step_or_an_agent_alone_is_one_of_the_newest_run(
    repository: Path, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repository.exists()
    run = ask("status")["run"]
    assert say(capsys, "logs", run, "agent-1") == say(capsys, "logs", "agent-1")
    assert 2 == main(["logs", "agent-99", "--repo", "repo"])
    assert "there is no such run: agent-99" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["show", "discard", "retry"])
def test_an_agent_that_did_not_fail_is_no_letter_and_no_other_one_is_suggested(
    what: str, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ask("status")["run"]
    assert 2 == main(["dlq", what, run, "agent-0", "--repo", "repo"])
    said = capsys.readouterr().err
    assert "no such dead letter: agent-0\n\nhint: `anabranch dlq list" in said


def test_what_is_wrong_with_a_condition_is_placed_in_its_option(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repository.exists()
    assert 2 == main(["events", "--filter", "type ==", "--repo", "repo"])
    assert capsys.readouterr().err.startswith("error: --filter:1:8: the condition ends here")


def test_alike_failures_are_one_group_and_each_has_its_history(ask: Any) -> None:
    letters = ask("dlq", "list")["letters"]
    assert ["two", "three"] == [letter["item"] for letter in letters]
    assert {"step[0]: exit code 3: cannot read #"} == {x["signature"] for x in letters}
    (run,) = {letter["run"] for letter in letters}
    shown = ask("dlq", "show", run, "agent-1")
    assert ([1], 3) == ([a["number"] for a in shown["attempts"]], shown["exit_code"])
    assert "cannot read /tmp/two.txt\n" == shown["tail"]


def test_a_retry_runs_the_items_through_the_same_workflow_and_delivers_them(
    repository: Path, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.parent / "allowed").touch()
    assert '"two"' in say(capsys, "dlq", "export")
    retried = ask("dlq", "retry")
    assert ("completed", 2) == (retried["status"], retried["merged"])
    assert {"one.txt", "two.txt", "three.txt", "four.txt"} == files(repository)
    assert [] == ask("dlq", "list")["letters"]


def test_what_fails_again_lies_in_the_queue_of_the_retry(repository: Path, ask: Any) -> None:
    assert repository.exists()
    first = ask("status")["run"]
    again = ask("dlq", "retry", first, "agent-2")
    told = {(letter["run"], letter["subject"]) for letter in ask("dlq", "list")["letters"]}
    assert {(first, "agent-1"), (again["run"], "agent-0")} == told


def test_a_plan_expects_of_steps_what_an_earlier_run_took(ask: Any) -> None:
    (run,) = ask("runs")["runs"]
    expected = ask("plan", "flow.yml", "--history", run["run"])["expected"]
    sources = {p: [e["source"] for e in expected[p]["estimates"]] for p in ("setup", "agent")}
    assert {"setup": ["history"], "agent": ["history", "history"]} == sources


@pytest.mark.parametrize("history", ["no-such-run", "{run} --against plan.json"])
def test_a_history_of_no_use_is_refused(ask: Any, terminal: Terminal, history: str) -> None:
    (run,) = ask("runs")["runs"]
    terminal.write("plan.json", json.dumps(ask("plan", "flow.yml")))
    options = history.format(run=run["run"]).split()
    assert 2 == main(["plan", "flow.yml", "--repo", "repo", "--history", *options])


def test_what_is_discarded_is_no_letter_any_more(ask: Any) -> None:
    run = ask("status")["run"]
    assert ["agent-1"] == ask("dlq", "discard", run, "agent-1")["discarded"]
    assert ["agent-2"] == [letter["subject"] for letter in ask("dlq", "list")["letters"]]
    assert "no-letter" == ask("dlq", "discard", run, "agent-1")["problems"][0]["code"]


KEPT = """\
name: kept
mode: mapreduce
map:
  input: words.json
  agent_template:
    - shell: echo x > ${item}.txt; git add ${item}.txt; git commit -qm "Add ${item}"
    - shell: exit 3
"""


def test_a_letter_whose_branch_is_checked_out_stays_in_the_queue_and_the_others_go(
    terminal: Terminal, ask: Any, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*arguments: str) -> str:
        return subprocess.check_output(["git", *arguments], cwd=repository, text=True)

    (repository / "words.json").write_text('["five", "six", "seven"]')
    git("add", "words.json")
    git("commit", "-qm", "words")
    terminal.write("kept.yml", KEPT)
    assert 1 == main(["run", "kept.yml", "--repo", "repo"])
    capsys.readouterr()
    run = ask("status")["run"]
    held = f"anabranch/{run}/agent-1"
    git("switch", "--quiet", held)
    (problem,) = ask("dlq", "discard", run)["problems"]
    assert f"branch {held} is checked out" in problem["message"]
    assert ["agent-1"] == [letter["subject"] for letter in ask("dlq", "list", run)["letters"]]
    assert [f"* {held}"] == git("branch", "--list", f"anabranch/{run}/*").splitlines()
    git("switch", "--quiet", "--detach")
    assert ["agent-1"] == ask("dlq", "discard", run)["discarded"]
    assert "" == git("branch", "--list", f"anabranch/{run}/*")


def test_nothing_is_left_to_resume_of_a_run_that_ended(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["resume", "--repo", str(repository)])
    assert "there is no interrupted run" in capsys.readouterr().err


@pytest.mark.parametrize("named", [True, False])
def test_what_a_run_left_that_was_killed_at_its_very_end_is_put_away_by_resuming_it(
    repository: Path, ask: Any, *, named: bool
) -> None:
    run = ask("status")["run"]
    state = repository / ".git/anabranch"
    spare, own = leave(repository, run, ".spare", "run")
    rubbish = [repository.with_name("repo.anabranch") / ".trash/1/2", state / ".trash/1"]
    for path in rubbish:
        path.mkdir(parents=True)
    dead = [state / "runs" / run / name for name in ("owner", "journal.lock")]
    for path in dead:
        path.write_bytes(write_owner(evolve(this_process(), started="0")))
    put_away = ask("resume", *[run] * named)
    assert (run, "partial", {}, {}) == tuple(
        put_away[key] for key in ("run", "status", "kept", "failed")
    )
    gone = {str(path) for path in (spare, own, rubbish[0].parents[1], rubbish[1].parent, *dead)}
    assert gone == set(put_away["removed"])
    assert [] == [path for path in gone if os.path.lexists(path)]
    assert not repository.with_name("repo.anabranch").exists()
    assert "no-run" == ask("resume")["problems"][0]["code"]
    assert "run-ended" == ask("resume", run)["problems"][0]["code"]


def test_work_that_is_nowhere_else_is_not_put_away(
    repository: Path, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (own,) = leave(repository, ask("status")["run"], "run")
    (own / "notes").write_text("worth keeping")
    assert f"kept: {own}: it has changes that were not committed" in say(capsys, "resume")
    assert own.exists()


def leave(repository: Path, run: str, *names: str) -> list[Path]:
    """Worktrees in the name of a run whose process is dead."""
    opened = GitRepository.open(str(repository)).unwrap()
    registry = Registry(repository=opened, run=run)
    paths = [Path(registry.directory, name) for name in names]
    for name, path in zip(names, paths, strict=True):
        order = Order(name=name, base=Oid(opened.head()[0]))
        tree = registry.enter(order, str(path))
        opened.trees.at(tree.path).run("reset", "--quiet", "--hard")
        registry.name(tree, name)
    return paths


def test_branches_of_failed_agents_without_commits_are_gone(repository: Path) -> None:
    branches = subprocess.run(
        ["git", "-C", str(repository), "branch", "--format=%(refname:short)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert ["main"] == branches.stdout.split()
