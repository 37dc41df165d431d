"""`anabranch logs` shows what was printed: in a run, or by one step or agent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output
from anabranch.values import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from anabranch.services.runs import FoundRun

_POLL_SECONDS: Final = 0.1


@click.command("logs", help=COMMANDS["logs"])
@run_argument
@click.argument("subject", metavar="[STEP|AGENT]", required=False)
@repo_option
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@json_option
@click.pass_obj
def command(
    output: Output, run: str | None, subject: str | None, repo: str, *, follow: bool
) -> None:
    """All log files, oldest first, each under its name if there are several."""
    from anabranch.engine import open_repository

    found, subject = _meant(open_repository(repo).state, run, subject)
    if output.as_json:
        told = [{"path": str(p), "text": _text(p.read_bytes())} for p in _files(found, subject)]
        output.result("", {"logs": told})
        return
    seen: dict[Path, int] = {}
    while True:
        going = follow and found.is_alive
        for piece in _pieces(found, subject, seen):
            output.piece(piece)
        if not going:
            return
        time.sleep(_POLL_SECONDS)


def _meant(state: str, run: str | None, subject: str | None) -> tuple[FoundRun, str | None]:
    """The run, and what of it. A word alone is a run, or else something of the newest one."""
    from anabranch.services.runs import newest_run, read_run, run_ids

    if run is None:
        return newest_run(state), None
    if subject is None and run not in run_ids(state):
        newest = newest_run(state)
        if run in _subjects(newest):
            return newest, run
    found = read_run(state, run)
    if subject is not None:
        _require_subject(found, subject)
    return found, subject


def _subjects(found: FoundRun) -> Mapping[str, object]:
    from anabranch.lifecycle import fold
    from anabranch.services.journal import read_segments

    return fold(read_segments(found.directory).events).subjects


def _require_subject(found: FoundRun, subject: str) -> None:
    known = _subjects(found)
    if subject not in known:
        hint = did_you_mean(subject, known) or f"`anabranch events {found.run}` tells its steps"
        message = "the run has no such step or agent"
        raise UsageError(Problem(code="no-subject", message=message, value=subject, hint=hint))


def _files(found: FoundRun, subject: str | None) -> list[Path]:
    from anabranch.services.processes import logs_of

    return logs_of(found.directory / "logs", subject)


def _pieces(found: FoundRun, subject: str | None, seen: dict[Path, int]) -> Iterator[str]:
    """What has come since the last time, under the name of its file where that changes."""
    files = _files(found, subject)
    for path in files:
        with path.open("rb") as file:
            file.seek(seen.get(path, 0))
            data = file.read()
        if data and len(files) > 1 and list(seen)[-1:] != [path]:
            yield f"==> {path.relative_to(found.directory / 'logs')} <==\n"
        if data:
            seen[path] = seen.pop(path, 0) + len(data)
            yield _text(data)


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
