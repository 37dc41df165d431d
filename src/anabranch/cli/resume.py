"""`anabranch resume` goes on with a run that was interrupted, from where its journal ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.going import carried_out
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output
from anabranch.values import RunStatus

if TYPE_CHECKING:
    from anabranch.services.runs import FoundRun
    from anabranch.workflow import Workflow


@click.command("resume", help=COMMANDS["resume"])
@run_argument
@repo_option
@click.option(
    "--force", is_flag=True, help="Go on although the workflow has changed, as far as that can be."
)
@click.option("--done", multiple=True, metavar="STEP", help="This step in doubt was done.")
@click.option("--again", multiple=True, metavar="STEP", help="Run this step in doubt again.")
@click.option("--failed", multiple=True, metavar="STEP", help="This step in doubt has failed.")
@json_option
@click.pass_obj
def command(
    output: Output, /, run: str | None, repo: str, *, force: bool, **verdicts: tuple[str, ...]
) -> int:
    """Find the run, and its workflow as the file says it today; then go on."""
    from anabranch.cli.progress import Progress
    from anabranch.engine import LocalResumption, open_repository
    from anabranch.program import Verdict
    from anabranch.services.runs import newest_run, read_run

    repository = open_repository(repo)
    state = repository.state
    found = read_run(state, run) if run else newest_run(state, RunStatus.INTERRUPTED)
    with Progress(output) as progress:
        resumption = LocalResumption(
            repository=repository,
            run=found.run,
            workflow=_today(found),
            force=force,
            verdicts={name: Verdict(word) for word, names in verdicts.items() for name in names},
            begin=progress.begin,
            listener=progress.take,
        )
        return carried_out(output, progress, resumption.carry_out, repo)


def _today(found: FoundRun) -> Workflow | None:
    """The workflow as its file says it now, if the file is still there."""
    from pathlib import Path

    from anabranch.cli.files import read_workflow

    source = found.summary.source
    return read_workflow(source) if source is not None and Path(source).is_file() else None
