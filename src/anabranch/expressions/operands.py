"""Operands of a condition: paths, literals, lists, references and function calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from anabranch.expressions.functions import FUNCTIONS, TEXT_FUNCTIONS
from anabranch.expressions.paths import FieldPath, read_path
from anabranch.expressions.reading import KEYWORD, WORD, Reader, Skip
from anabranch.expressions.tree import Call, Exists, Length, Literal, Node, Operand, Scalar
from anabranch.values import did_you_mean

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NAME_AND_PARENTHESIS: Final = re.compile(r"([A-Za-z_]\w*)\(")
_NO_FUNCTIONS: Final = frozenset({"and", "or", "not", "in"})
_CONSTANTS: Final[Mapping[str, Scalar]] = {"true": True, "false": False, "null": None}
_LONGEST_NUMBER: Final = 1000

QUOTE_HINT: Final = "a quote inside is written twice"
"""What is mostly meant by a quote in the wrong place."""


class Operands(Reader):
    """Reads operands."""

    def call(self) -> Node | Length | None:
        """The function call that stands here, if one does; `length(path)` is an operand."""
        self.scanner.skip_space()
        start = self.scanner.pos
        found = _NAME_AND_PARENTHESIS.match(self.scanner.text, start)
        if found is None or found[1].lower() in _NO_FUNCTIONS:
            return None
        self.scanner.pos = found.end()
        name = found[1]
        arguments = self._arguments(text=name in TEXT_FUNCTIONS)
        if name == "length" and len(arguments) == 1 and isinstance(arguments[0], FieldPath):
            return Length(arguments[0])
        return self.checked_call(name, arguments, start)

    def _arguments(self, *, text: bool) -> tuple[Operand, ...]:
        if self.take(")"):
            return ()
        found = [self.left_operand()]
        while self.take(","):
            found.append(self.right(text=text))
        if not self.take(")"):
            raise self.refusal(
                "bad-arguments", "the arguments are not closed", expected="`,` or `)`"
            )
        return tuple(found)

    def checked_call(self, name: str, arguments: tuple[Operand, ...], at: int) -> Node:
        """A call of a function that exists, with arguments that it takes."""
        function = FUNCTIONS.get(name)
        if function is None:
            self.note(
                "unknown-function",
                "unknown function",
                at=at,
                value=name,
                expected="one of " + ", ".join(FUNCTIONS),
                hint=did_you_mean(name, FUNCTIONS),
            )
            raise Skip
        if len(arguments) != len(function.parameters):
            self.note(
                "wrong-arguments",
                f"`{name}` takes {len(function.parameters)} arguments",
                at=at,
                value=str(len(arguments)),
                expected=f"`{function.signature}`",
            )
        elif mistake := function.mistake(arguments):
            self.note("wrong-arguments", mistake, at=at, expected=f"`{function.signature}`")
        return Call(name, arguments)

    def left_operand(self) -> Operand:
        """An operand where a bare word is a path."""
        self.scanner.skip_space()
        if self.scanner.peek("["):
            return self._list_literal()
        if (found := self._quoted_or_reference()) is not None:
            return found
        start = self.scanner.pos
        word = self.scanner.take_pattern(WORD)
        if word is not None:
            if word in _CONSTANTS:
                return Literal(_CONSTANTS[word])
            if _NUMBER.fullmatch(word):
                return Literal(self._number(word, start))
        self.scanner.pos = start
        if not KEYWORD.match(self.scanner.text, start):
            path = self._path()
            if path is not None:
                return path
        raise self._no_operand()

    def right(self, *, text: bool = False) -> Operand:
        """An operand where a bare word is a string; with `text` also if it looks like a number."""
        self.scanner.skip_space()
        if self.scanner.peek("["):
            return self._list_literal()
        start = self.scanner.pos
        if (found := self._quoted_or_reference()) is not None:
            return found
        if self.scanner.peek("item.", "$.", "_.", "$["):
            path = self._path()
            if path is not None:
                return path
        call = self.call()
        if isinstance(call, Length):
            return call
        if call is not None:
            raise self.refusal("bad-operand", "a function that is true or false", at=start)
        word = self.scanner.take_pattern(WORD)
        if word is None or KEYWORD.fullmatch(word):
            self.scanner.pos = start
            raise self._no_operand()
        return Literal(word if text else self._scalar(word, start))

    def _scalar(self, word: str, at: int) -> Scalar:
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        return self._number(word, at) if _NUMBER.fullmatch(word) else word

    def _number(self, word: str, at: int) -> int | float:
        if len(word) > _LONGEST_NUMBER:
            raise self.refusal(
                "bad-number", f"a number of more than {_LONGEST_NUMBER} digits", at=at
            )
        value = int(word) if word.lstrip("-").isdigit() else float(word)
        if value in {float("inf"), float("-inf")}:
            self.note("bad-number", "too large a number", at=at, value=word)
        return value

    def _quoted_or_reference(self) -> Operand | None:
        start = self.scanner.pos
        string = self.scanner.take_string()
        if string is not None:
            return Literal(string)
        if self.scanner.peek("'", '"'):
            raise self.refusal("unclosed", "this quote is never closed", hint=QUOTE_HINT)
        if not self.scanner.take("${"):
            return None
        found = self._path()
        if found is None or not self.take("}"):
            raise self.refusal(
                "bad-reference", "not a reference", at=start, expected="`${name.field}`"
            )
        return found

    def _path(self) -> FieldPath | Exists | None:
        start = self.scanner.pos
        path = read_path(self.scanner)
        if path is None:
            return None
        asks = self.scanner.text[start : self.scanner.pos].endswith(".exists")
        return Exists(FieldPath(path.keys[:-1], root=path.root)) if asks else path

    def list_operand(self) -> Operand:
        """What `in` looks into: a list, or a reference to one."""
        self.scanner.skip_space()
        start = self.scanner.pos
        operand = self.right()
        if isinstance(operand, FieldPath) or (
            isinstance(operand, Literal) and isinstance(operand.value, tuple)
        ):
            return operand
        raise self.refusal(
            "needs-list",
            "the right side of `in` is no list",
            at=start,
            value=str(operand),
            expected="a list such as `['a', 'b']`, or a reference such as `${name}`",
        )

    def _list_literal(self) -> Literal:
        opened = self.scanner.pos
        self.scanner.take("[")
        found: list[Scalar] = []
        while not self.take("]"):
            found.append(self._element())
            if not self.take(",") and not self.scanner.peek("]"):
                raise self.refusal("unclosed", "this list is never closed", at=opened)
        return Literal(tuple(found))

    def _element(self) -> Scalar:
        self.scanner.skip_space()
        start = self.scanner.pos
        string = self.scanner.take_string()
        if string is not None:
            return string
        word = self.scanner.take_pattern(WORD)
        if word is None:
            raise self.refusal(
                "bad-element", "not an element of a list", expected="a string or a number"
            )
        return self._scalar(word, start)

    def _no_operand(self) -> Skip:
        return self.refusal(
            "missing-operand",
            "the condition ends here" if self.at_end() else "not a value",
            value=self.rest() or None,
            expected="a value, a path or a function",
        )
