from __future__ import annotations

from anabranch.planning.unattended import DEFAULTS, unattended


def test_what_was_inherited_stays_but_for_what_speaks_of_a_terminal() -> None:
    inherited = {"PATH": "/bin", "HOME": "/root", "TERM": "xterm", "LINES": "24"}
    assert {**DEFAULTS, "PATH": "/bin", "HOME": "/root", "TERM": "dumb"} == unattended(inherited)


def test_whoever_said_that_git_may_ask_has_decided() -> None:
    assert "1" == unattended({"GIT_TERMINAL_PROMPT": "1"})["GIT_TERMINAL_PROMPT"]
