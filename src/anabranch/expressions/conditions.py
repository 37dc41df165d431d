"""Conditions: one language for `filter`, `when` and condition steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

from attrs import frozen

from anabranch.expressions.compiling import item_predicate, scope_predicate
from anabranch.expressions.parsing import Parser
from anabranch.expressions.paths import FieldPath
from anabranch.expressions.scanner import refuse
from anabranch.expressions.tree import Node, paths_in
from anabranch.values import Json, Problem


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
    parser = Parser(text)
    root = parser.parse()
    refuse(sorted(parser.problems, key=_place))
    assert root is not None
    return Condition(root)


def _place(problem: Problem) -> tuple[int, int]:
    return problem.where.line or 0, problem.where.column or 0
