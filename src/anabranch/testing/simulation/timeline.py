"""The timeline of a simulated run: who went on when, what they asked for, what went wrong.

It is made only for the run that is shown: the run is made again from its choices, with the
timeline looking on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any, Final, cast, final

from attrs import frozen

from anabranch.effects.core import Exit, Leaf
from anabranch.interpreters.requests import (
    FAILED,
    OK,
    RAISED,
    Await,
    CallBlocking,
    Fork,
    Pause,
    Request,
    Span,
    Until,
    Within,
    Yield,
)
from anabranch.interpreters.strands import EXPIRE, Strand
from anabranch.lifecycle import Event, subject_of
from anabranch.values import Masked, in_one_line

SHOWN: Final = 40
"""How many of its last lines a message shows of a timeline, besides those that tell."""

WIDTH: Final = 72
"""How much of a value or an error is shown, in characters."""


@frozen
class Moment:
    """One line: when in seconds of virtual time, who, and what.

    `telling` lines say that something went wrong or was made to.
    """

    seconds: float
    who: str
    what: str
    telling: bool = False

    def __str__(self) -> str:
        """The line, for a list of them."""
        return f"{self.seconds:10.3f} s  {self.who:<14} {self.what}"


@final
class Timeline:
    """What was seen of a run; it watches and traces.

    Attributes:
        moments: the lines, in order.
        clock: the driver's.
    """

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.clock: Callable[[], float] = lambda: 0.0
        self._who = "main"
        self._asked: set[Strand] = set()

    def __str__(self) -> str:
        """All of it, a line each."""
        return "\n".join(map(str, self.moments))

    def note(self, what: str, who: str | None = None, *, telling: bool = False) -> None:
        """Write down what happens, by default to whoever has its turn."""
        name = self._who if who is None else who
        self.moments.append(Moment(self.clock(), name, what, telling))

    def fault(self, what: str) -> None:
        """Write down that something was made to go wrong."""
        self.note(f"FAULT {what}", telling=True)

    def ending(self) -> str:
        """The last lines, and those before them that tell; a gap says how long it is."""
        lines: list[str] = []
        left_out = 0
        for number, moment in enumerate(self.moments):
            if not moment.telling and number < len(self.moments) - SHOWN:
                left_out += 1
                continue
            if left_out:
                lines.append(f"            … {left_out} more")
                left_out = 0
            lines.append(str(moment))
        return "\n".join(lines)

    def began(self, strand: Strand, mode: int, payload: Any) -> None:
        """Note the answer to what was asked, if there was one."""
        self._who = strand.title
        if mode == EXPIRE:
            self.note("is out of time", telling=True)
        elif mode == RAISED:
            self.note(f"  ! {_shown(payload)}", telling=True)
        elif mode == FAILED:
            self.note(f"  ✗ {_shown(payload)}", telling=True)
        elif mode == OK and strand in self._asked and payload is not None:
            self.note(f"  → {_shown(payload)}")
        self._asked.discard(strand)

    def asked(self, strand: Strand, request: Request) -> None:
        """Note what a strand asks for."""
        self._who = strand.title
        match request:
            case CoroutineType() | Await() | CallBlocking():
                self._asked.add(strand)
                self.note(_named(strand.fiber.waiting_for))
            case Pause(seconds):
                self.note(f"waits {seconds:g} s")
            case Fork(group=group):
                self.note(f"starts {group.workers} side by side")
            case Within(seconds=seconds):
                self.note(f"has {seconds:g} s for what follows")
            case Until():
                self.note("waits for its turn")
            case Yield():
                pass

    def ended(self, strand: Strand) -> None:
        """Note an end that is not well."""
        fiber = strand.fiber
        if fiber.mode is not OK:
            how = "fails" if fiber.mode is FAILED else "raises"
            self.note(f"{how}: {_shown(fiber.payload)}", strand.title, telling=True)

    def cancelled(self, strand: Strand) -> None:
        """Note it."""
        self.note("is told to end", strand.title, telling=True)

    def halted(self, strand: Strand) -> None:
        """Note it."""
        self.note("is killed", strand.title, telling=True)

    def started(self, span: Span) -> None:
        """Note a label, where what it names begins."""
        self.note(f"begins {span.label}")

    def closed(self, span: Span, mode: Exit) -> None:
        """Note how what a label names ended, if not well."""
        if mode is not OK:
            self.note(f"leaves {span.label}, {'failed' if mode is FAILED else 'raised'}")


@final
class Labels:
    """A tracer that writes to a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def started(self, span: Span) -> None:
        """Note it."""
        self.timeline.started(span)

    def ended(self, span: Span, mode: Exit, payload: Any) -> None:  # noqa: ARG002 (a tracer's)
        """Note it."""
        self.timeline.closed(span, mode)


def _named(leaf: Leaf[Any, Any, Any] | None) -> str:
    if leaf is None:
        return "goes on"
    name = getattr(leaf.function, "__qualname__", repr(leaf.function))
    return leaf.label or str(name).rpartition("<locals>.")[2]


def _told(event: Event) -> str:
    """What was written to the journal, in a few words."""
    payload = event.payload
    words = type(payload).__name__, subject_of(payload), getattr(payload, "to", None)
    return " ".join(str(word) for word in words if word)


def _text(value: object) -> str:
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    events = [_told(one) for one in _parts(value) if isinstance(one, Event)]
    return "; ".join(events) if events else repr(value)


def _parts(value: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()


def _shown(value: object) -> str:
    """A value in one line, shortened."""
    text = _text(value)
    return in_one_line(Masked(text), WIDTH)  # nothing is secret in a simulation
