"""The grammar of conditions, from text to tree.

    or        = and { ("||" | "or") and }
    and       = not { ("&&" | "and") not }
    not       = ("!" | "not") not | predicate
    predicate = "(" or ")" | operand [ op operand | ["not"] ("in" | "matches") operand ]
    operand   = path | "${" path "}" | literal | function "(" arguments ")"

What a word means depends on where it stands: on the left `high` is a path, on the right it is
a string; `in` after an operand is an operator and before one a field. A table-driven grammar
decides that in its lexer, before it knows where it is, and reports a dead lexer state instead
of the mistake; this parser reads characters at the place where it knows what it wants, so that
it can say what it wanted, and goes on after a mistake to find the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from anabranch.expressions.operands import QUOTE_HINT, Operands
from anabranch.expressions.reading import Skip
from anabranch.expressions.tree import (
    And,
    Compare,
    Comparison,
    Length,
    Literal,
    Membership,
    Node,
    Not,
    Operand,
    Or,
    Truthy,
)

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
_DEEPEST: Final = 50


class Parser(Operands):
    """Reads one condition."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def parse(self) -> Node | None:
        """The whole condition; `None` if there is nothing in it that could be read."""
        root = self._disjunction()
        while not self.at_end():
            self.note(
                "unexpected-text",
                "unexpected text after the condition",
                value=self.rest(),
                hint=QUOTE_HINT if self.scanner.text[self.scanner.pos - 1] in "'\"" else None,
            )
            self.scanner.pos += 1
            self.skip_to_connective()
            if self.connective("&&", "and") or self.connective("||", "or"):
                self._disjunction()
        return root

    def _disjunction(self) -> Node | None:
        return self._joined(Or, self._conjunction, "||", "or")

    def _conjunction(self) -> Node | None:
        return self._joined(And, self._negation, "&&", "and")

    def _joined(
        self, kind: type[And | Or], level: Callable[[], Node | None], *names: str
    ) -> Node | None:
        found = [level()]
        while self.connective(*names):
            found.append(level())
        nodes = tuple(node for node in found if node is not None)
        return kind(nodes) if len(nodes) > 1 else next(iter(nodes), None)

    def _negation(self) -> Node | None:
        depth = self._depth
        try:
            return self._negated_or_predicate()
        except Skip:
            self._depth = depth
            self.skip_to_connective()
            return None

    def _negated_or_predicate(self) -> Node:
        negated = 0
        while self.keyword("not") or self.bang():
            negated += 1
        self._depth += negated
        node = self._predicate()
        self._depth -= negated
        for _ in range(negated):
            node = Not(node)
        return node

    def _predicate(self) -> Node:
        if self._depth >= _DEEPEST:
            raise self.refusal("too-deep", f"nested deeper than {_DEEPEST} levels")
        if self.take("("):
            return self._group()
        call = self.call()
        if call is not None and not isinstance(call, Length):
            return call
        left = call or self.left_operand()
        return self._comparison(left)

    def _group(self) -> Node:
        opened = self.scanner.pos - 1
        self._depth += 1
        node = self._disjunction()
        self._depth -= 1
        if not self.take(")"):
            if self.at_end():
                self.note("unclosed", "this parenthesis is never closed", at=opened)
            else:
                self.note("unexpected-text", "unexpected text in parentheses", value=self.rest())
            raise Skip
        if node is None:
            raise Skip
        return node

    def _comparison(self, left: Operand) -> Node:
        self.scanner.skip_space()
        start = self.scanner.pos
        self._refuse_mistaken_operator()
        if operator := self.scanner.take(*_OPERATORS):
            return self._compared(left, Comparison("==" if operator == "=" else operator))
        negated = self.keyword("not")
        if self.keyword("in"):
            node: Node = Membership(left, self.list_operand())
        elif self.keyword("matches"):
            node = self._matching(left)
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

    def _compared(self, left: Operand, operator: Comparison) -> Node:
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

    def _matching(self, left: Operand) -> Node:
        at = self.scanner.pos
        pattern = self.right(text=True)
        return self.checked_call("matches", (left, pattern), at)

    def _refuse_mistaken_operator(self) -> None:
        for wrong in ("===", "!==", *_MISTAKEN):
            if self.scanner.peek(wrong) and not self.scanner.peek("&&", "||"):
                raise self.refusal(
                    "bad-operator",
                    "not an operator",
                    value=wrong,
                    hint=f"did you mean `{_MISTAKEN[wrong]}`?",
                )
