"""Plain data that knows where in the file it stands."""

from __future__ import annotations

from typing import TypeAlias

from attrs import evolve, field, frozen

from anabranch.values import Location, Problem


@frozen
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@frozen
class Scalar:
    """A value without parts.

    Attributes:
        value: what YAML 1.2 makes of `text`.
        begins: where the first character of `text` stands, each further line of it one line
            below in the same column; `None` if the text is not in the file letter by letter.
    """

    value: bool | float | str | None
    text: str = field(kw_only=True)
    place: Place = field(kw_only=True)
    quoted: bool = field(default=False, kw_only=True)
    begins: Place | None = field(default=None, kw_only=True)


@frozen
class Items:
    """A sequence."""

    children: tuple[Node, ...]
    place: Place = field(kw_only=True)


@frozen
class Entry:
    """A key and its value."""

    key: str
    value: Node
    place: Place = field(kw_only=True)


@frozen
class Entries:
    """A mapping, in the order of the file, each key once."""

    children: tuple[Entry, ...]
    place: Place = field(kw_only=True)


Node: TypeAlias = "Scalar | Items | Entries"


@frozen
class Spot:
    """Where reading has come to: the file, and the path from the top of it.

    >>> str(Spot("flow.yml").key("map").key("agent_template").index(1).at(Place(3, 5)))
    'flow.yml:3:5 (map.agent_template[1])'
    """

    file: str | None = None
    path: str = ""

    def key(self, name: str) -> Spot:
        """Go down to the value of a key."""
        return evolve(self, path=f"{self.path}.{name}" if self.path else name)

    def index(self, number: int) -> Spot:
        """Go down to an element of a sequence."""
        return evolve(self, path=f"{self.path}[{number}]")

    def at(self, place: Place) -> Location:
        """The location of a place here."""
        return Location(
            file=self.file, line=place.line, column=place.column, path=self.path or None
        )

    def inside(self, problem: Problem, node: Node) -> Problem:
        """A problem with a place inside the text of a node, placed in the file."""
        line, column = problem.where.line, problem.where.column
        if line is None or column is None or not isinstance(node, Scalar):
            return self.put(problem, node.place)
        if node.begins is None:
            said = f"{problem.message} (line {line}, column {column} of the text)"
            return self.put(evolve(problem, message=said), node.place)
        begin = node.begins
        return self.put(problem, Place(begin.line + line - 1, begin.column + column - 1))

    def put(self, problem: Problem, place: Place) -> Problem:
        """A problem that had no place, placed."""
        return evolve(problem, where=self.at(place))
