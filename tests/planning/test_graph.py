from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from anabranch.planning.access import AccessSet
from anabranch.planning.commands import Command
from anabranch.planning.graph import CommandGraph, analyze_dependencies
from anabranch.values import ConfigError, Problem
from tests.cases import Case, table


def problems_of(*commands: Command) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        analyze_dependencies(commands)
    return caught.value.problems


def batches(*commands: Command | str) -> list[list[int]]:
    given = [Command(c) if isinstance(c, str) else c for c in commands]
    return analyze_dependencies(given).parallel_batches()


@pytest.mark.parametrize("case", table("dependency_batches"))
def test_batches_are_those_of_the_table(case: Case) -> None:
    accesses = [
        AccessSet.of(reads=[f"var:{name}" for name in r], writes=[f"var:{name}" for name in w])
        for r, w in case.given["cmds"]
    ]
    assert case.expected["batches"] == CommandGraph.from_accesses(accesses).parallel_batches()


def test_assignments_run_beside_each_other_after_an_unquoted_expansion() -> None:
    assert [[0], [1, 2]] == batches("echo $A", "B=1", "C=2")


def test_a_quoted_expansion_reads_its_variable_only() -> None:
    assert [[0, 1, 2]] == batches('echo "$A"', "B=1", "C=2")


def test_two_opaque_commands_stay_in_order() -> None:
    assert [[0], [1]] == batches("make", "make test")


def test_commands_that_declare_what_they_touch_run_beside_each_other() -> None:
    docs = Command("make docs", reads=frozenset({"file:src"}), writes=frozenset({"file:docs"}))
    dist = Command("make dist", reads=frozenset({"file:src"}), writes=frozenset({"file:dist"}))
    assert [[0, 1]] == batches(docs, dist)


def test_a_set_that_was_not_declared_is_worked_out() -> None:
    half = Command("make docs", writes=frozenset({"file:docs"}))
    assert [[0], [1]] == batches(half, "A=1")


def test_commands_that_promise_to_be_parallel_safe_run_beside_everything() -> None:
    assert [[0, 1, 2]] == batches("make", Command("pytest", parallel_safe=True), "true")


def test_a_promise_does_not_bring_data_before_it_was_made() -> None:
    version = Command("git describe", captures=frozenset({"VERSION"}), parallel_safe=True)
    release = Command("./release $VERSION", parallel_safe=True)
    assert [[0], [1]] == batches(version, release)


@pytest.mark.parametrize(
    "text", ["./x $A", "./x ${A}", "./x ${A-b}", "./x ${A:-b}", "./x ${#A}", "./x {{A}}"]
)
def test_a_variable_is_seen_however_it_is_named(text: str) -> None:
    assert [[0], [1]] == batches("A=1", Command(text, parallel_safe=True))


def test_a_declared_set_does_not_hide_a_variable_that_the_text_names() -> None:
    build = Command("make CC=$CC", reads=frozenset(), writes=frozenset({"file:out"}))
    assert [[0], [1]] == batches("CC=gcc", build)


@pytest.mark.parametrize(
    "text", ["echo '${shell.output}'", "echo {{ last.exit_code }}", "./report ${steps[0]}"]
)
def test_a_template_about_earlier_steps_comes_after_them_and_before_the_others(text: str) -> None:
    first, last = (Command("true", name=name, parallel_safe=True) for name in ("first", "last"))
    assert [[0], [1], [2]] == batches(first, Command(text, parallel_safe=True), last)


def test_a_template_about_the_item_orders_nothing() -> None:
    assert [[0, 1]] == batches("echo '${item.path}'", "echo '${item.path}'")


def test_an_explicit_dependency_turns_the_order_of_the_text_round() -> None:
    graph = analyze_dependencies(
        [Command("make", name="a", depends_on=("b",)), Command("make", name="b")]
    )
    assert ((1, 0),) == graph.edges


def test_a_command_without_a_name_is_called_by_its_index() -> None:
    graph = analyze_dependencies([Command("true"), Command("true", depends_on=("0",))])
    assert ((0, 1),) == graph.edges


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    (problem,) = problems_of(Command("true", name="build"), Command("true", depends_on=("biuld",)))
    assert ("unknown-step", "biuld") == (problem.code, problem.value)
    assert "did you mean `build`?" == problem.hint
    assert "commands[1].depends_on" == problem.where.path


