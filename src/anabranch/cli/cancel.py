"""`anabranch cancel` ends a run for good: in order if it is at work, put away if it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option
from anabranch.cli.output import Output
from anabranch.values import Json

_NAMED: Final = 5
"""How many branches with work that was not delivered are named."""

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anabranch.engine import Cancellation


@click.command("cancel", help=COMMANDS["cancel"])
@click.argument("run")
@repo_option
@json_option
@click.pass_obj
def command(output: Output, run: str, repo: str) -> int:
    """Tell its process to end, wait until it has, put away what is left, and tell what stays."""
    import anyio

    from anabranch.engine import LocalCancellation, open_repository

    done = anyio.run(LocalCancellation(repository=open_repository(repo), run=run).carry_out)
    data: dict[str, Json] = {
        "run": run,
        "status": done.state.status.value,
        "process": None if done.ended is None else done.ended.pid,
        "branches": list(done.branches),
    }
    output.result("\n".join(told(run, repo, done)), data)
    return 0


def told(run: str, repo: str, done: Cancellation) -> Iterator[str]:
    """How a run was cancelled, and where the work is that was not delivered."""
    from anabranch.cli.summary import in_repository

    ended = "" if done.ended is None else f"; {done.ended} has ended in order"
    yield f"run {run} is cancelled{ended}"
    if not done.branches:
        yield "  nothing is left of it but its journal and its logs"
        return
    for branch in done.branches[:_NAMED]:
        yield f"  kept: branch {branch} holds work that was not delivered"
        take = f"git merge --no-overwrite-ignore {branch}"
        yield f"  next: {in_repository(take, repo)}"
    if (left := len(done.branches) - _NAMED) > 0:
        yield f"  kept: {left} more such branches"
        every = f"git branch --list 'anabranch/{run}/*'"
        yield f"  next: {in_repository(every, repo)}"
