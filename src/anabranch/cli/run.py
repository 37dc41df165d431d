"""`anabranch run` runs a workflow in a repository, shows how it goes, and tells how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_workflow
from anabranch.cli.options import file_argument, json_option, max_parallel_option, repo_option
from anabranch.cli.output import Output
from anabranch.values import RunStatus

if TYPE_CHECKING:
    from anabranch.lifecycle import Summary


@click.command("run", help=COMMANDS["run"])
@file_argument
@repo_option
@max_parallel_option
@json_option
@click.pass_obj
def command(output: Output, file: str, repo: str, max_parallel: int | None) -> int:
    """Check everything first; then run, and exit with 1 if anything failed."""
    import anyio

    from anabranch.cli.progress import Progress
    from anabranch.cli.summary import as_data, as_text
    from anabranch.engine import LocalRun, new_run_id, open_repository
    from anabranch.lifecycle import summarise

    workflow = read_workflow(file, max_parallel=max_parallel)
    repository = open_repository(repo)
    with Progress(output) as progress:
        run = LocalRun(
            workflow=workflow,
            repository=repository,
            run=new_run_id(),
            listener=progress.take,
        )
        try:
            state = anyio.run(run.carry_out)
        except KeyboardInterrupt:
            output.note(as_text(summarise(progress.state), repo))
            raise
    summary = summarise(state)
    output.result(as_text(summary, repo), as_data(summary))
    return 0 if is_well(summary) else 1


def is_well(summary: Summary) -> bool:
    """Whether everything was done and the user's branch has it."""
    delivered = summary.delivered
    completed = summary.status is RunStatus.COMPLETED
    return completed and delivered is not None and delivered.delivered
