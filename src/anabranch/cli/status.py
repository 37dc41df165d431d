"""`anabranch status` tells how a run stands, also while another process works on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output
from anabranch.values import UsageError, format_duration

if TYPE_CHECKING:
    from anabranch.lifecycle import Summary
    from anabranch.services.runs import FoundRun


@click.command("status", help=COMMANDS["status"])
@run_argument
@repo_option
@click.option("--follow", "-f", is_flag=True, help="Show how it goes on, until it ends.")
@click.option("--at", metavar="MOMENT", help="As it was: after an event's number, or at a time.")
@json_option
@click.pass_obj
def command(output: Output, run: str | None, repo: str, *, follow: bool, at: str | None) -> None:
    """Answer from what is derived from the journal, or from the journal itself."""
    from anabranch.cli.summary import as_data
    from anabranch.engine import open_repository
    from anabranch.services.runs import newest_run, read_run

    if follow and at is not None:
        raise UsageError.of("two-moments", "`--at` is the past, `--follow` what is to come")
    state = open_repository(repo).state
    found = read_run(state, run) if run else newest_run(state)
    if at is not None:
        past = _past(found, _moment(at))
        output.result("\n".join(_lines_then(past, repo)), as_data(past))
        return
    if follow:
        _follow(output, found)
        found = read_run(state, found.run)
    output.result("\n".join(_lines(found, repo)), as_data(found.summary))


def _moment(text: str) -> int | datetime:
    """The number of an event, or a time in ISO 8601, by default in the zone of this machine."""
    if text.isdecimal():
        return int(text)
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        hint = "the number of an event, as in `anabranch events`, or a time: `2026-03-14T12:00:00Z`"
        raise UsageError.of("no-moment", "no moment", value=text, hint=hint) from None


def _past(found: FoundRun, moment: int | datetime) -> Summary:
    """The run as it was, with nothing to type: what could be typed then cannot be typed now."""
    from attrs import evolve

    from anabranch.lifecycle import replay, summarise
    from anabranch.services.journal import read_segments

    then = summarise(replay(read_segments(found.directory).events, moment))
    if not then.run:
        raise UsageError.of("no-moment", "the run had not begun by then", value=str(moment))
    return evolve(then, next_commands=())


def _follow(output: Output, found: FoundRun) -> None:
    from anabranch.cli.following import followed
    from anabranch.cli.progress import Progress

    with Progress(output) as progress:
        for event in followed(found):
            progress.take(event)


def _lines(found: FoundRun, repo: str) -> Iterator[str]:
    from anabranch.cli.summary import as_text

    summary = found.summary
    yield as_text(summary, repo)
    if found.is_alive:
        yield from _at_work(summary)
        yield f"  {found.owner} works on it"
    yield from _phases(summary)


def _lines_then(summary: Summary, repo: str) -> Iterator[str]:
    from anabranch.cli.summary import as_text

    yield as_text(summary, repo)
    yield from _at_work(summary)
    yield from _phases(summary)


def _at_work(summary: Summary) -> Iterator[str]:
    from anabranch.cli.summary import doing

    for running in summary.running:
        at = doing(running)
        yield f"  at work: {running.label}{'' if at is None else f': {at}'}"


def _phases(summary: Summary) -> Iterator[str]:
    for phase, lasted in summary.phases.items():
        yield f"  {phase}: {format_duration(lasted)}"
