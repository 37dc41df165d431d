"""`anabranch dlq` looks at the dead-letter queue: what failed, and what is to become of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option, run_argument
from anabranch.cli.output import Output, json_text
from anabranch.values import Json, Masked, UsageError, indented, shortened

if TYPE_CHECKING:
    from anabranch.lifecycle import Letter, RunState
    from anabranch.services.git import GitRepository
    from anabranch.services.runs import FoundRun
    from anabranch.workflow import Workflow

_TOLD = 5
_LONGEST = 120
_subjects = click.argument("subjects", nargs=-1, metavar="[AGENT]...")


@click.group("dlq", help=COMMANDS["dlq"])
def command() -> None:
    """The group of what there is to do with dead letters."""


@command.command("list", help="Show what failed, those that failed alike together.")
@run_argument
@repo_option
@json_option
@click.pass_obj
def show_all(output: Output, run: str | None, repo: str) -> None:
    """Those of one run, or of all runs."""
    from anabranch.engine import open_repository
    from anabranch.services.runs import read_run, read_runs

    state = open_repository(repo).state
    chosen = [read_run(state, run)] if run else read_runs(state)
    found = [(each.run, letters) for each in chosen if (letters := _letters_of(each))]
    text = "\n".join(line for name, letters in found for line in _listed(name, letters))
    data: list[Json] = [
        {"run": name, **_data(letter)} for name, letters in found for letter in letters
    ]
    output.result(text or "the dead-letter queue is empty", {"letters": data})


@command.command("show", help="Show one failed item with its history.")
@click.argument("run")
@click.argument("subject", metavar="AGENT")
@repo_option
@json_option
@click.pass_obj
def show(output: Output, run: str, subject: str, repo: str) -> None:
    """Everything that is known of it."""
    from anabranch.engine import letters_named, open_repository
    from anabranch.services.runs import read_run

    letters = _letters_of(read_run(open_repository(repo).state, run))
    (letter,) = letters_named(run, letters, [subject])
    output.result("\n".join(_told(run, letter)), _data(letter))


@command.command("export", help="Print failed items as JSON, to be the input of another run.")
@run_argument
@repo_option
@json_option
@click.pass_obj
def export(output: Output, run: str | None, repo: str) -> None:
    """The items alone; with --json, everything that is known of them."""
    from anabranch.engine import open_repository
    from anabranch.services.runs import read_run

    repository = open_repository(repo)
    found = read_run(repository.state, run or _newest(repository))
    letters = _letters_of(found)
    items = json_text([letter.item for letter in letters], indent=2)
    output.result(items, {"run": found.run, "letters": [_data(letter) for letter in letters]})


@command.command("retry", help="Try failed items again, in a new run of the same workflow.")
@run_argument
@_subjects
@repo_option
@json_option
@click.pass_obj
def retry(output: Output, run: str | None, subjects: tuple[str, ...], repo: str) -> int:
    """The new run does everything that a run does, for these items only."""
    from anabranch.cli.going import carried_out
    from anabranch.cli.progress import Progress
    from anabranch.engine import LocalRetry, new_run_id, open_repository

    repository = open_repository(repo)
    parent = run or _newest(repository)
    workflow, source = _workflow(repository, parent)
    progress = Progress(output)
    again = LocalRetry(
        repository=repository,
        parent=parent,
        subjects=subjects,
        run=new_run_id(),
        workflow=workflow,
        source=source,
        listener=progress.take,
    )
    return carried_out(output, progress, again.carry_out, repo)


@command.command("discard", help="Take failed items out of the queue, with the work they left.")
@click.argument("run")
@_subjects
@repo_option
@json_option
@click.pass_obj
def discard(output: Output, run: str, subjects: tuple[str, ...], repo: str) -> None:
    """Their branches are dropped; the journal keeps their history."""
    import anyio

    from anabranch.engine import discard_letters, open_repository

    gone = anyio.run(discard_letters, open_repository(repo), run, subjects)
    names = [letter.subject for letter in gone]
    output.result(f"discarded: {', '.join(names)}", {"run": run, "discarded": names})


def _state(found: FoundRun) -> RunState:
    from anabranch.lifecycle import fold
    from anabranch.services.journal import read_segments

    return fold(read_segments(found.directory).events)


def _letters_of(found: FoundRun) -> tuple[Letter, ...]:
    """What `current.json` says is empty is not looked up in the journal."""
    from anabranch.lifecycle import dead_letters

    return dead_letters(_state(found)) if found.summary.letters else ()


def _newest(repository: GitRepository) -> str:
    from anabranch.services.runs import read_runs

    for found in read_runs(repository.state):
        if found.summary.letters:
            return found.run
    raise UsageError.of("no-letter", "the dead-letter queue is empty")


def _workflow(repository: GitRepository, run: str) -> tuple[Workflow, str | None]:
    """The workflow that a run was made from, and its file."""
    from anabranch.lifecycle import workflow_of
    from anabranch.services.runs import read_run

    created = _state(read_run(repository.state, run)).created
    if created is None:
        raise UsageError.of("no-run", "the run never began", value=run)
    return workflow_of(created), created.source


def _listed(run: str, letters: Sequence[Letter]) -> Iterator[str]:
    from anabranch.lifecycle import by_signature

    yield f"run {run}: {len(letters)} failed"
    for signature, alike in by_signature(letters).items():
        # What is in a journal has been masked.
        yield f"  {len(alike)} x {shortened(Masked(signature), _LONGEST)}"
        for letter in alike[:_TOLD]:
            label = "" if letter.label == letter.subject else f"  {letter.label}"
            yield f"      {letter.subject}{label}"
        if len(alike) > _TOLD:
            yield f"      and {len(alike) - _TOLD} more"
    yield f"  next: anabranch dlq retry {run}"


def _told(run: str, letter: Letter) -> Iterator[str]:
    yield f"{letter.label} ({letter.subject} of run {run})"
    yield f"  item: {json_text(letter.item)}"
    yield f"  failed at {letter.at}: {indented(letter.message or 'no reason given')}"
    yield f"  signature: {letter.signature}"
    for attempt in letter.attempts:
        ended = attempt.ended_at
        lasted = "" if ended is None else f", {(ended - attempt.started_at).total_seconds():.1f} s"
        yield f"  attempt {attempt.number}: {attempt.started_at:%Y-%m-%d %H:%M:%S}{lasted}"
    if letter.conflicts:
        yield f"  conflicts: {', '.join(letter.conflicts)}"
    if letter.branch is not None:
        yield f"  its work is on branch {letter.branch}"
    if letter.log is not None:
        yield f"  log: {letter.log}"
    yield from (f"    {line}" for line in letter.tail.rstrip().splitlines())


def _data(letter: Letter) -> dict[str, Json]:
    from attrs import asdict

    from anabranch.cli.summary import plain

    data: dict[str, Json] = asdict(letter, value_serializer=plain)
    return data
