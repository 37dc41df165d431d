"""Commands that read their arguments as code: no place for a value.

Quoting hands a value to a command intact; `eval`, `trap` or `sh -c` then run it. Of those that
are the shell's own (its builtins, another shell's `-c`, arithmetic in `[[ … ]]`) the ones below
are refused, since a value in them is code whatever quotes are around it. What other programs
do with their arguments (`ssh`, `python -c`) cannot be known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from anabranch.expressions.shell.tape import Tape
from anabranch.expressions.shell.words import ASSIGNMENT, Word

_RUN_ALL: Final = frozenset({"eval", "let", "trap", "alias", "unset"})
_DECLARE: Final = frozenset({"declare", "typeset", "local", "export", "readonly"})
_NAMES: Final = {
    "read": re.compile(r"-[a-zA-Z]*[pdtnNui]"),
    "mapfile": re.compile(r"-[a-zA-Z]*[dnOsuc]"),
    "readarray": re.compile(r"-[a-zA-Z]*[dnOsuc]"),
}
"""Builtins that take names of variables, and their options that take plain data."""
_NAME_OPTIONS: Final = {
    "printf": ("-v",),
    "test": ("-v", "-R"),
    "[": ("-v", "-R"),
    "[[": ("-v", "-R"),
    "wait": ("-p",),
}
_SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish", "su"})
_PREFIXES: Final = frozenset({"command", "builtin", "exec", "env", "sudo", "nohup", "nice", "time"})
_CODE_OPTION: Final = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*|--command")
_INTEGER_OPERATORS: Final = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_ODD_DECLARATION: Final = re.compile(r"-[a-zA-Z]*[in]")

_HINT: Final = (
    "assign the value to a variable first (`name=${item.path}`) and use `$name` there, "
    "or pass it to `sh -c` as an argument: `sh -c 'echo \"$1\"' sh ${item.path}`"
)


def check_command(words: Sequence[Word], tape: Tape) -> None:
    """Refuse references in the arguments that a simple command would run."""
    for word in _code_of_shells(words):
        _refuse(word, tape)
    rest = list(words)
    while rest and (_is_prefix(rest[0].plain) or ASSIGNMENT.match(rest[0].plain)):
        rest.pop(0)
    if not rest or not any(word.holes for word in rest):
        return
    name, arguments = rest[0].plain, rest[1:]
    for word in _run_by(name, arguments):
        _refuse(word, tape)


def check_test(operands: Sequence[Word], tape: Tape) -> None:
    """Refuse references in `[[ … ]]` that would be evaluated: as numbers, or as names."""
    for left, operator, right in zip(operands, operands[1:], operands[2:], strict=False):
        if operator.plain in _INTEGER_OPERATORS:
            for _, hole in (*left.holes, *right.holes):
                hole.numeric = True
    for word in _after(operands, _NAME_OPTIONS["[["]):
        _refuse(word, tape)


def _is_prefix(text: str) -> bool:
    return text in _PREFIXES or text.startswith("-")


def _refuse(word: Word, tape: Tape) -> None:
    for _, hole in word.holes:
        tape.note(
            hole,
            "value-as-code",
            "the shell would run this argument as code, and values are never code",
            hint=_HINT,
        )


def _run_by(name: str, arguments: Sequence[Word]) -> Iterable[Word]:
    """The arguments that a builtin of the shell evaluates."""
    if name in _RUN_ALL:
        return arguments
    if name in _DECLARE:
        odd = any(_ODD_DECLARATION.match(word.plain) for word in arguments)
        return arguments if odd else [word for word in arguments if not _assigns_values(word)]
    if name in _NAMES:
        pairs = zip([None, *arguments], arguments, strict=False)
        data = _NAMES[name]
        return [word for before, word in pairs if not (before and data.fullmatch(before.plain))]
    return list(_after(arguments, _NAME_OPTIONS.get(name, ())))


def _assigns_values(word: Word) -> bool:
    """Whether every reference stands after a plain `name=`."""
    found = re.match(r"[A-Za-z_]\w*\+?=", word.plain)
    return found is not None and all(place >= found.end() for place, _ in word.holes)


def _after(words: Sequence[Word], options: tuple[str, ...]) -> Iterable[Word]:
    """The words that follow one of the options, or are joined to it."""
    for before, word in zip([None, *words], words, strict=False):
        if (before and before.plain in options) or word.plain.startswith(
            tuple(f"{option}\0" for option in options)
        ):
            yield word


def _code_of_shells(words: Sequence[Word]) -> Iterable[Word]:
    """The words that a shell named among the words takes as its script (`sh -c`)."""
    for number, word in enumerate(words):
        if word.plain.rpartition("/")[2] in _SHELLS:
            yield from _code_word(words[number + 1 :])


def _code_word(words: Sequence[Word]) -> Iterable[Word]:
    option = next((n for n, word in enumerate(words) if _CODE_OPTION.fullmatch(word.plain)), None)
    if option is not None:
        after = words[option + 1 :]
        yield from [word for word in after if not word.plain.startswith("-")][:1]
