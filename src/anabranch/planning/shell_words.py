"""A reader for the small part of the shell's grammar whose effects can be known beforehand.

It knows simple commands joined by `;`, newlines, `&&`, `||` and `|`; words made of plain text,
both kinds of quotes, backslashes, parameters and `$( … )`; and redirections to and from files.
Everything else (compound commands, functions, here-documents, background jobs, arithmetic,
backticks, brace and `~user` expansion) raises `NotUnderstoodError`: this may do anything.

The grammar is that of the POSIX Shell Command Language, sections 2.2 to 2.10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve, frozen

_MAX_NESTING: Final = 20
_WORD_ENDS: Final = frozenset({"", " ", "\t", "\n", ";", "&", "|", "<", ">", "(", ")"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL: Final = re.compile(r"[0-9@*#?$!-]")
_TARGET: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_PLAIN: Final = re.compile(r"[^\s\\'\"$`;&|<>(){}#*?\[~!]+")
_PLAIN_IN_QUOTES: Final = re.compile(r"[^\"\\$`]+")
_PLAIN_IN_BRACES: Final = re.compile(r"[^}\"'\\$`{~]+")
_OPERATOR: Final = re.compile(r"&&|\|\||;(?!;)|\||\n")
_REDIRECTION: Final = re.compile(
    r"\d*(>>|>\||<(?![<>&(])|>(?![>&(|]))[ \t]*|\d*>&(?:\d+|-)(?=[\s;&|)]|$)"
)
_REFERENCE: Final = re.compile(r"\s*([A-Za-z_]\w*)(?:\.|\[-?\d)[^{}$`'\"\\]*\}")
_PARAMETER_OPERATOR: Final = re.compile(r":?[-+=?]|%%?|##?")
_BLANK: Final = re.compile(r"(?:[ \t]|\\\n)+")


class NotUnderstoodError(Exception):
    """The text is outside the known part of the grammar."""


@frozen(kw_only=True)
class Word:
    """One word of a command, as far as it can be known without running it.

    Attributes:
        text: the value, if it is `fixed`.
        target: the variable, if the word has the form of an assignment.
        variables: parameters whose values go into it.
        assigned: variables that its expansion may set (`${A:=x}`).
        fixed: whether the value is `text`, always.
        split: whether an unquoted expansion or wildcard may turn it into other words.
        nested: the commands of the substitutions in it.
    """

    text: str = ""
    target: str | None = None
    variables: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    fixed: bool = True
    split: bool = False
    nested: tuple[SimpleCommand, ...] = ()

    def __add__(self, other: Word) -> Word:
        return Word(
            text=self.text + other.text,
            target=self.target,
            variables=self.variables | other.variables,
            assigned=self.assigned | other.assigned,
            fixed=self.fixed and other.fixed,
            split=self.split or other.split,
            nested=self.nested + other.nested,
        )


@frozen(kw_only=True)
class SimpleCommand:
    """Words in order, then redirections as pairs of operator and target."""

    words: tuple[Word, ...] = ()
    redirections: tuple[tuple[str, Word], ...] = ()


def read_script(text: str) -> tuple[SimpleCommand, ...]:
    """Read a whole script into its simple commands, in the order of the text.

    Raises:
        NotUnderstoodError: some of it is outside the known part of the grammar.

    >>> [word.text for word in read_script("echo 'a b' c; true")[0].words]
    ['echo', 'a b', 'c']
    """
    return _Reader(text).commands(closing="")


class _Reader:
    """A recursive-descent reader; `at` is how far it has come."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        if self.at >= len(self.text):
            raise NotUnderstoodError
        self.at += 1
        return self.text[self.at - 1]

    def commands(self, *, closing: str) -> tuple[SimpleCommand, ...]:
        found: list[SimpleCommand] = []
        while True:
            found.append(self.simple_command())
            if self.peek() == closing:
                return tuple(c for c in found if c.words or c.redirections)
            if self.take(_OPERATOR) is None:
                raise NotUnderstoodError

    def simple_command(self) -> SimpleCommand:
        words: list[Word] = []
        redirections: list[tuple[str, Word]] = []
        while True:
            self.take(_BLANK)
            if self.peek() == "#":
                self.at = (self.text + "\n").index("\n", self.at)
            elif (redirection := self.take(_REDIRECTION)) is not None:
                if redirection[1]:
                    redirections.append((redirection[1], self.needed_word()))
            elif (word := self.word()) is not None:
                words.append(word)
            else:
                return SimpleCommand(words=tuple(words), redirections=tuple(redirections))

    def needed_word(self) -> Word:
        word = self.word()
        if word is None:
            raise NotUnderstoodError
        return word

    def word(self) -> Word | None:
        start = self.at
        target = self.take(_TARGET)
        word = Word() if target is None else Word(text=target[0], target=target[1])
        while (part := self.part()) is not None:
            word += part
        return word if self.at > start else None

    def part(self) -> Word | None:
        """Read one piece of an unquoted word; `None` where the word ends."""
        if (plain := self.take(_PLAIN)) is not None:
            return Word(text=plain[0])
        char = self.peek()
        if char in _WORD_ENDS:
            return None
        reader = _PARTS.get(char)
        if reader is None:
            raise NotUnderstoodError
        return reader(self)

    def literal(self) -> Word:
        return Word(text=self.next())

    def wildcard(self) -> Word:
        char = self.next()
        literal = char == "[" and self.peek() in {"", " ", "\t", "\n"}
        return Word(text=char, fixed=literal, split=not literal)

    def escaped(self) -> Word:
        self.next()
        char = self.next()
        return Word(text="" if char == "\n" else char)

    def home(self) -> Word:
        starts_word = self.text[self.at - 1 : self.at] in {"", " ", "\t", "\n"}
        self.next()
        if not starts_word or self.peek() not in {"", "/", " ", "\t", "\n", ";"}:
            raise NotUnderstoodError
        return Word(text="~", variables=frozenset({"HOME"}), fixed=False)

    def single_quoted(self) -> Word:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise NotUnderstoodError
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return Word(text=inside, fixed="${" not in inside and "{{" not in inside)

    def double_quoted(self) -> Word:
        self.next()
        word = Word()
        while (char := self.peek()) != '"':
            if (plain := self.take(_PLAIN_IN_QUOTES)) is not None:
                word += Word(text=plain[0], fixed="{{" not in plain[0])
            elif char == "$":
                word += self.dollar(quoted=True)
            elif char == "\\":
                word += self.escaped_in_quotes()
            else:
                raise NotUnderstoodError
        self.next()
        return word

    def escaped_in_quotes(self) -> Word:
        escaped = self.escaped()
        return escaped if escaped.text in {"", "$", "`", '"', "\\"} else Word(fixed=False)

    def dollar(self, *, quoted: bool = False) -> Word:
        self.next()
        if (name := self.take(_NAME)) is not None:
            return _parameter(name[0], quoted=quoted)
        if self.take(_SPECIAL) is not None:
            return Word(fixed=False, split=not quoted)
        match self.peek():
            case "{":
                return self.braces(quoted=quoted)
            case "(":
                return self.substitution(quoted=quoted)
            case "'" | '"' if not quoted:
                raise NotUnderstoodError
            case _:
                return Word(text="$")

    def substitution(self, *, quoted: bool) -> Word:
        self.next()
        self.nesting += 1
        if self.peek() == "(" or self.nesting > _MAX_NESTING:
            raise NotUnderstoodError
        nested = self.commands(closing=")")
        self.next()
        self.nesting -= 1
        return Word(fixed=False, split=not quoted, nested=nested)

    def braces(self, *, quoted: bool) -> Word:
        self.next()
        if (reference := self.take(_REFERENCE)) is not None:
            return _parameter(reference[1], quoted=True)
        if self.peek() == "#":
            self.next()
            length = _parameter(self.needed_name(), quoted=quoted)
            return length + self.closing_brace()
        name = self.needed_name()
        operator = self.take(_PARAMETER_OPERATOR)
        if operator is None:
            return _parameter(name, quoted=quoted) + self.closing_brace()
        sets = frozenset[str]({name} if operator[0].endswith("=") else set())
        word = evolve(_parameter(name, quoted=quoted), assigned=sets)
        return word + self.operand(quoted=quoted)

    def needed_name(self) -> str:
        name = self.take(_NAME)
        if name is None:
            raise NotUnderstoodError
        return name[0]

    def closing_brace(self) -> Word:
        if self.next() != "}":
            raise NotUnderstoodError
        return Word()

    def operand(self, *, quoted: bool) -> Word:
        """Read the word after the operator of `${name…}`, and the closing brace."""
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise NotUnderstoodError
        word = Word()
        while (char := self.peek()) != "}":
            if self.take(_PLAIN_IN_BRACES) is not None:
                continue
            if char == "$":
                word += self.dollar(quoted=quoted)
            elif char == "\\":
                self.escaped()
            else:
                raise NotUnderstoodError
        self.nesting -= 1
        return word + self.closing_brace()


def _parameter(name: str, *, quoted: bool) -> Word:
    return Word(variables=frozenset({name}), fixed=False, split=not quoted)


_PARTS: Final[Mapping[str, Callable[[_Reader], Word]]] = {
    "'": _Reader.single_quoted,
    '"': _Reader.double_quoted,
    "\\": _Reader.escaped,
    "$": _Reader.dollar,
    "~": _Reader.home,
    "*": _Reader.wildcard,
    "?": _Reader.wildcard,
    "[": _Reader.wildcard,
    "!": _Reader.literal,
    "#": _Reader.literal,
}
"""What begins with which character, inside an unquoted word."""
