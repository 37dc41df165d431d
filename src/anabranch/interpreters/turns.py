"""Whose turn it is on the event loop: how fibers that never wait leave room for other tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, final

import anyio.lowlevel

BUDGET: Final = 12
"""How often fibers may go on without having waited, all together, in one turn of the loop."""


@final
class Turns:
    """Counts the turns of the event loop, and what the fibers of one run take of each.

    A fiber that went on and finds the turn's number changed has waited, or others had their turn:
    it pays nothing. One that finds it unchanged spends. When the budget is spent, each fiber that
    comes by gives up the loop. So what other tasks have to wait for is bounded, however many
    fibers there are, and fibers that wait anyway never give up the loop in addition.

    Attributes:
        number: of the present turn.
        begun: somebody will notice when the present turn is over.
    """

    __slots__ = ("_soon", "_spent", "begun", "number")

    def __init__(self) -> None:
        self.number = 0
        self.begun = False
        self._spent = 0
        self._soon = _on_the_next_turn()

    def begin(self) -> None:
        """Notice the end of this turn."""
        self.begun = True
        self._soon(self._end)

    def spend(self) -> bool:
        """Go on within the turn; `True` if its budget is spent."""
        self._spent += 1
        return self._spent > BUDGET

    async def give_up(self, *, shielded: bool) -> None:
        """Let other tasks have their turn; unless it is shielded, see a cancellation."""
        number = self.number
        if shielded:
            await anyio.lowlevel.cancel_shielded_checkpoint()
        else:
            await anyio.lowlevel.checkpoint()
        if number == self.number:
            self._end()

    def _end(self) -> None:
        self.number += 1
        self.begun = False
        self._spent = 0


def _on_the_next_turn() -> Callable[[Callable[[], object]], Any]:
    """What calls a function in the loop's next turn: asyncio has it, trio has no need of it.

    There, a turn lasts until a fiber that gave up the loop has it back; waiting costs so much
    more that giving it up once too often is not seen.
    """
    try:
        return asyncio.get_running_loop().call_soon
    except RuntimeError:
        return _never


def _never(_: Callable[[], object]) -> None:
    """Let it be."""
