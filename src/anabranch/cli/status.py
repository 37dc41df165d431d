"""`anabranch status` tells how a run stands, also while another process works on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output
from anabranch.values import format_duration

if TYPE_CHECKING:
    from anabranch.services.runs import FoundRun


@click.command("status", help=COMMANDS["status"])
@run_argument
@repo_option
@click.option("--follow", "-f", is_flag=True, help="Show how it goes on, until it ends.")
@json_option
@click.pass_obj
def command(output: Output, run: str | None, repo: str, *, follow: bool) -> None:
    """Answer from what is derived from the journal, or follow the journal itself."""
    from anabranch.cli.summary import as_data
    from anabranch.engine import open_repository
    from anabranch.services.runs import newest_run, read_run

    state = open_repository(repo).state
    found = read_run(state, run) if run else newest_run(state)
    if follow:
        _follow(output, found)
        found = read_run(state, found.run)
    data = as_data(found.summary) | {"status": found.status.value}
    output.result("\n".join(_lines(found, repo)), data)


def _follow(output: Output, found: FoundRun) -> None:
    from anabranch.cli.following import followed
    from anabranch.cli.progress import Progress

    with Progress(output) as progress:
        for event in followed(found):
            progress.take(event)


def _lines(found: FoundRun, repo: str) -> Iterator[str]:
    from attrs import evolve

    from anabranch.cli.summary import as_text

    summary = found.summary
    yield as_text(evolve(summary, status=found.status), repo)
    for running in summary.running if found.is_alive else ():
        doing = f": {running.command}" if running.command else ""
        yield f"  at work: {running.label}{doing}"
    if found.is_alive:
        yield f"  {found.owner} works on it"
    for phase, lasted in summary.phases.items():
        yield f"  {phase}: {format_duration(lasted)}"
