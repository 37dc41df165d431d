from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from anabranch.planning import Claim, Command, Fixed, Limits, RetryPolicy
from anabranch.values import ConfigError, Problem
from anabranch.workflow import MapPhase, Step, Workflow

STEP = Step(Command("make"))


def refused(make: Callable[[], object]) -> Problem:
    with pytest.raises(ConfigError) as caught:
        make()
    return caught.value.problems[0]


def test_a_step_is_called_what_its_command_is_called() -> None:
    assert Step(Command("make", name="build")).name == "build"


def test_a_step_keeps_its_own_copy_of_the_variables() -> None:
    variables = {"A": "1"}
    step = Step(Command("make"), env=variables)
    variables["A"] = "2"
    assert step.env == {"A": "1"}


def test_equal_workflows_are_one_key_of_a_dictionary() -> None:
    steps = [Step(Command("make"), env={"A": "1"}) for _ in range(2)]
    made = {Workflow(name="w", map=MapPhase(input="i", agent_template=(s,))) for s in steps}
    assert len(made) == 1


@pytest.mark.parametrize(
    ("make", "path", "code"),
    [
        (lambda: Step(Command(" \n")), "shell", "blank"),
        (lambda: Step(Command("echo \0")), "shell", "nul"),
        (lambda: Step(Command("echo \ud800")), "shell", "bad-unicode"),
        (lambda: Step(Command("make"), timeout=timedelta()), "timeout", "limit-zero"),
        (lambda: Step(Command("make"), env={"A B": ""}), "env", "bad-variable"),
        (lambda: Step(Command("make"), env={"A": "\0"}), "env", "nul"),
        (lambda: Step(Command("make", captures=frozenset("x"))), "command", "unsupported-key"),
        (
            lambda: Step(Command("make"), retry=RetryPolicy.forever(Fixed(1))),
            "retry",
            "unbounded-retry",
        ),
        (
            lambda: MapPhase(input="i", agent_template=(Step(Command("a", depends_on=("x",))),)),
            "agent_template[0].depends_on",
            "unknown-step",
        ),
        (
            lambda: Workflow(
                name="w",
                setup=(Step(Command("a"), resources=[Claim("gpu", amount=3)]),),
                map=MapPhase(input="i", agent_template=(STEP,)),
                resources=Limits(pools={"gpu": 2}),
            ),
            "setup[0].resources",
            "claim-too-large",
        ),
        (lambda: MapPhase(input="", agent_template=(STEP,)), "input", "blank"),
        (lambda: MapPhase(input="i", agent_template=()), "agent_template", "empty"),
        (
            lambda: MapPhase(input="i", offset=-1, agent_template=(STEP,)),
            "offset",
            "out-of-range",
        ),
        (
            lambda: MapPhase(input="i", max_parallel=0, agent_template=(STEP,)),
            "max_parallel",
            "out-of-range",
        ),
        (
            lambda: MapPhase(input="i", agent_template=(STEP, Step(Command("x ${map.total}")))),
            "agent_template[1].shell",
            "undefined-variable",
        ),
        (
            lambda: Workflow(
                name="w",
                map=MapPhase(
                    input="i", agent_template=(Step(Command("make"), env={"A": "${HOME}"}),)
                ),
            ),
            "map.agent_template[0].env.A",
            "undefined-variable",
        ),
        (
            lambda: MapPhase(input="i", agent_template=(Step(Command("a", name="1")), STEP)),
            "agent_template[1]",
            "duplicate-name",
        ),
        (
            lambda: Workflow(name="a\nb", map=MapPhase(input="i", agent_template=(STEP,))),
            "name",
            "many-lines",
        ),
    ],
)
def test_a_value_that_cannot_work_is_never_made(
    make: Callable[[], object], path: str, code: str
) -> None:
    problem = refused(make)
    assert (path, code) == (problem.where.path, problem.code)
