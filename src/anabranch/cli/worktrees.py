"""`anabranch worktrees` tells of the worktrees of runs, and takes away what was left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option
from anabranch.cli.output import Output, format_size, table
from anabranch.values import Json, parse_duration

if TYPE_CHECKING:
    from anabranch.services.git import GitRepository, Judgement, Retention


@click.group("worktrees", help=COMMANDS["worktrees"])
def command() -> None:
    """The group of what there is to do with worktrees."""


@command.command("list", help="Show the worktrees of all runs, and whose they are.")
@repo_option
@json_option
@click.pass_obj
def show(output: Output, repo: str) -> None:
    """Every worktree of ours, with what a clean-up would think of it."""
    from anabranch.engine import open_repository, unfinished_runs
    from anabranch.services.git import Retention

    repository = open_repository(repo)
    found = _judged(repository, Retention(runs=unfinished_runs(repository)))
    rows = [(*_named(each), each.tree.path, each.reason) for each in found]
    head = ("RUN", "NAME", "SIZE", "LAST USED", "PATH", "STATE")
    text = "\n".join(table([head, *rows])) if rows else "no worktrees"
    output.result(text, {"worktrees": [_data(each) for each in found]})


@command.command("clean", help="Take away worktrees that were left behind.")
@repo_option
@click.option("--yes", is_flag=True, help="Do it; without this, only show what would be done.")
@click.option("--unsaved", is_flag=True, help="Also those with work that is nowhere else.")
@click.option("--resumable", is_flag=True, help="Also those of runs that can be resumed.")
@click.option(
    "--older-than",
    default="0s",
    metavar="DURATION",
    help="Only those that have not been used for so long, such as `12h`.",
)
@json_option
@click.pass_obj
def clean(
    output: Output, repo: str, *, yes: bool, unsaved: bool, resumable: bool, older_than: str
) -> int:
    """Decide; then show what would go, or take it away. What would not go is exit code 1."""
    from anabranch.engine import open_repository, unfinished_runs
    from anabranch.services.git import Retention, sweep

    age = parse_duration(older_than)
    repository = open_repository(repo)
    kept = frozenset[str]() if resumable else unfinished_runs(repository)
    found = _judged(repository, Retention(runs=kept, newer_than=age, unsaved=not unsaved))
    problems = dict(sweep(repository, found)) if yes else None
    endings = [_ending(each, problems) for each in found]
    rows = [(what, *_named(each), why) for each, (what, why) in zip(found, endings, strict=True)]
    data = [_data(each, what, why) for each, (what, why) in zip(found, endings, strict=True)]
    output.result(
        "\n".join([*table(rows), *_count(found, endings)]),
        {"worktrees": data, "dry_run": not yes},
    )
    return int(any(what == "failed" for what, _ in endings))


def _judged(repository: GitRepository, retention: Retention) -> tuple[Judgement, ...]:
    from anabranch.services.git import find_worktrees, plan_cleaning

    return plan_cleaning(find_worktrees(repository), retention, datetime.now(UTC))


def _ending(judgement: Judgement, problems: dict[Judgement, str | None] | None) -> tuple[str, str]:
    """What is, or would be, done with a worktree, and why."""
    from anabranch.services.git import Verdict

    if judgement.verdict is Verdict.KEEP:
        return "keep", judgement.reason
    if problems is None:
        return "would remove", judgement.reason
    problem = problems[judgement]
    return ("removed", judgement.reason) if problem is None else ("failed", problem)


def _count(found: Sequence[Judgement], endings: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The sum, and what to type next."""
    if not found:
        yield "no worktrees"
        return
    yield ""
    for what in dict.fromkeys(what for what, _ in endings):
        sizes = [
            each.tree.size for each, ending in zip(found, endings, strict=True) if ending[0] == what
        ]
        yield f"{what}: {len(sizes)}, {format_size(sum(sizes))}"
    if any(what == "would remove" for what, _ in endings):
        yield "nothing was touched; add --yes to remove them"


def _named(judgement: Judgement) -> tuple[str, str, str, str]:
    tree = judgement.tree
    used = f"{tree.used.astimezone():%Y-%m-%d %H:%M}"
    return tree.run, tree.name, format_size(tree.size), used


def _data(judgement: Judgement, ending: str | None = None, reason: str = "") -> dict[str, Json]:
    """A worktree for programs: what was done with it, or the verdict if nothing was."""
    tree = judgement.tree
    return {
        "run": tree.run,
        "name": tree.name,
        "path": tree.path,
        "owner": None if tree.owner is None else str(tree.owner),
        "life": tree.life.value,
        "last_used": tree.used.isoformat(),
        "size_bytes": tree.size,
        "dirty": tree.dirty,
        "stray_commit": tree.stray,
        "verdict": judgement.verdict.value if ending is None else ending,
        "reason": reason or judgement.reason,
    }
