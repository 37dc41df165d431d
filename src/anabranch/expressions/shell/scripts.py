"""Templates for a shell, compiled: every value is data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from attrs import field, frozen

from anabranch.expressions.rendering import render
from anabranch.expressions.scanner import refuse
from anabranch.expressions.scopes import Scope, is_known
from anabranch.expressions.shell.commands import read_commands
from anabranch.expressions.shell.filling import Filling, unfit
from anabranch.expressions.shell.holes import Hole, Piece
from anabranch.expressions.shell.tape import UNCLOSED, Tape
from anabranch.expressions.templates import Reference, left_to_shell, parse_template
from anabranch.values import ConfigError, Problem

BUDGET: Final = 64 * 1024
"""How many bytes of script and variables are handed over at the start of a process.

Linux allows 128 KiB for one string and a quarter of the stack limit, at least 128 KiB, for all
of them together with the environment that the process inherits.
"""

_MENTIONED: Final = re.compile(r"\$\{?[#!]?([A-Za-z_]\w*)", re.ASCII)
_FILE: Final = "script.sh"


@frozen(kw_only=True)
class ShellScript:
    """A command for `sh` or `bash` in which every value is data.

    To run it, start `["sh", "-c", script.script]` with `script.environment(directory)` added to
    the environment. If there are `files`, write them first, readable by nobody else, into a
    directory of their own; it may go when the process has ended.

    Attributes:
        script: the command, for `-c`.
        env: variables that the script reads.
        files: what does not fit into the start of a process, by name.
        directory: the name of the variable that says where the files are.
    """

    script: str
    env: Mapping[str, str]
    files: Mapping[str, bytes] = field(factory=dict[str, bytes])
    directory: str = ""

    def environment(self, directory: str | None = None) -> Mapping[str, str]:
        """The variables to add to the environment.

        Args:
            directory: the absolute path of the directory that holds the files.

        Raises:
            ValueError: there are files and no directory was named.
        """
        if not self.files:
            return self.env
        if directory is None:
            raise ValueError("this script has files: say in which directory they are")
        return {**self.env, self.directory: directory}


def compile_shell(text: str, scope: Scope) -> ShellScript:
    r"""Compile a command with references to a script in which every value is data.

    A value arrives as it is, whatever it contains, in bare words, all kinds of quotes,
    here-documents, nested `$(…)` and backticks; a bare string is one word, unsplit and
    unglobbed, a bare list is one word for each element. Where only a number makes sense
    (arithmetic, subscripts) only an integer is taken. Names that the scope does not know are
    left to the shell, and `$name` without braces always is: its value comes in the environment.

    Args:
        text: the command.
        scope: the variables.

    Raises:
        ConfigError: a reference without a value, a value that no process can be given, a place
            where a value would be run as code, quotes that are not closed.

    >>> compiled = compile_shell("git commit -m 'About ${item.title}'", {"item": {"title": "a'b"}})
    >>> compiled.script
    'git commit -m \'About \'"${__anabranch_0}"\'\''
    >>> dict(compiled.env)
    {'__anabranch_0': "a'b"}
    """
    references = parse_template(text, shell=True).references
    known = frozenset(found.head for found in references if is_known(scope, found.head))
    filling = Filling(scope, _free_prefix(text, scope))
    script = filling.fill(_read(text, known))
    mentioned = _mentioned(script, scope)
    unfits = (unfit(text, what="the value", value=f"${name}") for name, text in mentioned.items())
    refuse([*filling.problems, *filter(None, unfits)])
    return _packed(script, {**mentioned, **filling.variables}, filling.prefix)


def check_shell(text: str, names: Iterable[str]) -> tuple[Problem, ...]:
    """What `compile_shell` would refuse whatever the values are, and a quote never closed.

    A command without a reference of ours is the shell's own affair, but for such a quote: every
    shell stops at it that reads so far.

    Args:
        text: the command.
        names: the names that the scope will know.

    >>> [problem.message for problem in check_shell("sh -c 'rm ${item.path}'", ["item"])]
    ['the shell would run this argument as code, and values are never code']
    """
    try:
        pieces = _read(text, frozenset(names))
    except ConfigError as error:
        return error.problems
    return () if any(isinstance(piece, Hole) for piece in pieces) else _unclosed(text)


def _unclosed(text: str) -> tuple[Problem, ...]:
    try:
        read_commands(Tape(text, lambda _: False))
    except ConfigError as error:
        return tuple(problem for problem in error.problems if problem.code == UNCLOSED)
    return ()


@lru_cache(maxsize=512)
def _read(text: str, known: frozenset[str]) -> tuple[Piece, ...]:
    """A command, read once for all values: texts, and holes for the references of known names."""

    def is_ours(reference: Reference) -> bool:
        return not left_to_shell(reference, known=reference.head in known)

    if problem := unfit(text, what="the command"):
        raise ConfigError(problem)
    template = parse_template(text, shell=True)
    if any(map(is_ours, template.references)):
        return read_commands(Tape(text, is_ours))
    return (template.render({}),)


def _free_prefix(text: str, scope: Scope) -> str:
    """The beginning of our variables' names, which neither the text nor the scope uses."""
    prefix = "__anabranch_"
    while prefix in text or any(name.startswith(prefix) for name in scope):
        prefix += "_"
    return prefix


def _mentioned(script: str, scope: Scope) -> Mapping[str, str]:
    """The variables of the scope that the script reads as its own."""
    names = sorted({name for name in _MENTIONED.findall(script) if name in scope})
    return {name: render(scope[name]) for name in names}


def _packed(script: str, values: Mapping[str, str], prefix: str) -> ShellScript:
    """The script with its values, in the environment as far as they fit."""
    room = BUDGET - len(script.encode("utf-8", "surrogateescape"))
    env: dict[str, str] = {}
    large: dict[str, str] = {}
    for name, value in values.items():
        size = len(name) + len(value.encode("utf-8", "surrogateescape")) + 16
        target = env if size <= room else large
        target[name] = value
        room -= size if target is env else 0
    if not large and room >= 0:
        return ShellScript(script=script, env=env)
    directory = f"{prefix}directory"
    assignments = "".join(f"{name}={_literal(value)}\n" for name, value in large.items())
    return ShellScript(
        script=f'. "${{{directory}}}/{_FILE}"',
        env=env,
        files={_FILE: (assignments + script).encode("utf-8", "surrogateescape")},
        directory=directory,
    )


def _literal(text: str) -> str:
    """A text in single quotes, as the shell reads it."""
    return "'" + text.replace("'", "'\\''") + "'"
