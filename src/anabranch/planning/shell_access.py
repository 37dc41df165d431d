"""What a shell command reads and writes, as far as its text says so.

Only what the shell itself does is known: assignments, `export`, and the builtins that print,
test or do nothing. A program may do anything, so a text that runs one touches everything;
so does syntax that the reader does not know. An unquoted expansion is a pattern that is matched
against file names, so `echo $A` reads the workspace, where `echo "$A"` reads one variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from anabranch.planning.access import EVERYTHING, NOTHING, WORKSPACE, AccessSet
from anabranch.planning.shell_words import NotUnderstoodError, SimpleCommand, Word, read_script

_READ_WORKSPACE: Final = AccessSet(reads=frozenset({WORKSPACE}))
_LOCALE: Final = AccessSet.of(reads=["var:LANG", "var:LC_ALL", "var:LC_CTYPE", "var:LC_NUMERIC"])
_DEVICES: Final = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STORES_A_COUNT: Final = re.compile(r"%[^A-Za-z]*n")
_COMPARISONS: Final = frozenset({"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"})


def shell_access(text: str) -> AccessSet:
    """Work out what a shell text reads and writes; `EVERYTHING` where that cannot be known.

    >>> sorted(map(str, shell_access('B="$A"').reads))
    ['var:A']
    >>> shell_access("make") == EVERYTHING
    True
    """
    try:
        return _of_commands(read_script(text))
    except NotUnderstoodError:
        return EVERYTHING


def _of_commands(commands: Iterable[SimpleCommand]) -> AccessSet:
    access = NOTHING
    for command in commands:
        access |= _of_command(command)
    return access


def _of_command(command: SimpleCommand) -> AccessSet:
    words = command.words
    first = next((at for at, word in enumerate(words) if word.target is None), len(words))
    access = NOTHING
    for word in words[:first]:
        access |= _assignment(word)
    for operator, target in command.redirections:
        access |= _redirection(operator, target)
    if first < len(words):
        access |= _builtin(words[first], words[first + 1 :])
    return access


def _assignment(word: Word) -> AccessSet:
    """Expand the value, which the shell does not split, and set the variable."""
    return _values(word) | AccessSet.of(writes=[f"var:{word.target}"])


def _values(word: Word) -> AccessSet:
    plain = AccessSet.of(
        reads=[f"var:{name}" for name in word.variables],
        writes=[f"var:{name}" for name in word.assigned],
    )
    return plain | _of_commands(word.nested)


def _argument(word: Word) -> AccessSet:
    return _values(word) | (_READ_WORKSPACE if word.split else NOTHING)


def _redirection(operator: str, target: Word) -> AccessSet:
    access = _argument(target)
    if target.fixed and target.text in _DEVICES:
        return access
    file = [f"file:{target.text}" if target.fixed and target.text else "workspace"]
    return access | (AccessSet.of(reads=file) if operator == "<" else AccessSet.of(writes=file))


def _builtin(name: Word, arguments: Sequence[Word]) -> AccessSet:
    known = _BUILTINS.get(name.text) if name.fixed else None
    if known is None:
        raise NotUnderstoodError
    access = known(arguments)
    for word in arguments:
        access |= _argument(word)
    return access


def _only_prints(_: Sequence[Word]) -> AccessSet:
    return NOTHING


def _printf(arguments: Sequence[Word]) -> AccessSet:
    if not arguments or not arguments[0].fixed:
        raise NotUnderstoodError
    layout = arguments[0].text
    if layout.startswith("-") or _STORES_A_COUNT.search(layout):
        raise NotUnderstoodError
    return _LOCALE


def _export(arguments: Sequence[Word]) -> AccessSet:
    if not arguments:
        raise NotUnderstoodError
    access = NOTHING
    for word in arguments:
        if word.target is not None and not word.split:
            access |= _assignment(word)
        elif word.fixed and _NAME.fullmatch(word.text):
            access |= AccessSet.of(writes=[f"var:{word.text}"])
        else:
            raise NotUnderstoodError
    return access


def _test(arguments: Sequence[Word]) -> AccessSet:
    """See whether it only compares texts and numbers; another test looks at files."""
    match [word.text if word.fixed else None for word in arguments]:
        case [] | [_] | ["-n" | "-z", _]:
            return NOTHING
        case [_, comparison, _] if comparison in _COMPARISONS:
            return NOTHING
        case _:
            return _READ_WORKSPACE


def _bracket(arguments: Sequence[Word]) -> AccessSet:
    if not arguments or not arguments[-1].fixed or arguments[-1].text != "]":
        raise NotUnderstoodError
    return _test(arguments[:-1])


_BUILTINS: Final[Mapping[str, Callable[[Sequence[Word]], AccessSet]]] = {
    ":": _only_prints,
    "true": _only_prints,
    "false": _only_prints,
    "echo": _only_prints,
    "pwd": _only_prints,
    "printf": _printf,
    "export": _export,
    "test": _test,
    "[": _bracket,
}
