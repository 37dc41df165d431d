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

_RUN_ALL: Final = frozenset({"eval", "let", "trap", "alias", "unset", "compgen", "complete"})
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
_ARRAY_OPTION: Final = re.compile(r"-[a-zA-Z]*[aA]")
_EVALUATING_OPTION: Final = re.compile(r"-[a-zA-Z]*[in]")
_EVALUATED: Final = re.compile(r"(PS[0-4]|PROMPT_COMMAND)\+?=")
"""Variables whose text bash expands by itself."""

_HINT: Final = (
    "assign the value to a variable first (`name=${item.path}`) and use `$name` there, "
    "or pass it to `sh -c` as an argument: `sh -c 'echo \"$1\"' sh ${item.path}`"
)


def check_command(words: Sequence[Word], tape: Tape) -> None:
    """Refuse references in the words of a simple command that the shell would run.

    Raises:
        ConfigError: a declaration after which nothing that is assigned is data.
    """
    for word in (*_code_of_shells(words), *filter(_is_evaluated, words)):
        _refuse(word, tape)
    name, arguments = _called(words)
    if name in _DECLARE:
        _check_declaration(arguments, tape)
    for word in _run_by(name, arguments):
        _refuse(word, tape)


def check_inputs(words: Sequence[Word], inputs: Sequence[Word], tape: Tape) -> None:
    """Refuse references in what a shell without a script reads as its script."""
    name, arguments = _called(words)
    if _base(name) in _SHELLS and all(word.plain.startswith("-") for word in arguments):
        for word in inputs:
            _refuse(word, tape)


def _called(words: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    """What a simple command calls in the end, behind assignments and `command`, `env` or `sudo`."""
    for number, word in enumerate(words):
        if not _is_prefix(word.plain) and not ASSIGNMENT.match(word.plain):
            return word.plain, words[number + 1 :]
    return "", ()


def _check_declaration(arguments: Sequence[Word], tape: Tape) -> None:
    for word in arguments:
        if _EVALUATING_OPTION.match(word.plain):
            raise tape.refusal(
                "from here on the shell would evaluate whatever is assigned",
                at=word.start,
                hint="leave `-i` and `-n` out; a number is assigned by `name=$((…))`",
            )
        for _, hole in word.holes:
            hole.declared = True


def _is_evaluated(word: Word) -> bool:
    return _EVALUATED.match(word.plain) is not None


def _base(name: str) -> str:
    return name.rpartition("/")[2]


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
        odd = any(_ARRAY_OPTION.match(word.plain) for word in arguments)
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
        if _base(word.plain) in _SHELLS:
            yield from _code_word(words[number + 1 :])


def _code_word(words: Sequence[Word]) -> Iterable[Word]:
    option = next((n for n, word in enumerate(words) if _CODE_OPTION.fullmatch(word.plain)), None)
    if option is not None:
        after = words[option + 1 :]
        yield from [word for word in after if not word.plain.startswith("-")][:1]
