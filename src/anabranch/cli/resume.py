"""`anabranch resume` goes on with a run that was interrupted, from where its journal ends."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.going import carried_out
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output
from anabranch.values import Json, RunStatus, UsageError

if TYPE_CHECKING:
    from anabranch.services.git import GitRepository
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
    """Find the run, and its workflow as the file says it today; then go on.

    Of a run that has ended there may be something to put away; that is all it needs.
    """
    from anabranch.cli.progress import Progress
    from anabranch.engine import LocalResumption, open_repository
    from anabranch.program import Verdict
    from anabranch.services.runs import read_run

    repository = open_repository(repo)
    found = read_run(repository.state, run) if run else _newest(repository)
    if not force and not any(verdicts.values()) and _has_remains(repository, found):
        return _put_away(output, repository, found)
    progress = Progress(output)
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


def _newest(repository: GitRepository) -> FoundRun:
    """The newest run that was interrupted, or else the newest, if it was killed at its very end."""
    from anabranch.services.runs import newest_run

    try:
        return newest_run(repository.state, RunStatus.INTERRUPTED)
    except UsageError:
        with suppress(UsageError):
            found = newest_run(repository.state)
            if _has_remains(repository, found):
                return found
        raise


def _has_remains(repository: GitRepository, found: FoundRun) -> bool:
    """Whether a run has ended, and its process was killed before all was put away."""
    from anabranch.lifecycle import RUN_TERMINAL
    from anabranch.services.git import remains_of
    from anabranch.services.owners import Life

    dead = found.status in RUN_TERMINAL and found.life is Life.DEAD
    return dead and bool(remains_of(repository, found.run))


def _put_away(output: Output, repository: GitRepository, found: FoundRun) -> int:
    """Take away what a run that has ended left behind, and tell it."""
    from anabranch.engine import end_what_was_left
    from anabranch.services.git import sweep_run

    begun = found.summary.started_at
    released = () if begun is None else end_what_was_left(repository, found.run, begun)
    swept = sweep_run(repository, found.run)
    removed = sorted((*released, *swept.gone))
    status = found.status.value
    lines = [
        f"nothing is left to do but to put away: the run has ended ({status}, run {found.run})",
        *(f"  removed: {path}" for path in removed),
        *(f"  kept: {path}: {reason}" for path, reason in swept.kept.items()),
        *(f"  failed: {path}: {problem}" for path, problem in swept.failed.items()),
    ]
    data: dict[str, Json] = {
        "run": found.run,
        "status": status,
        "removed": list(removed),
        "kept": dict(swept.kept),
        "failed": dict(swept.failed),
    }
    output.result("\n".join(lines), data)
    return int(bool(swept.failed))


def _today(found: FoundRun) -> Workflow | None:
    """The workflow as its file says it now, if the file is still there."""
    from pathlib import Path

    from anabranch.cli.files import read_workflow

    source = found.summary.source
    return read_workflow(source) if source is not None and Path(source).is_file() else None
