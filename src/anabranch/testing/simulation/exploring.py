"""Every schedule of a small effect, up to the order of what does not touch the same things.

A run is a sequence of turns. Two neighbouring turns of different strands that touch nothing in
common, or only read it, may be swapped, and nobody can tell: runs that follow from each other by
such swaps are one *trace* (Mazurkiewicz). It is enough to make one run of each trace, and that is
what sleep sets are for (Godefroid, "Partial-Order Methods for the Verification of Concurrent
Systems", 1996): a turn that was tried first at a point sleeps while its alternatives are tried,
until one of them does something that it could notice; a run whose every next turn sleeps has been
made already, in another order, and is given up. All deadlocks and all final states are found.

The search keeps no states. It makes each run anew from its choices, and goes on with the
deepest one that has an alternative. Which turns touch what is seen as they are made, and what
cannot be seen counts as touching everything that is shared: a false conflict costs a run, a
missing one would cost the proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, final

from attrs import define, field

from anabranch.interpreters.requests import Request, Until
from anabranch.interpreters.strands import EXPIRE, Strand, Turn
from anabranch.testing.simulation.chance import Chance

TurnId: TypeAlias = tuple[tuple[object, ...], bool]
"""A turn, in all runs that begin alike: the path of its strand, and whether its time is over."""

Footprint: TypeAlias = Mapping[str, bool]
"""What a turn touches, by name, and whether it writes it."""

ANYTHING: Final = "*"
"""Touched by what cannot be seen: everything that is shared, but no strand and no group."""

_PRIVATE: Final = ("strand ", "group ")


class Asleep(BaseException):
    """All that could come next was tried before, in another order."""


def independent(one: Footprint, other: Footprint) -> bool:
    """Whether the order of two turns with these footprints can make no difference.

    >>> independent({"a": False, "b": True}, {"a": False, "c": True})
    True
    >>> independent({"a": False}, {"a": True})
    False
    """
    if _opaque(one, other) or _opaque(other, one):
        return False
    return not any(write or other[name] for name, write in one.items() if name in other)


def _opaque(one: Footprint, other: Footprint) -> bool:
    return ANYTHING in one and any(not name.startswith(_PRIVATE) for name in other)


@define
class Point:
    """A place in a run with several ways to go on.

    Attributes:
        options: how many ways there are.
        taken: the one that is being tried.
        turns: which turns they are; empty if it is another kind of choice.
        sleeping: turns that need not be tried here, and their footprints.
        tried: what was tried here, and its footprint.
    """

    options: int
    taken: int = 0
    turns: tuple[TurnId, ...] = ()
    sleeping: dict[TurnId, Footprint] = field(factory=dict[TurnId, Footprint])
    tried: dict[TurnId, Footprint] = field(factory=dict[TurnId, Footprint])

    def next(self) -> bool:
        """Go to the next way that has to be tried, if there is one."""
        for way in range(self.taken + 1, self.options):
            if not self.turns or self.turns[way] not in self.sleeping:
                self.taken = way
                return True
        return False

    def awake(self) -> bool:
        """Take the first way that has to be tried, if there is one."""
        self.taken = -1
        return self.next()


@final
class Search:
    """A depth-first search through all schedules: where it stands, and what it sees of a run.

    It watches a run and answers every choice in it.

    Args:
        declared: whether everything that is shared is declared with `Chance.touch`.

    Attributes:
        touched: what the turn that is under way has touched so far.
    """

    def __init__(self, *, declared: bool) -> None:
        self.touched: dict[str, bool] = {}
        self._declared = declared
        self._points: list[Point] = []
        self._at = 0
        self._sleeping: dict[TurnId, Footprint] = {}
        self._last: tuple[Point | None, TurnId] | None = None
        self._chosen = False
        self._worker: tuple[Strand, Any] | None = None

    # --- from run to run

    def begin(self) -> Chance:
        """A run is about to begin: its chance."""
        self._at, self._last, self._worker, self._chosen = 0, None, None, False
        self._sleeping = {}
        self.touched.clear()
        chance = Chance(self.number, self.turn)
        chance.touched = self.touched
        return chance

    def onward(self) -> bool:
        """The run is over: turn to the next one; `False` if all have been made."""
        self._finish_turn()
        while self._points and not self._points[-1].next():
            self._points.pop()
        return bool(self._points)

    # --- choices

    def number(self, options: int, _rate: float) -> int:
        """Answer a choice that is no turn: each answer is tried."""
        if self._at == len(self._points):
            self._points.append(Point(options))
        self._at += 1
        return self._points[self._at - 1].taken

    def turn(self, turns: list[Turn]) -> int:
        """Answer which turn comes next: those that sleep are left out."""
        self._finish_turn()
        if self._at == len(self._points):
            ids = tuple((strand.path, mode == EXPIRE) for strand, mode, _ in turns)
            point = Point(len(turns), turns=ids, sleeping=dict(self._sleeping))
            if not point.awake():
                raise Asleep
            self._points.append(point)
        point = self._points[self._at]
        self._at += 1
        chosen = point.turns[point.taken]
        others = {turn: touched for turn, touched in point.tried.items() if turn != chosen}
        self._sleeping = {**point.sleeping, **others}
        self._last, self._chosen = (point, chosen), True
        return point.taken

    def _finish_turn(self) -> None:
        """The turn is over, so all that it touched is known: wake those that could notice."""
        if self._last is None:
            return
        point, made = self._last
        if self._worker is not None:
            strand, job = self._worker
            if strand.parent is not None and (strand.done or strand.fiber.job != job):
                self.touched[f"group {strand.parent.path}"] = True
        touched = {**self.touched, f"strand {made[0]}": True}
        if point is not None:
            point.tried[made] = {**point.tried.get(made, {}), **touched}
        self._sleeping = {
            turn: footprint
            for turn, footprint in self._sleeping.items()
            if turn != made and independent(footprint, touched)
        }
        self.touched.clear()
        self._last = self._worker = None

    # --- what it sees

    def began(self, strand: Strand, mode: int, payload: Any) -> None:  # noqa: ARG002 (a watcher's)
        """A turn begins; one that there was no choice about may sleep as well."""
        turn = strand.path, mode == EXPIRE
        if not self._chosen:
            self._finish_turn()
            if turn in self._sleeping:
                raise Asleep
            self._last = None, turn
        self._chosen = False
        if mode != EXPIRE:
            self._worker = strand, strand.fiber.job
            if not self._declared:
                self.touched[ANYTHING] = True

    def asked(self, strand: Strand, request: Request) -> None:  # noqa: ARG002 (a watcher's)
        """Note that whoever waits for a resource touches what others hold."""
        if isinstance(request, Until):
            self.touched[ANYTHING] = True

    def ended(self, strand: Strand) -> None:
        """Note that those outside it are touched."""
        if strand.parent is not None:
            self.touched[f"strand {strand.parent.path}"] = True

    def cancelled(self, strand: Strand) -> None:
        """Note that it is touched."""
        self.touched[f"strand {strand.path}"] = True

    def halted(self, strand: Strand) -> None:
        """Note that everything is touched, and the root itself."""
        self.touched.update({ANYTHING: True, f"strand {strand.path}": True})
