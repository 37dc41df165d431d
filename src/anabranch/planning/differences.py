"""What changed between two plans, for people to read.

Plans are compared as the JSON they are saved as. Elements of arrays that all have a name of
their own (`name`, `id` or `step`) are compared with the element of the same name, wherever it
stands, so that one step put in at the front is one line and not a change of everything behind
it. Law: there are no changes exactly if the two are the same JSON.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

from anabranch.planning.json_order import identity_key
from anabranch.values import Json

_NAME_KEYS: Final = ("name", "id", "step")


class ChangeKind(StrEnum):
    """What happened to a place, and the sign that stands for it."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"
    MOVED = ">"


@frozen(kw_only=True)
class Change:
    """One place at which two documents differ.

    Attributes:
        path: where, such as `steps[build].timeout`; empty is the whole document.
        before: what was there, or at which index it stood; `None` if nothing was.
        after: what is there now, or at which index it stands; `None` if nothing is.

    >>> print(Change(kind=ChangeKind.CHANGED, path="slots", before=2, after=4))
    ~ slots: 2 -> 4
    """

    kind: ChangeKind
    path: str
    before: Json = None
    after: Json = None

    def __str__(self) -> str:
        before, after = (json.dumps(side, ensure_ascii=False) for side in (self.before, self.after))
        shown = {ChangeKind.ADDED: after, ChangeKind.REMOVED: before}
        return f"{self.kind} {self.path}: {shown.get(self.kind, f'{before} -> {after}')}"


def differences(before: Json, after: Json) -> tuple[Change, ...]:
    """Find what changed from one document to another.

    Returns:
        The changes in the order of the old document, what is new at the end of its array or
        object.

    >>> old, new = {"steps": [{"name": "b"}]}, {"steps": [{"name": "a"}, {"name": "b"}]}
    >>> [str(change) for change in differences(old, new)]
    ['+ steps[a]: {"name": "a"}']
    """
    return tuple(_changes("", before, after))


def _changes(path: str, before: Json, after: Json) -> Iterator[Change]:
    match before, after:
        case Mapping(), Mapping():
            prefix = f"{path}." if path else ""
            yield from _members(prefix, "", before, after)
        case list() | tuple(), list() | tuple():
            yield from _elements(path, before, after)
        case _:
            if identity_key(before) != identity_key(after):
                yield Change(kind=ChangeKind.CHANGED, path=path, before=before, after=after)


def _members(
    prefix: str, suffix: str, before: Mapping[str, Json], after: Mapping[str, Json]
) -> Iterator[Change]:
    """Compare what has the same key, which prefix and suffix make the path."""
    for key, value in before.items():
        path = prefix + key + suffix
        if key in after:
            yield from _changes(path, value, after[key])
        else:
            yield Change(kind=ChangeKind.REMOVED, path=path, before=value)
    for key, value in after.items():
        if key not in before:
            yield Change(kind=ChangeKind.ADDED, path=prefix + key + suffix, after=value)


def _elements(path: str, before: Sequence[Json], after: Sequence[Json]) -> Iterator[Change]:
    for key in _NAME_KEYS:
        old, new = _by_name(before, key), _by_name(after, key)
        if old is not None and new is not None:
            yield from _members(f"{path}[", "]", old, new)
            yield from _moved(path, list(old), list(new))
            return
    numbered = ({str(at): value for at, value in enumerate(side)} for side in (before, after))
    yield from _members(f"{path}[", "]", *numbered)


def _by_name(elements: Sequence[Json], key: str) -> dict[str, Json] | None:
    """Index the elements by their name, if each has one of its own."""
    found: dict[str, Json] = {}
    for element in elements:
        name = element.get(key) if isinstance(element, Mapping) else None
        if not isinstance(name, str | int) or str(name) in found:
            return None
        found[str(name)] = element
    return found


def _moved(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """Find which elements of both stand elsewhere, so that the fewest have moved."""
    place = {name: at for at, name in enumerate(after)}
    common = [(at, place[name], name) for at, name in enumerate(before) if name in place]
    kept = _longest_rise([new for _, new, _ in common])
    for old, new, name in common:
        if new not in kept:
            path_of = f"{path}[{name}]"
            yield Change(kind=ChangeKind.MOVED, path=path_of, before=old, after=new)


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Choose the most numbers that rise from left to right (Schensted, 1961)."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    chosen: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        chosen.add(last)
        last = before[last]
    return chosen
