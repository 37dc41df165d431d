"""The one place that knows the YAML parser: text → events as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from attrs import frozen

from anabranch.values.yaml.nodes import Place


class Kind(StrEnum):
    """What begins, ends or stands at an event."""

    DOCUMENT = "DocumentStartEvent"
    SCALAR = "ScalarEvent"
    ALIAS = "AliasEvent"
    MAPPING = "MappingStartEvent"
    SEQUENCE = "SequenceStartEvent"
    MAPPING_END = "MappingEndEvent"
    SEQUENCE_END = "SequenceEndEvent"
    OTHER = "other"


@frozen(kw_only=True)
class YamlEvent:
    """One event. What a kind of event does not have is `None`, or empty text.

    `style` is how a scalar is written: `'`, `"`, `|`, `>`, or nothing at all.
    """

    kind: Kind
    place: Place
    end: Place
    anchor: str | None = None
    tag: str | None = None
    version: tuple[int, int] | None = None
    text: str = ""
    style: str = ""


class YamlFaultError(Exception):
    """Where and why the parser can go no further; `place` is `None` if it does not say."""

    def __init__(self, said: str, place: Place | None) -> None:
        super().__init__(said)
        self.said = said
        self.place = place


_KINDS = {kind.value: kind for kind in Kind}


def events(text: str) -> Iterator[YamlEvent]:
    """Parse lazily, without building anything.

    Raises:
        YamlFaultError: the text is not YAML from there on.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    parser: Any = YAML(typ="safe", pure=True)
    try:
        yield from map(_plain, parser.parse(text))
    except (YAMLError, OverflowError, ValueError, AssertionError) as error:
        # The last three are what an impossible escape or version number ends in.
        raise _fault(error) from None


def _plain(event: Any) -> YamlEvent:
    return YamlEvent(
        kind=_KINDS.get(type(event).__name__, Kind.OTHER),
        place=_place(event.start_mark),
        end=_place(event.end_mark),
        anchor=getattr(event, "anchor", None),
        tag=getattr(event, "tag", None),
        version=getattr(event, "version", None),
        text=getattr(event, "value", ""),
        style=getattr(event, "style", None) or "",
    )


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _fault(error: Any) -> YamlFaultError:
    mark = getattr(error, "problem_mark", None)
    return YamlFaultError(
        str(getattr(error, "problem", error)), None if mark is None else _place(mark)
    )
