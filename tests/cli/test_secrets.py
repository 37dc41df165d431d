"""What is secret is nowhere: not in the journal, not in a log, not on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from anabranch.cli import main
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