def test_a_cycle_is_shown_by_name_each_step_before_the_one_that_waits_for_it() -> None:
    (problem,) = problems_of(
        Command("true", name="a", depends_on=("c",)),
        Command("true", name="b", depends_on=("a",)),
        Command("true", name="c", depends_on=("b",)),
    )
    assert ("cycle", "a -> b -> c -> a") == (problem.code, problem.value)


def test_all_that_is_wrong_with_the_dependencies_is_said_at_once() -> None:
    problems = problems_of(
        Command("true", name="a", depends_on=("a", "b", "b")),
        Command("true", name="b", depends_on=("a", "x")),
        Command("true", name="b"),
        Command("true", name="c", reads=frozenset({"src", "var:"})),
    )
    codes = [problem.code for problem in problems]
    assert [
        "duplicate-name",
        "self-loop",
        "duplicate-edge",
        "unknown-step",
        "cycle",
        "bad-resource",
        "bad-resource",
    ] == codes
    assert "commands[3]" == problems[-1].where.path


def test_a_knot_of_many_cycles_lists_the_first_twenty_and_says_that_there_are_more() -> None:
    names = tuple("abcdef")
    knot = [Command("", name=n, depends_on=tuple(o for o in names if o != n)) for n in names]
    problems = problems_of(*knot)
    assert ["cycle"] * 20 + ["more-cycles"] == [problem.code for problem in problems]


def test_a_graph_of_explicit_edges_refuses_a_cycle_and_a_loop() -> None:
    with pytest.raises(ConfigError) as caught:
        CommandGraph.from_edges(3, [(0, 0), (1, 2), (2, 1)])
    assert [("self-loop", "0"), ("cycle", "1 -> 2 -> 1")] == [
        (problem.code, problem.value) for problem in caught.value.problems
    ]


def test_a_graph_of_explicit_edges_refuses_an_index_that_is_not_there() -> None:
    with pytest.raises(IndexError, match=r"\(0, 3\)"):
        CommandGraph.from_edges(3, [(0, 3)])


def test_names_must_be_as_many_as_commands() -> None:
    with pytest.raises(ValueError, match="1 names for 2"):
        CommandGraph.from_edges(2, [], names=["a"])


def test_the_critical_path_names_the_commands_that_have_no_time_to_spare() -> None:
    graph = CommandGraph.from_edges(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    path = graph.critical_path([timedelta(seconds=s) for s in (1, 5, 2, 1)])
    assert timedelta(seconds=7) == path.length
    assert (0, 1, 3) == path.commands
    assert timedelta(seconds=3) == path.slack[2]
    assert timedelta(seconds=6) == path.earliest_start[3]


def test_a_critical_path_needs_a_duration_for_every_command() -> None:
    with pytest.raises(ValueError, match="0 durations for 1"):
        CommandGraph.from_edges(1, []).critical_path([])


def test_many_readers_of_everything_behind_many_writers_stay_a_small_graph() -> None:
    writers = [AccessSet.of(writes=[f"file:out/{at}"]) for at in range(300)]
    readers = [AccessSet.of(reads=["file:out/**"]) for _ in range(300)]
    graph = CommandGraph.from_accesses([*writers, *readers])
    assert [list(range(300)), list(range(300, 600))] == graph.parallel_batches()
    assert 600 == sum(map(len, graph.waits))
    assert 300 * 300 == len(graph.edges)
    assert 300 == graph.width


def test_a_chain_of_many_commands_needs_no_deep_stack() -> None:
    count = 20_000
    graph = CommandGraph.from_edges(count, [(at, at + 1) for at in range(count - 1)])
    assert count - 1 == max(graph.levels)
    assert 1 == graph.width
    with pytest.raises(ConfigError, match="0 -> 1 -> 2"):
        CommandGraph.from_edges(count, [(at, (at + 1) % count) for at in range(count)])


IN_ANOTHER_PROCESS = """
from anabranch.planning import AccessSet, CommandGraph
names = [f"file:{d}/{f}" for d in "abcd" for f in "wxyz"] + ["var:A", "var:B", "file:**"]
sets = [
    AccessSet.of(reads=names[at % 5 :: 3], writes=names[at % 7 :: 5] if at % 3 else [])
    for at in range(60)
]
print(CommandGraph.from_accesses(sets).waits)
"""


def test_the_order_of_sets_which_differs_between_processes_does_not_matter() -> None:
    graphs = {
        subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert 1 == len(graphs)
