"""The environment of commands that nobody watches: nothing in it may wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DEFAULTS: Final[Mapping[str, str]] = {
    "DEBIAN_FRONTEND": "noninteractive",
    "GCM_INTERACTIVE": "never",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_TERMINAL_PROMPT": "0",
    "PIP_NO_INPUT": "1",
    "SSH_ASKPASS_REQUIRE": "never",
}
"""What tells programs not to ask; whoever has set one of these has decided otherwise."""

_OF_A_TERMINAL: Final = frozenset({"COLUMNS", "LINES", "TERMCAP", "WINDOWID"})


def unattended(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without a terminal and without a person, made of one that has both.

    >>> unattended({"PATH": "/bin", "TERM": "xterm", "COLUMNS": "80"})["TERM"]
    'dumb'
    """
    kept = {name: value for name, value in environ.items() if name not in _OF_A_TERMINAL}
    return {**DEFAULTS, **kept, "TERM": "dumb"}
