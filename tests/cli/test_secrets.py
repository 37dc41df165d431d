"""What is secret is nowhere: not in the journal, not in a log, not on the terminal."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from anabranch.cli import main
from anabranch.engine import open_repository
from anabranch.lifecycle import RunCreated
from anabranch.services.journal import open_journal
from anabranch.services.runs import run_directory
from anabranch.workflow import digest, load_workflow, to_data
from tests.cli.terminal import Terminal
from tests.transcripts import make_repository

SECRET = "correct-horse-battery"
TOKEN = "ghp_" + "a1B2" * 10

FLOW = """\
name: secretive
mode: mapreduce
secrets: [PASSPHRASE]
setup:
  - printf '["%s", "plain"]' "$PASSPHRASE" > items.json
  - |
    printf correct-horse >&2; sleep 0.05; printf -- '-battery\\\\n' >&2; echo "token TOKEN"
map:
  input: items.json
  json_path: $[*]
  agent_template:
    - name: leak
      shell: echo "with $PASSPHRASE"; echo "and ${item}" >&2; exit 3
"""


LONG = "QXZJ-KVWQ+ZXQJ_WVKZ.QJXV%KZWX=JQVK-XWZQ" * 5

CUTTING = """\
name: cutting
mode: mapreduce
secrets: [PASSPHRASE]
setup:
  - shell: |
      : xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx LONG
      echo "[\\"$PASSPHRASE\\", \\"plain\\", BROKEN]" > items.json
map:
  input: items.json
  json_path: $[*]
  agent_template:
    - shell: |
        : xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 'LONG'
        echo "$PASSPHRASE" > made; touch "$PASSPHRASE"; git add .
        git commit --quiet --message made
    - shell: |
        printf %s "$PASSPHRASE"; head -c FILL /dev/zero | tr '\\0' x
        test '${item}' = plain
"""


@pytest.fixture
def repository(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PASSPHRASE", SECRET)
    make_repository(terminal.directory / "repo")
    terminal.write("flow.yml", FLOW.replace("TOKEN", TOKEN))
    return terminal.directory / "repo"


def test_it_is_in_no_file_of_ours_and_in_nothing_that_is_printed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["run", "flow.yml", "--repo", "repo"])
    for command in (["events"], ["status"], ["dlq", "list"]):
        assert 0 == main([*command, "--repo", "repo"])
    told = "".join(capsys.readouterr())
    state = repository / ".git" / "anabranch"
    kept = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    for secret in (SECRET, TOKEN):
        assert secret not in told
        assert [] == [path for path, data in kept.items() if secret.encode() in data]
    assert any(b"with ***" in data for path, data in kept.items() if path.suffix == ".log")


def test_a_variable_that_is_not_set_is_told_before_anything_begins(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PASSPHRASE")
    assert 2 == main(["run", "flow.yml", "--repo", str(repository)])
    assert "PASSPHRASE" in capsys.readouterr().err


async def begun(repository: Path) -> None:
    """Leave a run that was begun from a commit with the name of the secret."""
    flow = load_workflow(FLOW)
    created = RunCreated(
        run="r1", workflow=flow.name, digest=digest(flow), base=SECRET, definition=to_data(flow)
    )
    directory = run_directory(open_repository(str(repository)).state, "r1")
    async with open_journal(directory, now=lambda: datetime.now(UTC)) as journal:
        journal.note(created)


@pytest.mark.parametrize("known", [True, False])
def test_it_is_masked_in_what_cancelling_fails_with_and_need_not_be_known(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    known: bool,
) -> None:
    anyio.run(begun, repository)
    if not known:
        monkeypatch.delenv("PASSPHRASE")
    assert 0 != main(["cancel", "r1", "--repo", "repo"])
    told = capsys.readouterr().err
    assert (not known, known) == (SECRET in told, "***" in told)


def parts_in(data: bytes) -> list[str]:
    """Which parts of the long secret are there, of four characters each."""
    parts = {LONG[at : at + 4] for at in range(len(LONG) - 3)}
    return sorted(part for part in parts if part.encode() in data)


@pytest.mark.parametrize("broken", ["7", "nonsense"])
@pytest.mark.parametrize("fill", [3990, 3999, 4001, 70000])
def test_no_part_of_it_is_left_where_texts_are_cut(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: str,
    fill: int,
) -> None:
    monkeypatch.setenv("PASSPHRASE", LONG)
    repository = terminal.directory / "repo"
    make_repository(repository)
    text = CUTTING.replace("LONG", LONG).replace("FILL", str(fill)).replace("BROKEN", broken)
    terminal.write("flow.yml", text)
    assert 0 != main(["run", "flow.yml", "--repo", "repo"])
    (run,) = (path.name for path in (repository / ".git/anabranch/runs").iterdir())
    shown = ["dlq", "show", run, "agent-0"]
    for command in (["status"], ["events"], ["logs"], ["dlq", "list"], ["dlq", "export"], shown):
        main([*command, "--repo", "repo"])
        main([*command, "--repo", "repo", "--json"])
    told = "".join(capsys.readouterr()).encode()
    assert [] == parts_in(told)
    assert b"***" in told
    state = repository / ".git" / "anabranch"
    kept = [path for path in state.rglob("*") if path.is_file() and path.suffix != ".index"]
    assert [] == [(path, found) for path in kept if (found := parts_in(path.read_bytes()))]
    said = ["git", "log", "--all", "--format=%B"]
    log = subprocess.run(said, cwd=repository, capture_output=True, check=True)
    assert [] == parts_in(log.stdout)
