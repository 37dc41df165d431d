"""YAML text → nodes with places, and everything that is wrong with the text as YAML.

The reader takes the parser's events one by one and keeps its own stack, so that nesting,
size and aliases are bounded before anything is built: a file cannot make it recurse, and
aliases of aliases cannot make it grow ("billion laughs").
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen

from anabranch.values import Problem
from anabranch.values.yaml.errors import explain, unprintable
from anabranch.values.yaml.events import Kind, YamlEvent, YamlFaultError, events
from anabranch.values.yaml.nodes import Entries, Entry, Items, Node, Place, Scalar, Spot
from anabranch.values.yaml.scalars import resolve

MAX_DEPTH: Final = 32
"""How deep a document may be nested."""
MAX_NODES: Final = 100_000
"""How many values a document may hold, each alias counted with all that it stands for."""


@frozen(kw_only=True)
class Document:
    """What a text says: its top node, if it has one, and what is wrong with it."""

    top: Node | None
    problems: tuple[Problem, ...] = ()


def read_yaml(text: str, spot: Spot, *, expected: str | None = None) -> Document:
    """Read one document of YAML 1.2, or of JSON.

    A syntax error ends the reading; other problems (a key given twice, an unknown alias)
    are gathered, and the rest is read. `expected` is what an empty text is told to be.

    >>> read_yaml("a: [1, two]", Spot()).top.children[0].value.children[1].value
    'two'
    """
    odd = unprintable(text, spot)
    if odd:
        return Document(top=None, problems=odd)
    composer = _Composer(spot, text.split("\n"), expected)
    try:
        for event in events(text):
            composer.take(event)
    except _GiveUpError:
        return Document(top=None, problems=tuple(composer.problems))
    except YamlFaultError as fault:
        composer.problems.append(explain(fault.said, text, fault.place or composer.place, spot))
        return Document(top=None, problems=tuple(composer.problems))
    return composer.finish()


class _GiveUpError(Exception):
    """The document is beyond a limit; reading on would not help."""


@define
class _Open:
    """A collection whose end has not come yet."""

    event: YamlEvent
    children: list[Node] = field(factory=list[Node])
    size: int = 1


@define
class _Composer:
    """The stack machine from events to nodes."""

    spot: Spot
    lines: list[str]
    expected: str | None
    place: Place = field(factory=lambda: Place(1, 1))
    problems: list[Problem] = field(factory=list[Problem])
    _stack: list[_Open] = field(factory=list[_Open])
    _anchors: dict[str, tuple[Node, int]] = field(factory=dict[str, "tuple[Node, int]"])
    _documents: int = 0
    _top: Node | None = None

    def take(self, event: YamlEvent) -> None:
        self.place = event.place
        match event.kind:
            case Kind.DOCUMENT:
                self._start(event)
            case Kind.SCALAR:
                self._add(self._scalar(event), 1, event.anchor)
            case Kind.ALIAS:
                self._alias(event)
            case Kind.MAPPING | Kind.SEQUENCE:
                self._open(event)
            case Kind.MAPPING_END | Kind.SEQUENCE_END:
                self._close()
            case Kind.OTHER:
                pass

    def finish(self) -> Document:
        if self._top is None:
            self._report("empty-file", "the file says nothing", expected=self.expected)
        return Document(top=self._top, problems=tuple(self.problems))

    def _report(self, code: str, message: str, **more: Any) -> None:
        self.problems.append(self.spot.put(Problem(code=code, message=message, **more), self.place))

    def _start(self, event: YamlEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._report("many-documents", "a second document begins here", expected="one")
            raise _GiveUpError
        if event.version not in {None, (1, 2)}:
            self._report("yaml-version", "an old version of YAML", expected="YAML 1.2")

    def _scalar(self, event: YamlEvent) -> Scalar:
        text = self._joined(event.text)
        self._tag(event, "str")
        value = text if event.style or event.tag is not None else resolve(text)
        begins = _begins(event, self.lines)
        return Scalar(value, text=text, place=event.place, quoted=bool(event.style), begins=begins)

    def _joined(self, text: str) -> str:
        r"""Join the two halves that JSON writes for one character (`\ud83d\ude00`)."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._report("bad-unicode", "half of a surrogate pair", value=ascii(text))
            return text.encode(errors="replace").decode()

    def _tag(self, event: YamlEvent, *known: str) -> None:
        if event.tag not in {None, "!", *(f"tag:yaml.org,2002:{name}" for name in known)}:
            self._report("yaml-tag", "a tag that means nothing here", value=event.tag)

    def _alias(self, event: YamlEvent) -> None:
        found = self._anchors.get(event.anchor or "")
        if found is None:
            self._report(
                "unknown-alias", "an alias of what is not complete before it", value=event.anchor
            )
            found = (Scalar(None, text="", place=self.place), 1)
        self._add(*found, None)

    def _open(self, event: YamlEvent) -> None:
        if len(self._stack) == MAX_DEPTH:
            self._report("too-deep", "nested too deeply", expected=f"at most {MAX_DEPTH} levels")
            raise _GiveUpError
        self._tag(event, "map", "seq")
        self._stack.append(_Open(event))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.event.kind is Kind.SEQUENCE:
            node: Node = Items(tuple(done.children), place=done.event.place)
        else:
            node = Entries(self._entries(done.children), place=done.event.place)
        self._add(node, done.size, done.event.anchor)

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._stack:
            self._top = node
            return
        parent = self._stack[-1]
        parent.children.append(node)
        parent.size += size
        if parent.size > MAX_NODES:
            self._report("too-large", "too many values", expected=f"at most {MAX_NODES}")
            raise _GiveUpError

    def _entries(self, children: list[Node]) -> tuple[Entry, ...]:
        found: dict[str, Entry] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            self.place = key.place
            if not isinstance(key, Scalar):
                self._report("bad-key", "a key that is no text", expected="text")
            elif key.text in found:
                first = found[key.text].place.line
                self._report(
                    "duplicate-key", "a key given twice", value=key.text, hint=f"see line {first}"
                )
            else:
                found[key.text] = Entry(key.text, value, place=key.place)
        return tuple(found.values())


def _begins(event: YamlEvent, lines: list[str]) -> Place | None:
    """Where the text of a scalar begins, if it stands in the file letter by letter."""
    place, text = event.place, event.text
    if event.style == "|":
        return _block_begins(place, text, lines)
    quotes = len(event.style)
    width = event.end.column - place.column
    same = place.line == event.end.line and width == len(text) + 2 * quotes
    return Place(place.line, place.column + quotes) if same else None


def _block_begins(place: Place, text: str, lines: list[str]) -> Place | None:
    for wanted, line in zip(text.split("\n"), lines[place.line :], strict=False):
        if wanted.strip():
            indent = len(line.rstrip("\r")) - len(wanted)
            return (
                Place(place.line + 1, indent + 1) if line[indent:].rstrip("\r") == wanted else None
            )
    return None
