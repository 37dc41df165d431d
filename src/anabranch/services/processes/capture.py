"""What becomes of one output stream: its ends in memory, all of it in a log, lines to a listener.

Memory is bounded whatever the process prints. A line longer than `values.LONGEST_LINE` reaches
the listener in pieces; nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, Final, final

from attrs import frozen

from anabranch.environment import Captured
from anabranch.lifecycle import Held, Masker
from anabranch.values import split_lines

LineListener = Callable[[Sequence[bytes]], None]

# What is written to a log at a time. For larger pieces Linux takes large blocks of free memory, which
# a virtual machine has often handed back: each of their pages is then a fault on the host.
_PIECE: Final = 1 << 15
_NOTHING: Final = Held()


@frozen(kw_only=True)
class Limits:
    """How much of a stream memory holds, in bytes.

    Attributes:
        head: from its beginning; a stream no longer than that is held whole.
        tail: from its end.
    """

    head: int = 1 << 20
    tail: int = 1 << 16


@final
class Ends:
    """The head and the tail of a stream."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes in."""
        self.size += len(data)
        room = self._limits.head - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._tail += data[-self._limits.tail :] if self._limits.tail else b""
        if len(self._tail) > 2 * self._limits.tail:
            del self._tail[: -self._limits.tail]

    def captured(self, log: str | None, shown: bytes | None = None) -> Captured:
        """What is held now, with where the rest is and how its end may be shown."""
        return Captured(
            head=bytes(self._head), tail=self.tail, size=self.size, log=log, shown=shown
        )

    @property
    def tail(self) -> bytes:
        """The end of what came after the head."""
        return bytes(self._tail[-self._limits.tail :]) if self._limits.tail else b""


@final
class Stream:
    """One output stream on its way in.

    Memory holds it as it came, since later steps may need it as a value; the log and the listener
    get it without its secrets, and so does who is shown its end. A log that cannot be written ends
    there and is not named in what was captured, so that whoever is named a log finds everything in
    it. The command itself goes on.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        open_log: Callable[[], BinaryIO] | None = None,
        listener: LineListener | None = None,
        masker: Masker | None = None,
    ) -> None:
        self._ends = Ends(limits)
        self._open_log = open_log
        self._log: BinaryIO | None = None
        self._listener = listener
        self._carry = b""
        self._masker, self._held = masker, _NOTHING
        self._shown = None if masker is None else Ends(Limits(head=0, tail=limits.tail))

    def feed(self, data: bytes) -> None:
        """Take the next bytes in."""
        self._ends.feed(data)
        if self._masker is not None:
            data, self._held = self._masker.feed(self._held, data)
        self._show(data)

    def _show(self, data: bytes) -> None:
        self._write(data)
        if self._shown is not None:
            self._shown.feed(data)
        if self._listener is not None:
            lines, self._carry = split_lines(self._carry, data)
            if lines:
                self._listener(lines)

    def _write(self, data: bytes) -> None:
        try:
            if data and self._open_log is not None and self._log is None:
                self._log = self._open_log()
            if self._log is not None:
                # Into the page cache: cheaper than handing it to a thread. A disk that is nearly
                # full takes a part of a piece, and refuses the rest.
                left = memoryview(data)
                while left:
                    left = left[self._log.write(left[:_PIECE]) :]
        except OSError:
            self.close()
            self._open_log = None

    def finish(self) -> Captured:
        """The stream has ended: hand out a last line that had no end, and say what was held."""
        if self._masker is not None:
            data, self._held = self._masker.flush(self._held), _NOTHING
            self._show(data)
        if self._listener is not None and self._carry:
            self._listener([self._carry])
        name = None if self._log is None else str(self._log.name)
        self.close()
        return self._ends.captured(name, None if self._shown is None else self._shown.tail)

    def silence(self) -> None:
        """No longer tell the listener."""
        self._listener = None

    def close(self) -> None:
        """Let go of the log. Twice is once."""
        if self._log is not None:
            self._log.close()
            self._log = None
