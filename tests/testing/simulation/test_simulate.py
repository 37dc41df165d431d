"""Effects under many schedules: what is found, what is printed, what can be made again."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any, Never

import pytest
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from anabranch import (
    Do,
    Effect,
    do,
    fail,
    from_async,
    from_function,
    par_all,
    repeat,
    sleep,
    succeed,
    timeout,
)
from anabranch.testing import Gate
from anabranch.testing.simulation import Check, Run, SimulationFailed, drawn, explore, simulate


@define
class Account:
    balance: int = 0


async def _read(account: Account) -> Result[int, Any]:
    return Success(account.balance)


def _write(balance: int) -> Effect[None, Any, Account]:
    async def write(account: Account) -> Result[None, Any]:
        account.balance = balance
        return Success(None)

    return from_async(write, label=f"write {balance}")


@do
def deposit(amount: int) -> Do[None, Any, Account]:
    before = yield from from_async(_read, label="read the balance")
    yield from _write(before + amount)


def nothing_is_lost(run: Run) -> None:
    assert run.env.balance == 7, f"the balance is {run.env.balance}"


def careful(amount: int) -> Effect[None, Any, Account]:
    async def add(account: Account) -> Result[None, Any]:
        account.balance += amount
        return Success(None)

    return from_async(add)


DEPOSITS = par_all([deposit(1), deposit(2), deposit(4)])


def failure_of(
    effect: Effect[Any, Any, Any], check: Check | Sequence[Check] = (), **options: Any
) -> SimulationFailed:
    with pytest.raises(SimulationFailed) as caught:
        simulate(effect, lambda _: Account(), check=check, **options)
    return caught.value


def last_wins(run: Run) -> bool:
    return bool(run.env.balance != 1)


def test_what_is_right_under_every_schedule_passes() -> None:
    deposits = par_all([careful(1), careful(2), careful(4)])
    assert 50 == simulate(deposits, lambda _: Account(), check=nothing_is_lost, schedules=50).runs


def test_a_lost_update_is_found_and_told() -> None:
    failed = failure_of(DEPOSITS, check=nothing_is_lost)
    assert "nothing_is_lost: the balance is 4" == str(failed).splitlines()[0]
    assert "main.2" in str(failed)
    assert "write 4" in str(failed)


def test_the_smallest_choices_make_the_same_failure_again() -> None:
    failed = failure_of(DEPOSITS, check=last_wins)
    assert failed.choices
    again = failure_of(DEPOSITS, check=last_wins, replay=failed.choices)
    assert (failed.choices, str(failed.timeline)) == (again.choices, str(again.timeline))


def test_what_is_found_among_all_schedules_is_made_again_by_its_choices() -> None:
    def found(**options: Any) -> SimulationFailed:
        with pytest.raises(SimulationFailed) as caught:
            explore(DEPOSITS, lambda _: Account(), check=last_wins, **options)
        return caught.value

    failed = found()
    assert failed.choices
    assert str(failed) == str(found(replay=failed.choices))


def test_the_seed_that_is_printed_finds_the_failure_at_once() -> None:
    failed = failure_of(DEPOSITS, check=last_wins)
    again = failure_of(DEPOSITS, check=last_wins, seed=failed.seed, schedules=1)
    assert str(failed) == str(again)


def test_a_check_may_answer_with_what_is_wrong() -> None:
    failed = failure_of(succeed(1), check=lambda run: f"it is {run.result}")
    assert "check: it is <Success: 1>" == str(failed).splitlines()[0]


def test_what_is_raised_is_a_fault_without_any_check() -> None:
    def broken(_: object) -> Result[None, Any]:
        raise ValueError("no such thing")

    failed = failure_of(succeed(1).map(broken))
    assert "ValueError: no such thing" == str(failed).splitlines()[0]
    assert isinstance(failed.__cause__, ValueError)
    assert "broken" == traceback.extract_tb(failed.__cause__.__traceback__)[-1].name


def test_of_what_several_raised_each_is_told() -> None:
    def broken(name: str) -> Effect[None, Any, object]:
        def work(_: object) -> Result[None, Any]:
            raise ValueError(name)

        return from_function(work)

    first = str(failure_of(par_all([broken("a"), broken("b")]))).splitlines()[0]
    assert "ExceptionGroup: several parallel effects raised" in first
    assert first.endswith(": ValueError: a; ValueError: b")


def test_a_failure_is_a_result_like_any_other() -> None:
    def failed(run: Run) -> bool:
        return run.result == Failure("no")

    assert 3 == simulate(fail("no"), check=failed, schedules=3).runs


def test_a_deadlock_names_who_waits_for_what() -> None:
    gate = Gate("the key")

    async def wait(_: object) -> Result[None, Any]:
        await gate.wait()
        return Success(None)

    failed = failure_of(par_all([from_async(wait, label="open the door"), sleep("1h")]))
    assert "DeadlockError" == failed.fault.kind
    assert "main waits for 1 inside it" in failed.fault.message
    assert "main.0 waits for the key, in " in failed.fault.message
    assert "open the door" in failed.fault.message


def test_a_gate_lets_all_who_wait_go_on() -> None:
    def opening(gate: Gate) -> Effect[object, Any, Any]:
        async def wait(_: object) -> Result[None, Any]:
            await gate.wait()
            return Success(None)

        async def open_it(_: object) -> Result[None, Any]:
            gate.open()
            return Success(None)

        last = sleep("1h").and_then(lambda _: from_async(open_it))
        return par_all([from_async(wait), from_async(wait), last])

    assert 3 == simulate(opening(Gate("it")), schedules=3).runs


def test_waiting_behind_a_gate_ends_when_the_time_is_over() -> None:
    async def wait(gate: Gate) -> Result[None, Any]:
        await gate.wait()
        return Success(None)

    effect = timeout(from_async(wait), "2s").settled()
    simulation = simulate(
        effect, lambda _: Gate("never"), check=lambda run: run.elapsed == 2, schedules=2
    )
    assert 2 == simulation.runs


def test_what_goes_on_for_ever_is_an_error() -> None:
    failed = failure_of(repeat(sleep("1s"), times=10_000), max_turns=50)
    assert "LivelockError" == failed.fault.kind
    assert [
        "no end after 50 turns, at 25 s",
        "  main waits for its turn",
    ] == failed.fault.message.splitlines()


def test_of_two_that_wake_at_one_moment_either_may_be_the_first() -> None:
    def noting(name: str) -> Effect[None, Any, list[str]]:
        async def note(seen: list[str]) -> Result[None, Any]:
            seen.append(name)
            return Success(None)

        return sleep("1s").and_then(lambda _: from_async(note))

    seen: set[str] = set()
    simulate(
        par_all([noting("a"), noting("b")]),
        lambda _: list[str](),
        check=lambda run: seen.add("".join(run.env)),
        schedules=20,
    )
    assert {"ab", "ba"} == seen


@settings(max_examples=30)
@given(st.data())
def test_hypothesis_may_draw_the_schedule(data: st.DataObject) -> None:
    deposits = par_all([careful(1), careful(2), careful(4)])
    simulate(deposits, lambda _: Account(), check=nothing_is_lost, source=drawn(data))


def test_a_run_that_does_not_repeat_itself_is_told_to_be_one() -> None:
    times = iter(range(9))
    failed = failure_of(succeed(1), check=lambda _: next(times) > 0)
    assert "not repeatable" == failed.fault.kind


def test_a_check_that_cannot_cope_with_a_run_is_a_fault_of_its_own_kind() -> None:
    def beyond_the_end(run: Run) -> bool:
        return "".index(str(run.result)) == 0

    with pytest.raises(SimulationFailed, match="beyond_the_end raised ValueError"):
        simulate(succeed(1), check=beyond_the_end)


def test_what_is_raised_is_told_rather_than_what_a_check_makes_of_it() -> None:
    def one(run: Run) -> bool:
        assert run.result is not None
        return bool(run.result.unwrap() == 1)

    def divide(zero: object) -> Result[int, Never]:
        return Success(1 // int(zero is None and 0))

    broken = from_function(divide)
    with pytest.raises(SimulationFailed, match="ZeroDivisionError"):
        simulate(broken, check=one)
