"""Whatever commands do, and in whatever order: what came of each is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from returns.result import Failure, Result

from anabranch.environment import CommandError, CommandFault, CommandOutput, Invocation
from anabranch.services.processes import (
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)

Outcome = tuple[CommandFault | int, bytes, bytes]
Case = tuple[Invocation, Outcome]


def sh(script: str, *arguments: str, stdin: bytes | None = None) -> Invocation:
    return Invocation(argv=("sh", "-c", script, "sh", *arguments), cwd="/", stdin=stdin)


def says(out: str, err: str, code: int) -> Case:
    script = 'printf %s "$1"; printf %s "$2" >&2; exit $3'
    return sh(script, out, err, str(code)), (code, out.encode(), err.encode())


def pours(size: int) -> Case:
    script = "head -c $1 /dev/zero; head -c $1 /dev/zero >&2"
    return sh(script, str(size)), (0, bytes(size), bytes(size))


def says_later(text: str) -> Case:
    """By a process that it leaves behind, which holds its outputs open."""
    script = '(sleep 0.02; printf %s "$1") & printf now'
    return sh(script, text), (0, b"now" + text.encode(), b"")


def repeats(data: bytes) -> Case:
    return sh("cat", stdin=data), (0, data, b"")


NASTY: list[Case] = [
    (sh("printf all; kill -KILL $$"), (-9, b"all", b"")),
    (sh("printf all; kill -KILL 0"), (-9, b"all", b"")),
    (sh("exec >&- 2>&-; sleep 0.02; exit 3"), (3, b"", b"")),
    (sh("printf said; sleep 0.02; exit 4"), (4, b"said", b"")),
    (Invocation(argv=("nonsense-program",), cwd="/"), (CommandFault.NOT_FOUND, b"", b"")),
    (sh(": ", "x" * 100_000), (0, b"", b"")),
    (
        Invocation(argv=("sleep", "1000"), cwd="/", timeout=timedelta(seconds=0.01)),
        (CommandFault.TIMED_OUT, b"", b""),
    ),
]
LEAVES_A_DAEMON: Case = (sh("setsid sleep 1000 >/dev/null 2>&1 & exit 5"), (5, b"", b""))
KILLS_ITS_WARDEN: Case = (sh("kill -KILL $PPID; sleep 1000"), (CommandFault.EXIT, b"", b""))

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
cases = st.one_of(
    st.builds(says, texts, texts, st.integers(0, 255)),
    st.builds(pours, st.sampled_from([1, 4095, 4096, 4097, 65536, 65537, 200_000])),
    st.builds(says_later, texts),
    st.builds(repeats, st.binary(max_size=5) | st.just(bytes(100_000))),
    st.sampled_from(NASTY),
)


def outcome(result: Result[CommandOutput, CommandError]) -> Outcome:
    if isinstance(result, Failure):
        error = result.failure()
        output = error.output or CommandOutput(exit_code=0)
        return error.fault, output.stdout.head, output.stderr.head
    output = result.unwrap()
    return output.exit_code, output.stdout.head, output.stderr.head


async def outcomes_of(
    containment: Containment, rows: Sequence[Sequence[Case]]
) -> list[list[Outcome]]:
    """What came of each; the rows go on beside each other."""
    found: list[list[Outcome]] = [[] for _ in rows]

    async def go(number: int) -> None:
        for invocation, _ in rows[number]:
            found[number].append(outcome(await runner.run(invocation)))

    async with LocalCommands(containment=containment) as runner, anyio.create_task_group() as tasks:
        for number in range(len(rows)):
            tasks.start_soon(go, number)
    return found


def check(containment: Callable[[], Containment], rows: Sequence[Sequence[Case]]) -> None:
    expected = [[outcome for _, outcome in row] for row in rows]
    assert expected == anyio.run(outcomes_of, containment(), rows)


@given(
    st.lists(
        st.lists(cases | st.sampled_from([LEAVES_A_DAEMON, KILLS_ITS_WARDEN]), max_size=5),
        max_size=3,
    )
)
@example([[KILLS_ITS_WARDEN, says("a", "b", 1)]])
@example([[says_later("late"), says("a", "b", 1)], [pours(70_000), repeats(b"y")]])
@settings(max_examples=20, deadline=None)
def test_what_comes_of_a_command_is_its_own_whatever_ran_before_it_and_beside_it(
    rows: list[list[Case]],
) -> None:
    check(ReaperContainment, rows)


@given(st.lists(st.lists(cases, max_size=5), max_size=2))
@settings(max_examples=10, deadline=None)
def test_without_helpers_it_is_the_same(rows: list[list[Case]]) -> None:
    check(GroupContainment, rows)
