"""`anabranch plan` shows what a run would do, and does nothing of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_bytes, read_workflow
from anabranch.cli.options import file_argument, json_option, max_parallel_option, repo_option
from anabranch.cli.output import Output
from anabranch.cli.repositories import read_committed
from anabranch.values import UsageError

if TYPE_CHECKING:
    from anabranch.planning import WorkAssignment
    from anabranch.services.git import GitRepository
    from anabranch.workflow import Plan, StepTimes, Workflow


@click.command("plan", help=COMMANDS["plan"])
@file_argument
@repo_option
@max_parallel_option
@click.option(
    "--against",
    type=click.Path(),
    help="A plan saved with `--json`: show what is different now.",
)
@click.option(
    "--history",
    metavar="RUN",
    help="Expect steps without an `estimate` to take as long as they took in this run.",
)
@json_option
@click.pass_obj
def command(
    output: Output,
    /,
    file: str,
    repo: str,
    *,
    max_parallel: int | None,
    against: str | None,
    history: str | None,
) -> None:
    """Plan as far as it can be known: items that `setup` will write are not."""
    from anabranch.engine import open_repository
    from anabranch.planning import differences, to_json
    from anabranch.workflow import foresee, make_plan, plan_text, plan_to_data

    workflow = read_workflow(file, max_parallel=max_parallel)
    repository = open_repository(repo)
    plan = make_plan(workflow, _assignments(workflow, repository))
    if against is None:
        seen = foresee(plan, _times(repository.state, history))
        output.result(plan_text(plan, seen), {**plan_to_data(plan), "expected": to_json(seen)})
        return
    if history is not None:
        message = "`--against` compares what is planned, not how long it may take"
        raise UsageError.of("bad-options", message, hint="leave out `--history`")
    changes = differences(plan_to_data(_saved(against)), plan_to_data(plan))
    told = [change for change in changes if change.path != "digest"]
    output.result(
        "\n".join(map(str, told)) or "nothing is different",
        {"differences": [to_json(change) for change in told]},
    )


def _times(state: str, run: str | None) -> StepTimes:
    """How long steps took in a run."""
    from anabranch.lifecycle import fold, step_durations
    from anabranch.services.journal import read_segments
    from anabranch.services.runs import read_run

    if run is None:
        return {}
    return step_durations(fold(read_segments(read_run(state, run).directory).events))


def _saved(file: str) -> Plan:
    from anabranch.workflow import plan_from_data

    try:
        data: Any = json.loads(read_bytes(file))
        data.pop("expected", None)
    except (ValueError, AttributeError, TypeError):
        hint = "save one with `anabranch plan FILE --json`"
        raise UsageError.of("bad-plan", "not a saved plan", value=file, hint=hint) from None
    return plan_from_data(data)


def _assignments(
    workflow: Workflow, repository: GitRepository
) -> tuple[WorkAssignment, ...] | None:
    """The items in the commit that a run would begin from."""
    from anabranch.workflow import plan_items

    if workflow.setup:
        return None
    return plan_items(workflow.map, read_committed(repository, workflow.map.input))
