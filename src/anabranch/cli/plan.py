"""`anabranch plan` shows what a run would do, and does nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_workflow
from anabranch.cli.options import file_argument, json_option, max_parallel_option, repo_option
from anabranch.cli.output import Output
from anabranch.cli.repositories import read_committed

if TYPE_CHECKING:
    from anabranch.planning import WorkAssignment
    from anabranch.services.git import GitRepository
    from anabranch.workflow import Workflow


@click.command("plan", help=COMMANDS["plan"])
@file_argument
@repo_option
@max_parallel_option
@json_option
@click.pass_obj
def command(output: Output, file: str, repo: str, max_parallel: int | None) -> None:
    """Plan as far as it can be known: items that `setup` will write are not."""
    from anabranch.engine import open_repository
    from anabranch.workflow import make_plan, plan_text, plan_to_data

    workflow = read_workflow(file, max_parallel=max_parallel)
    plan = make_plan(workflow, _assignments(workflow, open_repository(repo)))
    output.result(plan_text(plan), plan_to_data(plan))


def _assignments(
    workflow: Workflow, repository: GitRepository
) -> tuple[WorkAssignment, ...] | None:
    """The items in the commit that a run would begin from."""
    from anabranch.workflow import plan_items

    if workflow.setup:
        return None
    return plan_items(workflow.map, read_committed(repository, workflow.map.input))
