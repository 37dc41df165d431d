"""`anabranch events` shows what happened in a run, from its journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output, json_text
from anabranch.values import ConfigError, UsageError

if TYPE_CHECKING:
    from anabranch.expressions import Condition
    from anabranch.lifecycle import Event


@click.command("events", help=COMMANDS["events"])
@run_argument
@repo_option
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@click.option("--filter", "wanted", metavar="CONDITION", help="Only these, such as `to == failed`.")
@json_option
@click.pass_obj
def command(
    output: Output, run: str | None, repo: str, *, follow: bool, wanted: str | None
) -> None:
    """One line for each event; with --json one object a line, as in the journal."""
    from anabranch.cli.following import followed
    from anabranch.engine import open_repository
    from anabranch.services.journal import read_segments
    from anabranch.services.runs import newest_run, read_run

    condition = None if wanted is None else _condition(wanted)
    state = open_repository(repo).state
    found = read_run(state, run) if run else newest_run(state)
    for event in followed(found) if follow else read_segments(found.directory).events:
        row = _row(event)
        if condition is None or condition.matches(row):
            output.line(json_text(row) if output.as_json else _text(event))


def _condition(text: str) -> Condition:
    """A condition; what is wrong with it is at a place in the option."""
    from attrs import evolve

    from anabranch.expressions import parse_condition

    try:
        return parse_condition(text)
    except ConfigError as error:
        placed = (evolve(p, where=evolve(p.where, file="--filter")) for p in error.problems)
        raise UsageError(*placed) from None


def _row(event: Event) -> dict[str, Any]:
    """An event as its line in the journal, without what only the journal needs."""
    from anabranch.lifecycle import encode

    row: dict[str, Any] = json.loads(encode(event))
    return {key: value for key, value in row.items() if key not in {"v", "crc"}}


def _text(event: Event) -> str:
    from anabranch.lifecycle import describe, subject_of

    who = subject_of(event.payload) or ""
    return f"{event.sequence:6}  {event.time:%H:%M:%S}  {who:20}  {describe(event.payload)}"
