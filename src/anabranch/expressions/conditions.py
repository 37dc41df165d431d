"""Conditions: one language for `filter`, `when` and condition steps.

    or        = and { ("||" | "or") and }
    and       = not { ("&&" | "and") not }
    not       = ("!" | "not") not | predicate
    predicate = "(" or ")" | operand [ op operand | ["not"] ("in" | "matches") operand ]
    operand   = path | "${" path "}" | literal | function "(" arguments ")"

What a word means depends on where it stands: on the left `high` is a path, on the right it is
a string; `in` after an operand is an operator and before one a field. A table-driven grammar
(lark's included) decides that in its lexer, before it knows where it is, and reports a dead
lexer state instead of the mistake; this parser reads characters at the place where it knows
what it wants, so that it can say what it wanted, and goes on after a mistake to find the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Final

from attrs import frozen

from anabranch.expressions.compiling import item_predicate, scope_predicate
from anabranch.expressions.functions import FUNCTIONS, TEXT_FUNCTIONS
from anabranch.expressions.paths import FieldPath, read_path
from anabranch.expressions.scanner import Scanner, refuse
from anabranch.expressions.tree import (
    And,
    Call,
    Compare,
    Comparison,
    Exists,
    Length,
    Literal,
    Membership,
    Node,
    Not,
    Operand,
    Or,
    Scalar,
    Truthy,
    paths_in,
)
from anabranch.values import Json, Problem, did_you_mean


@frozen
class Condition:
    """A condition, read once and asked many times.

    `str(condition)` is a text that parses to an equal condition.

    >>> urgent = parse_condition("severity in [high, critical] && priority > 5")
    >>> urgent.matches({"severity": "high", "priority": 7})
    True
    >>> str(urgent)
    "severity in ['high', 'critical'] && priority > 5"
    """

    root: Node

    @cached_property
    def matches(self) -> Callable[[Json], bool]:
        """The filter: item → whether it matches. A plain function, fit for `filter()`."""
        return item_predicate(self.root)

    @cached_property
    def holds(self) -> Callable[[Mapping[str, Json]], bool]:
        """The `when:` condition: scope of variables → whether it holds.

        A variable may be named by a key with dots in it; a text that is JSON may be looked
        into; an undefined variable is false.

        >>> parse_condition("${build.exit_code} == 0").holds({"build": '{"exit_code": 0}'})
        True
        """
        return scope_predicate(self.root)

    @property
    def paths(self) -> tuple[FieldPath, ...]:
        """Every path that the condition reads, in order.

        >>> [str(path) for path in parse_condition("a > 1 && length(b.c) < ${limit}").paths]
        ['a', 'b.c', 'limit']
        """
        return tuple(paths_in(self.root))

    def __str__(self) -> str:
        """The condition as text."""
        return str(self.root)

    def __reduce__(self) -> tuple[type[Condition], tuple[Node]]:
        """Pickled without its compiled functions."""
        return Condition, (self.root,)


_WORD: Final = re.compile(r"[^\s()\[\],'\"=!<>&|]+")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NAME_AND_PARENTHESIS: Final = re.compile(r"([A-Za-z_]\w*)\(")
_KEYWORD: Final = re.compile(r"(and|or|not|in|matches)(?![\w.-])", re.IGNORECASE)
_NO_FUNCTIONS: Final = frozenset({"and", "or", "not", "in"})
_CONSTANTS: Final[Mapping[str, Scalar]] = {"true": True, "false": False, "null": None}
_OPERATORS: Final = ("==", "!=", "<=", ">=", "<", ">", "=")
_MISTAKEN: Final[Mapping[str, str]] = {
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "=~": "matches",
    "!~": "not matches",
    ">>": ">",
    "<<": "<",
    "&": "&&",
    "|": "||",
}
_QUOTE_HINT: Final = "a quote inside is written twice"
_DEEPEST: Final = 50
_LONGEST_NUMBER: Final = 1000


@lru_cache(maxsize=512)
def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConfigError: every problem found, each with line, column and what was expected.

    >>> parse_condition("sevrity ==").matches
    Traceback (most recent call last):
    anabranch.values.errors.ConfigError: 1:11: the condition ends here
      expected: a value, a path or a function
    """
    parser = _Parser(text)
    root = parser.parse()
    refuse(sorted(parser.problems, key=_place))
    assert root is not None
    return Condition(root)


def _place(problem: Problem) -> tuple[int, int]:
    return problem.where.line or 0, problem.where.column or 0


class _Skip(Exception):  # noqa: N818  # a signal inside this module: give up on one operand
    """Reading on makes no sense before the next connective."""


