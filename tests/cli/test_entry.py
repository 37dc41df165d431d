from __future__ import annotations

import gc
import subprocess
import sys

import click
import pytest

from anabranch.cli import main
from anabranch.cli.commands import COMMANDS, app
from anabranch.values import HostError, RunError
from tests.cli.terminal import Terminal


def test_the_command_line_says_what_there_is(terminal: Terminal) -> None:
    assert [0, 0, 2] == [terminal.type(f"anabranch{a}") for a in (" --help", " validate -h", "")]
    terminal.matches("help")


def test_a_wrong_call_is_told_with_a_hint(terminal: Terminal) -> None:
    calls = ["valdate x", "frobnicate", "validate", "validate --jsn x", "validate a b", "--json x"]
    assert {2} == {terminal.type(f"anabranch {call}") for call in calls}
    terminal.matches("wrong-calls")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_words_that_it_helps_with(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert (name, COMMANDS[name]) == (command.name, command.help)


def test_listing_the_commands_imports_none_of_them() -> None:
    program = (
        "import sys; from anabranch.cli import main; main(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('anabranch.cli.validate', 'ruamel', 'rich')))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode


def test_a_program_that_calls_it_keeps_its_own_garbage_collector() -> None:
    before = gc.get_threshold()
    main(["--version"])
    assert before == gc.get_threshold()


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anabranch", "--version"], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"anabranch ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RunError.of("failed", "1 of 3 agents failed"), 1),
        (HostError.of("no-git", "git is not installed"), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("division by zero"), 70),
    ],
)
def test_the_exit_code_tells_who_can_act(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("anabranch.cli.validate.read_source", fail)
    assert code == main(["validate", "flow.yml"])


def test_a_fault_of_our_own_shows_where_it_is_and_what_it_brings_along(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        error = ZeroDivisionError("division by zero")
        error.add_note("the journal is in .git/anabranch/r1")
        raise error

    monkeypatch.setattr("anabranch.cli.validate.read_source", fail)
    main(["validate", "flow.yml"])
    told = capsys.readouterr().err
    assert "a fault in anabranch itself: ZeroDivisionError: division by zero\n" in told
    assert "the journal is in .git/anabranch/r1" in told


def test_a_shell_can_complete_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "_ANABRANCH_COMPLETE": "bash_complete",
        "COMP_WORDS": "anabranch val",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(name, value)
    main([])
    assert "plain,validate" in capsys.readouterr().out
