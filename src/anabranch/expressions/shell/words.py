r"""Words of a command: what each character means inside each kind of quotes.

The theory. A value must reach the command as the expansion of a variable, since a shell never
reads the result of an expansion as quotes, operators or further expansions; what it still does
to it is split it at white space, match it against file names and, in arithmetic, evaluate it.
So the only question is how to write the expansion where the reference stands:

    | where it stands                   | written            | because                             |
    |-----------------------------------|--------------------|-------------------------------------|
    | bare                              | `"${v}"`           | quoted: not split, not matched      |
    | `"…"`, here-document, `"${x:-…}"` | `${v}`             | quoted already                      |
    | `'…'`                             | `'"${v}"'`         | the quotes end and begin again      |
    | `<<'END'`                         | `${v}`             | the document is rewritten unquoted  |
    | `${x#…}`, case patterns           | `"${v}"`           | quoted: not a pattern               |
    | `$((…))`, subscripts              | the digits         | anything else would be evaluated    |
    | comment                           | left as it stands  | nobody reads it                     |

To know where it stands this lexer follows the grammar of the POSIX shell (IEEE 1003.1, Shell
Command Language, 2.2 to 2.10) with bash's additions. Where sh and bash read a text differently,
or where the context has no safe way to write an expansion, it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from anabranch.expressions.shell.holes import Hole, Write
from anabranch.expressions.shell.tape import UNCLOSED, Tape


class Quotes(Enum):
    """Which quoting rules hold where a character stands."""

    NONE = auto()
    DOUBLE = auto()
    HERE = auto()


class Word:
    """A word of a command while it is read: what it says, and the references of ours in it.

    Attributes:
        start: the offset of its first character.
        single: why a list cannot be several words here; empty if it can.
        quoted: whether any of it was quoted or expanded.
        size: the length of its text without quotes.
        holes: the references, each with the length of that text before it.
    """

    __slots__ = ("_parts", "holes", "quoted", "single", "size", "start")

    def __init__(self, start: int, single: str = "") -> None:
        self.start = start
        self.single = single
        self.quoted = False
        self.size = 0
        self.holes: list[tuple[int, Hole]] = []
        self._parts: list[str] = []

    @property
    def plain(self) -> str:
        """The text without quotes; each expansion is a NUL."""
        return "".join(self._parts)

    def add(self, text: str) -> None:
        """Add to the text."""
        self._parts.append(text)
        self.size += len(text)

    def add_expansion(self, hole: Hole | None = None) -> None:
        """Add what the text does not say."""
        if hole is not None:
            self.holes.append((self.size, hole))
        self.add("\0")
        self.quoted = True


_PLAIN_IN_DOUBLE: Final = re.compile(r"[^\"\\$`{]+")
_PLAIN_IN_SINGLE: Final = re.compile(r"[^'${]+")
_PLAIN_IN_HERE: Final = re.compile(r"[^\\$`{]+")
_SPECIAL_AFTER_BACKSLASH: Final = {Quotes.DOUBLE: '$`"\\\n', Quotes.HERE: "$`\\\n"}
_PARAMETER: Final = re.compile(r"[#!]?(?:[A-Za-z_]\w*|\d+|[@*#?$!-])?", re.ASCII)
_OPERATOR: Final = re.compile(r":?[-=+?]|%%?|##?|:|")
_HARMLESS_SINGLE: Final = re.compile(r"'[^'}$`\"\\{]*'")
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*(\[[^\]]*\])?\+?=", re.ASCII)
_SUBSCRIPT: Final = re.compile(r"(?:[A-Za-z_]\w*)?\[[^\]]*", re.ASCII)
_ESCAPED: Final = re.compile(r"\\([$`\\])")
_ESCAPED_IN_DOUBLE: Final = re.compile(r"\\([$`\\\"])")


class Words:
    """Reads what words are made of.

    Attributes:
        word: the word being read.
        subscripts: whether `name[…]` at the start of this word is an array element.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        substitution: Callable[[], None],
        nested: Callable[[Tape], None],
    ) -> None:
        self.tape = tape
        self.word = Word(0)
        self.subscripts = False
        self._substitution = substitution
        self._nested = nested

    # --- references ------------------------------------------------------------------------------

    def reference(self, write: Write) -> bool:
        """Write the reference of ours that stands here, if one does."""
        start = self.tape.pos
        reference = self.tape.take_reference()
        if reference is None:
            return False
        hole = Hole(reference, self._adjusted(write, start), single=self.word.single)
        self.word.add_expansion(hole)
        self.tape.put(hole)
        if write is Write.NOWHERE:
            self.tape.note(
                hole,
                "no-place-for-value",
                "there is no safe way to put a value here",
                hint="assign it to a variable in a line before (`name=${item.path}`) and use that",
            )
        return True

    def _adjusted(self, write: Write, start: int) -> Write:
        """In a subscript only a number is data; what is assigned is one word."""
        text, begin = self.tape.text, self.word.start
        if self.subscripts and _SUBSCRIPT.fullmatch(text, begin, start):
            return Write.NOWHERE if write is Write.NOWHERE else Write.DIGITS
        if write is Write.WORDS and ASSIGNMENT.match(text, begin, start):
            return Write.QUOTED
        return write

    # --- quotes ----------------------------------------------------------------------------------

    def literal(self, count: int) -> None:
        """Take over characters that stand for themselves."""
        self.word.add(self.tape.text[self.tape.pos : self.tape.pos + count])
        self.tape.copy(count)

    def backslash(self, quotes: Quotes = Quotes.NONE) -> None:
        """A backslash, with the character it quotes if it quotes here."""
        following = self.tape.text[self.tape.pos + 1 : self.tape.pos + 2]
        if quotes in _SPECIAL_AFTER_BACKSLASH and (
            not following or following not in _SPECIAL_AFTER_BACKSLASH[quotes]
        ):
            self.literal(1)
            return
        self.word.quoted = True
        self.word.add(following.strip("\n"))
        self.tape.copy(2)

    def double(self, write: Write = Write.INSIDE) -> None:
        """A double-quoted string."""
        start = self.tape.pos
        self.word.quoted = True
        self.tape.copy()
        while not self.tape.at('"'):
            if self.tape.done:
                raise self.tape.refusal(
                    "this double quote is never closed", at=start, code=UNCLOSED
                )
            self.inside(Quotes.DOUBLE, write, _PLAIN_IN_DOUBLE)
        self.tape.copy()

    def inside(self, quotes: Quotes, write: Write, plain: re.Pattern[str] = _PLAIN_IN_HERE) -> None:
        """The next piece of a double-quoted string or of a here-document."""
        if run := self.tape.match(plain):
            self.literal(len(run))
        elif self.tape.at("\\"):
            self.backslash(quotes)
        else:
            self.expansion(quotes, write)

    def single(self, write: Write = Write.SPLICED) -> None:
        """A single-quoted string: nothing in it is special but its end and our references."""
        start = self.tape.pos
        self.word.quoted = True
        self.tape.copy()
        while not self.tape.at("'"):
            if self.tape.done:
                raise self.tape.refusal(
                    "this single quote is never closed", at=start, code=UNCLOSED
                )
            if run := self.tape.match(_PLAIN_IN_SINGLE):
                self.literal(len(run))
            elif self.tape.at("$${"):
                self.tape.pos += 1
                self.literal(2)
            elif not self.reference(write):
                self.literal(1)
        self.tape.copy()

    def _ansi(self) -> None:
        r"""`$'…'`: escapes for bash; for sh a dollar and single quotes, which end at `\'`."""
        start = self.tape.pos
        self.word.quoted = True
        self.tape.copy(2)
        while not self.tape.at("'"):
            if self.tape.done or self.tape.at("\\'"):
                raise self.tape.refusal("sh and bash disagree where this quote ends", at=start)
            if self.tape.at("\\"):
                self.literal(2)
            elif not self.reference(Write.NOWHERE):
                self.literal(1)
        self.tape.copy()

    # --- expansions ------------------------------------------------------------------------------

    def expansion(self, quotes: Quotes, write: Write) -> None:
        """What stands at a dollar, a backtick or a brace."""
        with self.tape.deeper():
            if self.tape.at("`"):
                self._backticks(quotes)
            elif self.tape.at("$${"):
                self.tape.pos += 1
                self._parameter(quotes, write)
            elif self.reference(write):
                pass
            elif self.tape.at("$"):
                self._dollar(quotes, write)
            else:
                self.literal(1)

    def _dollar(self, quotes: Quotes, write: Write) -> None:
        start = self.tape.pos
        self.word.add_expansion()
        if self.tape.at("$(("):
            self.tape.copy(3)
            self.arithmetic("))", start)
        elif self.tape.at("$("):
            self.tape.copy(2)
            self._substitution()
        elif self.tape.at("${"):
            self._parameter(quotes, write)
        elif self.tape.at("$["):
            raise self.tape.refusal("`$[` is arithmetic for bash only", hint="write `$((…))`")
        elif quotes is Quotes.NONE and self.tape.at("$'"):
            self._ansi()
        else:
            self.tape.copy(2 if self.tape.at("$$") else 1)

    def _parameter(self, quotes: Quotes, write: Write) -> None:
        """`${name…}` of the shell's own."""
        start = self.tape.pos
        self.word.add_expansion()
        self.tape.copy(2)
        self.tape.copy_match(_PARAMETER)
        if self.tape.at("["):
            self.tape.copy()
            self.arithmetic("]", start)
        operator = self.tape.copy_match(_OPERATOR)
        self._braced(start, quotes, _write_after(operator, quotes, write))

    def _braced(self, start: int, quotes: Quotes, write: Write) -> None:
        """The rest of a `${…}`, to its brace."""
        while not self.tape.at("}"):
            if self.tape.done:
                raise self.tape.refusal("this `${` is never closed", at=start)
            if self.tape.at("'", '"'):
                self._quote_in_braces(quotes, write)
            elif self.tape.at("\\"):
                self.backslash()
            elif self.tape.at("$", "`", "{{"):
                self.expansion(quotes, write)
            else:
                self.literal(1)
        self.tape.copy()

    def _quote_in_braces(self, quotes: Quotes, write: Write) -> None:
        closed = {Write.NOWHERE, Write.DIGITS}
        if quotes is Quotes.NONE:
            if self.tape.at('"'):
                self.double(write if write in closed else Write.INSIDE)
            else:
                self.single(write if write in closed else Write.SPLICED)
        elif quotes is Quotes.DOUBLE and self.tape.at('"'):
            self.double(write if write in closed else Write.INSIDE)
        elif harmless := self.tape.match(_HARMLESS_SINGLE):
            self.literal(len(harmless))
        else:
            raise self.tape.refusal("sh and bash disagree about quotes inside a quoted `${…}`")

    def arithmetic(self, closing: str, start: int) -> None:
        """An arithmetic expression: references are numbers, whatever is around them."""
        depth = 0
        while depth or not self.tape.at(closing):
            if self.tape.done or (depth == 0 and self.tape.at(")")):
                raise self.tape.refusal(
                    f"no `{closing}` closes this", at=start, hint="a subshell is written `$( (`"
                )
            depth += self.tape.at("(", "[") - self.tape.at(")", "]")
            self._arithmetic_piece()
        self.tape.copy(len(closing))

    def _arithmetic_piece(self) -> None:
        if self.tape.at("'"):
            raise self.tape.refusal("sh and bash disagree about quotes in arithmetic")
        if self.tape.at('"'):
            self.double(Write.DIGITS)
        elif self.tape.at("\\"):
            self.backslash()
        elif self.tape.at("$", "`", "{{"):
            self.expansion(Quotes.NONE, Write.DIGITS)
        else:
            self.literal(1)

    def _backticks(self, quotes: Quotes) -> None:
        """Backticks, written anew as `$(…)` if there is a reference of ours in them."""
        start = self.tape.pos
        self.word.add_expansion()
        self.tape.pos += 1
        while not self.tape.at("`"):
            if self.tape.done:
                raise self.tape.refusal("this backtick is never closed", at=start)
            self.tape.pos += 2 if self.tape.at("\\") else 1
        self.tape.pos += 1
        raw = self.tape.since(start)
        escaped = _ESCAPED_IN_DOUBLE if quotes is Quotes.DOUBLE else _ESCAPED
        inner = self.tape.inner(escaped.sub(r"\1", raw[1:-1]), start)
        self._nested(inner)
        if not any(isinstance(piece, Hole) for piece in inner.out) and inner.text == "".join(
            piece for piece in inner.out if isinstance(piece, str)
        ):
            self.tape.put(raw)
        elif quotes is Quotes.HERE and '\\"' in raw:
            raise self.tape.refusal("sh and bash disagree about these backticks", at=start)
        else:
            # The space keeps `$(` from becoming `$((`, the new line ends a comment.
            self.tape.put("$( ", *inner.out, "\n)")


def _write_after(operator: str, quotes: Quotes, write: Write) -> Write:
    """How a reference is written in the word of a `${name<operator>word}`."""
    if operator == ":":
        return Write.DIGITS
    if (
        not operator
        or write is Write.NOWHERE
        or (write is Write.QUOTED and quotes is Quotes.DOUBLE)
    ):
        return Write.NOWHERE
    if operator[0] in "%#":
        return Write.NOWHERE if quotes is Quotes.HERE or write is Write.DIGITS else Write.QUOTED
    if write not in {Write.WORDS, Write.QUOTED}:
        return write
    # What `=` assigns is expanded once more, without quotes.
    return Write.NOWHERE if operator.endswith("=") else Write.QUOTED
