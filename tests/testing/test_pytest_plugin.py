"""The plugin as its users have it: in a pytest of their own, beside the plugins that they have."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import anabranch

pytest_plugins = ["pytester"]

SOURCE = Path(anabranch.__file__).parents[1]

Run = Callable[..., tuple[int, str]]

RACE = """
from attrs import define
from returns.result import Success
from anabranch import from_async, par_all
from anabranch.testing import virtual_sleep


@define
class Counter:
    value: int = 0


def increment():
    async def add(counter):
        value = counter.value
        await virtual_sleep(1)
        counter.value = value + 1
        return Success(None)

    return from_async(add, label="increment")


def both_count(run):
    assert run.env.value == 2, f"the counter is {run.env.value}"
"""


@pytest.fixture
def pytest_run(pytester: pytest.Pytester) -> Run:
    """Run pytest on a test file in a directory of its own: its exit code, and what it printed."""

    def run(text: str, *arguments: str) -> tuple[int, str]:
        pytester.makepyfile(text)
        pytester.makeini("[pytest]\naddopts = --strict-markers\n")
        asyncio = [] if "asyncio" in text else ["-p", "no:asyncio"]
        done = pytester.runpytest_inprocess(
            *("-p", "anabranch.pytest_plugin", "-p", "no:cacheprovider", "-W", "error"),
            *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
            *asyncio,
            *arguments,
        )
        return int(done.ret), done.stdout.str() + done.stderr.str()

    return run


def test_sim_finds_a_race_and_prints_how_to_see_it_again(pytest_run: Run) -> None:
    code, told = pytest_run(
        f"""{RACE}
def test_race(sim):
    sim(par_all([increment(), increment()]), lambda _: Counter(), check=both_count)
"""
    )
    assert 1 == code
    assert "both_count: the counter is 1" in told
    assert "seed=0" in told


@pytest.mark.parametrize("call", ["sim", "simulate"])
def test_of_what_an_effect_raises_pytest_shows_the_line_and_nothing_of_the_simulator(
    call: str, pytest_run: Run
) -> None:
    code, told = pytest_run(
        f"""
from anabranch import succeed
from anabranch.testing.simulation import simulate


def broken(_):
    raise ValueError("no such thing")


def test_broken(sim):
    {call}(succeed(1).map(broken))
"""
    )
    assert 1 == code
    assert '>       raise ValueError("no such thing")' in told
    assert "running.py" not in told


KILLED = """
import pytest
from anabranch import start_branch
from anabranch.testing.simulation import Process, World, commits
from anabranch.workflow import map_phase, map_reduce, step

FLOW = map_reduce("tidy", map=map_phase("files.txt", [step("tidy ${item}")]))
WORLD = World(files={"files.txt": "a.py"}, commands={"tidy *": Process(work=commits())})


@pytest.mark.anabranch(schedules=20, kills=0.2)
def test_killed(sim):
    lives = set()
    sim(FLOW, WORLD, check=lambda run: lives.add(len(run.env.journals["run"])))
    assert max(lives) > 1


@pytest.mark.anabranch(pairs=2)
def test_killed_everywhere(sim):
    work = start_branch("anabranch/run/result")
    assert sim.kill_everywhere(work, WORLD).runs == 2 + sim.kill_everywhere(work, WORLD, pairs=0).runs
"""


def test_the_marker_has_the_process_killed(pytest_run: Run) -> None:
    code, told = pytest_run(KILLED)
    assert 0 == code, told


NUMBERS = """
import pytest


@pytest.mark.anabranch(schedules=7)
class TestNumbers:
    def test_from_the_class(self, sim):
        print("class", sim.schedules, sim.seed)

    @pytest.mark.anabranch(schedules=8, seed=3)
    def test_from_the_nearest(self, sim):
        print("nearest", sim.schedules, sim.seed)


def test_from_nothing(sim):
    print("nothing", sim.schedules, sim.seed)
"""


def test_the_nearest_marker_says_how_many_schedules(pytest_run: Run) -> None:
    code, told = pytest_run(NUMBERS, "-s")
    assert 0 == code
    assert {"class 7 0", "nearest 8 3", "nothing 100 0"} <= {
        line.strip(".").rpartition(".py ")[2] for line in told.splitlines()
    }


def test_the_command_line_says_it_for_all(pytest_run: Run) -> None:
    code, told = pytest_run(NUMBERS, "-s", "--anabranch-schedules=5", "--anabranch-seed=9")
    assert 0 == code
    assert all(f"{name} 5 9" in told for name in ("class", "nearest", "nothing"))


def test_a_script_that_is_not_used_up_fails_the_test_unless_it_has_failed_already(
    pytest_run: Run,
) -> None:
    code, told = pytest_run(
        """
from anabranch.testing import in_order, printed


def test_unused(mock_env):
    mock_env(commands=in_order([("git push", printed())]))


def test_failed(mock_env):
    mock_env(commands=in_order([printed()]))
    assert False
"""
    )
    assert 1 == code
    assert "never asked for, but expected" in told
    assert "1 failed, 1 passed, 1 error" in told


def test_git_repo_is_a_repository(pytest_run: Run) -> None:
    code, told = pytest_run(
        """
def test_repository(git_repo):
    head = git_repo.commit({"a": "1"})
    assert git_repo.files(head) == {"README": b"hello\\n", "a": b"1"}
"""
    )
    assert 0 == code, told


ASYNCHRONOUS = f"""{RACE}
import pytest


@pytest.mark.PLUGIN
async def test_race(sim, mock_env, git_repo):
    mock_env()
    counts = par_all([increment()] * 2)
    with pytest.raises(AssertionError, match="the counter is 1"):
        sim(counts, lambda _: Counter(), check=both_count)
"""


def test_it_works_beside_the_plugin_of_anyio(pytest_run: Run) -> None:
    code, told = pytest_run(ASYNCHRONOUS.replace("PLUGIN", "anyio"))
    assert 0 == code, told
    assert "2 passed" in told


def test_it_works_beside_pytest_asyncio(pytest_run: Run) -> None:
    pytest.importorskip("pytest_asyncio")
    scope = "asyncio_default_fixture_loop_scope=function"
    code, told = pytest_run(ASYNCHRONOUS.replace("PLUGIN", "asyncio"), "-o", scope)
    assert 0 == code, told
    assert "1 passed" in told


def test_it_works_in_several_processes(pytest_run: Run) -> None:
    options = ("--anabranch-schedules=5", "--anabranch-seed=9")
    code, told = pytest_run(NUMBERS, "-n1", *options, "-rP")
    assert 0 == code, told
    assert all(f"{name} 5 9" in told for name in ("class", "nearest", "nothing"))


def test_who_does_not_use_it_loads_no_more_than_the_module_itself() -> None:
    program = (
        "import pytest, sys; before = set(sys.modules); import anabranch.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert ["anabranch", "anabranch.pytest_plugin"] == done.stdout.split()
