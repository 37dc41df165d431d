"""`anabranch runs` lists the runs of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option
from anabranch.cli.output import Output, table
from anabranch.values import Json, StepStatus

if TYPE_CHECKING:
    from anabranch.services.runs import FoundRun

_HEAD = ("RUN", "WORKFLOW", "STATUS", "AGENTS", "MERGED", "STARTED")


@click.command("runs", help=COMMANDS["runs"])
@repo_option
@json_option
@click.pass_obj
def command(output: Output, repo: str) -> None:
    """Newest first. What never began, as effects that code runs by itself, is no run to go on with."""
    from anabranch.engine import open_repository
    from anabranch.services.runs import read_runs

    found = [each for each in read_runs(open_repository(repo).state) if each.has_begun]
    text = "\n".join(table([_HEAD, *map(_row, found)])) if found else "no runs"
    output.result(text, {"runs": [_data(each) for each in found]})


def _row(found: FoundRun) -> tuple[str, ...]:
    summary = found.summary
    done, total = summary.agents.get(StepStatus.COMPLETED, 0), sum(summary.agents.values())
    started = summary.started_at
    told = "" if started is None else f"{started.astimezone():%Y-%m-%d %H:%M}"
    return found.run, summary.workflow, found.status, f"{done}/{total}", str(summary.merged), told


def _data(found: FoundRun) -> dict[str, Json]:
    summary = found.summary
    return {
        "run": found.run,
        "workflow": summary.workflow,
        "status": found.status.value,
        "agents": {status.value: count for status, count in summary.agents.items()},
        "merged": summary.merged,
        "dead_letters": len(summary.letters),
        "started_at": None if summary.started_at is None else summary.started_at.isoformat(),
    }