class _Parser:
    def __init__(self, text: str) -> None:
        self.scanner = Scanner(text)
        self.problems: list[Problem] = []
        self.depth = 0

    # -- the levels of the grammar ------------------------------------------------------------

    def parse(self) -> Node | None:
        root = self.disjunction()
        while not self.at_end():
            self.note(
                "unexpected-text",
                "unexpected text after the condition",
                value=self.rest(),
                hint=_QUOTE_HINT if self.scanner.text[self.scanner.pos - 1] in "'\"" else None,
            )
            self.scanner.pos += 1
            self.skip_to_connective()
            if self.connective("&&", "and") or self.connective("||", "or"):
                self.disjunction()
        return root

    def disjunction(self) -> Node | None:
        return self.joined(Or, self.conjunction, "||", "or")

    def conjunction(self) -> Node | None:
        return self.joined(And, self.negation, "&&", "and")

    def joined(
        self, kind: type[And | Or], level: Callable[[], Node | None], *names: str
    ) -> Node | None:
        found = [level()]
        while self.connective(*names):
            found.append(level())
        nodes = tuple(node for node in found if node is not None)
        return kind(nodes) if len(nodes) > 1 else next(iter(nodes), None)

    def negation(self) -> Node | None:
        depth = self.depth
        try:
            return self.negated_or_predicate()
        except _Skip:
            self.depth = depth
            self.skip_to_connective()
            return None

    def negated_or_predicate(self) -> Node:
        negated = 0
        while self.keyword("not") or self.bang():
            negated += 1
        self.depth += negated
        node = self.predicate()
        self.depth -= negated
        for _ in range(negated):
            node = Not(node)
        return node

    def predicate(self) -> Node:
        if self.depth >= _DEEPEST:
            raise self.refusal("too-deep", f"nested deeper than {_DEEPEST} levels")
        if self.take("("):
            return self.group()
        call = self.call()
        if call is not None and not isinstance(call, Length):
            return call
        left = call or self.left_operand()
        return self.comparison(left)

    def group(self) -> Node:
        opened = self.scanner.pos - 1
        self.depth += 1
        node = self.disjunction()
        self.depth -= 1
        if not self.take(")"):
            if self.at_end():
                self.note("unclosed", "this parenthesis is never closed", at=opened)
            else:
                self.note("unexpected-text", "unexpected text in parentheses", value=self.rest())
            raise _Skip
        if node is None:
            raise _Skip
        return node

    def comparison(self, left: Operand) -> Node:
        self.scanner.skip_space()
        start = self.scanner.pos
        self.refuse_mistaken_operator()
        if operator := self.scanner.take(*_OPERATORS):
            return self.compared(left, Comparison("==" if operator == "=" else operator))
        negated = self.keyword("not")
        if self.keyword("in"):
            node: Node = Membership(left, self.list_operand())
        elif self.keyword("matches"):
            node = self.matching(left)
        elif negated:
            raise self.refusal("bad-operator", "`not` stands after an operand", at=start)
        elif isinstance(left, Length):
            raise self.refusal(
                "wrong-arguments",
                "`length(path)` is a number",
                at=start,
                expected="a comparison such as `length(path) > 3`, or `length(path, 3)`",
            )
        else:
            return Truthy(left)
        return Not(node) if negated else node

    def compared(self, left: Operand, operator: Comparison) -> Node:
        self.scanner.skip_space()
        start = self.scanner.pos
        right = self.right()
        bare = self.scanner.text[start : self.scanner.pos]
        if isinstance(left, Literal) and isinstance(right, Literal) and right.value == bare:
            self.note(
                "two-values",
                "this compares a value with a value: on the right a bare word is a string",
                at=start,
                value=bare,
                hint=f"write `${{{bare}}}` to mean the field",
            )
        return Compare(left, operator, right)

    def matching(self, left: Operand) -> Node:
        at = self.scanner.pos
        pattern = self.right(text=True)
        return self.checked_call("matches", (left, pattern), at)

    def refuse_mistaken_operator(self) -> None:
        for wrong in ("===", "!==", *_MISTAKEN):
            if self.scanner.peek(wrong) and not self.scanner.peek("&&", "||"):
                raise self.refusal(
                    "bad-operator",
                    "not an operator",
                    value=wrong,
                    hint=f"did you mean `{_MISTAKEN[wrong]}`?",
                )

    # -- functions ----------------------------------------------------------------------------

    def call(self) -> Node | Length | None:
        self.scanner.skip_space()
        start = self.scanner.pos
        found = _NAME_AND_PARENTHESIS.match(self.scanner.text, start)
        if found is None or found[1].lower() in _NO_FUNCTIONS:
            return None
        self.scanner.pos = found.end()
        name = found[1]
        arguments = self.arguments(text=name in TEXT_FUNCTIONS)
        if name == "length" and len(arguments) == 1 and isinstance(arguments[0], FieldPath):
            return Length(arguments[0])
        return self.checked_call(name, arguments, start)

    def arguments(self, *, text: bool) -> tuple[Operand, ...]:
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
            raise _Skip
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

    # -- operands -----------------------------------------------------------------------------

    def left_operand(self) -> Operand:
        self.scanner.skip_space()
        if self.scanner.peek("["):
            return self.list_literal()
        if (found := self.quoted_or_reference()) is not None:
            return found
        start = self.scanner.pos
        word = self.scanner.take_pattern(_WORD)
        if word is not None:
            if word in _CONSTANTS:
                return Literal(_CONSTANTS[word])
            if _NUMBER.fullmatch(word):
                return Literal(self.number(word, start))
        self.scanner.pos = start
        if not _KEYWORD.match(self.scanner.text, start):
            path = self.path()
            if path is not None:
                return path
        raise self.no_operand()

    def right(self, *, text: bool = False) -> Operand:
        self.scanner.skip_space()
        if self.scanner.peek("["):
            return self.list_literal()
        start = self.scanner.pos
        if (found := self.quoted_or_reference()) is not None:
            return found
        if self.scanner.peek("item.", "$.", "_.", "$["):
            path = self.path()
            if path is not None:
                return path
        call = self.call()
        if isinstance(call, Length):
            return call
        if call is not None:
            raise self.refusal("bad-operand", "a function that is true or false", at=start)
        word = self.scanner.take_pattern(_WORD)
        if word is None or _KEYWORD.fullmatch(word):
            self.scanner.pos = start
            raise self.no_operand()
        return Literal(word if text else self.scalar(word, start))

    def scalar(self, word: str, at: int) -> Scalar:
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        return self.number(word, at) if _NUMBER.fullmatch(word) else word

    def number(self, word: str, at: int) -> int | float:
        if len(word) > _LONGEST_NUMBER:
            raise self.refusal(
                "bad-number", f"a number of more than {_LONGEST_NUMBER} digits", at=at
            )
        value = int(word) if word.lstrip("-").isdigit() else float(word)
        if value in {float("inf"), float("-inf")}:
            self.note("bad-number", "too large a number", at=at, value=word)
        return value

    def quoted_or_reference(self) -> Operand | None:
        start = self.scanner.pos
        string = self.scanner.take_string()
        if string is not None:
            return Literal(string)
        if self.scanner.peek("'", '"'):
            raise self.refusal("unclosed", "this quote is never closed", hint=_QUOTE_HINT)
        if not self.scanner.take("${"):
            return None
        found = self.path()
        if found is None or not self.take("}"):
            raise self.refusal(
                "bad-reference", "not a reference", at=start, expected="`${name.field}`"
            )
        return found

    def path(self) -> FieldPath | Exists | None:
        start = self.scanner.pos
        path = read_path(self.scanner)
        if path is None:
            return None
        asks = self.scanner.text[start : self.scanner.pos].endswith(".exists")
        return Exists(FieldPath(path.keys[:-1], root=path.root)) if asks else path

    def list_operand(self) -> Operand:
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

    def list_literal(self) -> Literal:
        opened = self.scanner.pos
        self.scanner.take("[")
        found: list[Scalar] = []
        while not self.take("]"):
            found.append(self.element())
            if not self.take(",") and not self.scanner.peek("]"):
                raise self.refusal("unclosed", "this list is never closed", at=opened)
        return Literal(tuple(found))

    def element(self) -> Scalar:
        self.scanner.skip_space()
        start = self.scanner.pos
        string = self.scanner.take_string()
        if string is not None:
            return string
        word = self.scanner.take_pattern(_WORD)
        if word is None:
            raise self.refusal(
                "bad-element", "not an element of a list", expected="a string or a number"
            )
        return self.scalar(word, start)

    # -- the reader ---------------------------------------------------------------------------

    def take(self, *prefixes: str) -> str | None:
        self.scanner.skip_space()
        found = self.scanner.take(*prefixes)
        self.scanner.skip_space()
        return found

    def keyword(self, *names: str) -> bool:
        self.scanner.skip_space()
        found = _KEYWORD.match(self.scanner.text, self.scanner.pos)
        if found is None or found[1].lower() not in names:
            return False
        self.scanner.pos = found.end()
        return True

    def connective(self, symbol: str, word: str) -> bool:
        return bool(self.take(symbol)) or self.keyword(word)

    def bang(self) -> bool:
        self.scanner.skip_space()
        return not self.scanner.peek("!=") and bool(self.scanner.take("!"))

    def at_end(self) -> bool:
        self.scanner.skip_space()
        return self.scanner.done

    def rest(self) -> str:
        return self.scanner.text[self.scanner.pos :][:40]

    def skip_to_connective(self) -> None:
        while not self.at_end():
            if self.scanner.peek("&&", "||", ")") or _KEYWORD.match(
                self.scanner.text, self.scanner.pos
            ):
                return
            if self.scanner.take_string() is None and not self.scanner.take_pattern(_WORD):
                self.scanner.pos += 1

    def no_operand(self) -> _Skip:
        return self.refusal(
            "missing-operand",
            "the condition ends here" if self.at_end() else "not a value",
            value=self.rest() or None,
            expected="a value, a path or a function",
        )

    def note(
        self,
        code: str,
        message: str,
        *,
        at: int | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problems.append(
            self.scanner.problem(code, message, at=at, value=value, expected=expected, hint=hint)
        )

    def refusal(
        self,
        code: str,
        message: str,
        *,
        at: int | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> _Skip:
        self.note(code, message, at=at, value=value, expected=expected, hint=hint)
        return _Skip()
