"""`anabranch run` runs a workflow in a repository, shows how it goes, and tells how it ended."""

from __future__ import annotations

from pathlib import Path

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_workflow
from anabranch.cli.going import carried_out
from anabranch.cli.options import file_argument, json_option, max_parallel_option, repo_option
from anabranch.cli.output import Output


@click.command("run", help=COMMANDS["run"])
@file_argument
@repo_option
@max_parallel_option
@json_option
@click.pass_obj
def command(output: Output, file: str, repo: str, max_parallel: int | None) -> int:
    """Check everything first; then run, and exit with 1 if anything failed."""
    from anabranch.cli.progress import Progress
    from anabranch.engine import LocalRun, new_run_id, open_repository

    workflow = read_workflow(file, max_parallel=max_parallel)
    repository = open_repository(repo)
    progress = Progress(output)
    run = LocalRun(
        workflow=workflow,
        repository=repository,
        run=new_run_id(),
        source=str(Path(file).resolve()),
        listener=progress.take,
    )
    return carried_out(output, progress, run.carry_out, repo)
