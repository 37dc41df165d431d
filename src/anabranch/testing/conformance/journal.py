"""The laws of a `Journal`.

1. What was appended comes back as events, in order, with the cause that was given.
2. Numbers have no gaps; times never go back.
3. What the transition tables do not allow is raised, and nothing of it is written.
4. What is appended at once stays together, whoever else appends at the same time.
"""

from __future__ import annotations

from itertools import pairwise

import anyio
from returns.result import Success

from anabranch.environment import Journal
from anabranch.lifecycle import Declared, Event, InvalidTransition, Moved, Payload
from anabranch.values import StepStatus


async def check_journal(journal: Journal) -> None:
    """Check that a journal obeys the laws.

    Args:
        journal: a new one.

    Raises:
        AssertionError: it does not; the text says what came and what was expected.

    >>> from anabranch.testing import mock_env
    >>> anyio.run(check_journal, mock_env().journal)
    """
    events = list(await _append(journal))
    assert not events, f"nothing was appended, and {events} came back"
    events += await _append(journal, Declared(subject="a"), Declared(subject="b"))
    moved, cause = Moved(subject="a", to=StepStatus.QUEUED), events[0].sequence
    events += await _append(journal, moved, cause=cause)
    await _check_refusal(journal)
    events += await _check_at_once(journal)
    events.sort(key=lambda event: event.sequence)
    numbers = [event.sequence for event in events]
    dense = list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers == dense, f"the events have the numbers {numbers}"
    back = [(one, other) for one, other in pairwise(events) if other.time < one.time]
    assert not back, f"time goes back: {back[:1]}"


async def _append(
    journal: Journal, *payloads: Payload, cause: int | None = None
) -> tuple[Event, ...]:
    answer = await journal.append(*payloads, cause=cause)
    assert isinstance(answer, Success), f"appending answers {answer}"
    events: tuple[Event, ...] = answer.unwrap()
    came = [(event.payload, event.cause) for event in events]
    expected = [(payload, cause) for payload in payloads]
    assert came == expected, f"came {came}, expected {expected}"
    return events


async def _check_refusal(journal: Journal) -> None:
    try:
        await journal.append(Declared(subject="c"), Moved(subject="c", to=StepStatus.COMPLETED))
    except InvalidTransition:
        return
    raise AssertionError("a step that never ran was completed, and the journal took it")


async def _check_at_once(journal: Journal) -> list[Event]:
    found: list[Event] = []

    async def one(name: str) -> None:
        events = await _append(journal, Declared(subject=name), Declared(subject=f"{name}/x"))
        first, second = (event.sequence for event in events)
        assert second == first + 1, f"{first} and {second} were appended at once"
        found.extend(events)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(one, f"beside-{number}")
    return found
