"""What a simulated process prints, how it ends, and how long one takes that does not want to."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from returns.result import Success

from anabranch import Effect, race, sleep, timeout
from anabranch.effects.work import execute
from anabranch.environment import Invocation, OutputListener
from anabranch.program.places import KEY_VARIABLE
from anabranch.testing import run_virtual
from anabranch.testing.git import memory_repository
from anabranch.testing.simulation import Chance, Process, Script, commits
from anabranch.testing.simulation.processes import KEPT, SimulatedCommands


def environment(script: Script) -> Any:
    commands = SimulatedCommands(
        scripts={"*": script}, repository=memory_repository(), chance=Chance()
    )
    return SimpleNamespace(commands=commands)


def asked(listener: OutputListener | None = None, **more: Any) -> Effect[Any, Any, Any]:
    invocation = Invocation(argv=("flood",), cwd="/repository", **more)
    return execute(invocation, listener)


@pytest.mark.parametrize("size", [0, 10, KEPT, KEPT + 10, 3 * KEPT])
def test_what_a_process_says_after_a_flood_is_the_end_of_its_output(size: int) -> None:
    env = environment(Process(floods=size, stdout="mud"))
    stdout = run_virtual(asked(), env).result.unwrap().stdout
    assert size + 3 == stdout.size
    assert (size + 3 <= 2 * KEPT) == stdout.complete
    assert stdout.text.endswith("mud")


@pytest.mark.parametrize("size", [1, 10, 64, 100, KEPT - 1, KEPT, 3 * KEPT + 65])
def test_a_listener_hears_all_of_a_flood_in_lines_and_in_pieces_of_a_bounded_size(
    size: int,
) -> None:
    heard: list[list[bytes]] = []
    env = environment(Process(floods=size, stdout="one\ntwo"))
    run_virtual(asked(lambda _, lines: heard.append([*lines])), env)
    assert size == sum(len(line) + 1 for lines in heard for line in lines) - len("one\ntwo\n")
    assert [b"one", b"two"] == [line for lines in heard for line in lines][-2:]
    assert KEPT >= max(sum(map(len, lines)) for lines in heard)


@pytest.mark.parametrize(("stubborn", "seconds"), [(True, 3 + 7), (False, 3)])
def test_a_process_that_is_cancelled_has_the_same_grace_as_one_that_is_out_of_time(
    stubborn: bool, seconds: float
) -> None:
    env = environment(Process(hangs=True, stubborn=stubborn))
    graceful = asked(grace=timedelta(seconds=7))
    assert seconds == run_virtual(race([graceful, sleep(3)]), env).elapsed
    limited = asked(grace=timedelta(seconds=7), timeout=timedelta(seconds=3))
    assert seconds == run_virtual(limited, env).elapsed
    assert {} == env.commands.alive


def test_one_that_is_cancelled_in_its_time_of_grace_gets_no_other() -> None:
    env = environment(Process(hangs=True, stubborn=True))
    limited = asked(grace=timedelta(seconds=7), timeout=timedelta(seconds=3))
    assert 10 == run_virtual(timeout(limited, 5), env).elapsed


def succeeds(world: Any, **more: Any) -> bool:
    return isinstance(run_virtual(asked(**more), world).result, Success)


def test_one_that_is_flaky_fails_its_first_starts_for_each_idempotency_key() -> None:
    env = environment(Process(flaky=2, work=commits("a.txt", "a")))
    for key in ("one", "two"):
        tried = [succeeds(env, env={KEY_VARIABLE: key}) for _ in range(4)]
        assert [False, False, True, True] == tried


def test_how_one_ends_may_depend_on_its_tree() -> None:
    env = environment(Process(exit_code=lambda tree: int("a.txt" not in tree.files)))
    assert not succeeds(env)
    env.commands.repository.home.write("a.txt", "a")
    assert succeeds(env)
