"""The commands, by name. Each lives in a module of its own, imported when it is used."""

from __future__ import annotations

import importlib
from typing import Final

import click

COMMANDS: Final = {
    "run": "Run a workflow in a git repository and deliver the result to your branch.",
    "resume": "Go on with a run that was interrupted; the newest one unless named.",
    "cancel": "End a run for good, in order, and put away what is left of it.",
    "runs": "List the runs of a repository, newest first.",
    "status": "Tell how a run stands, the newest one unless named.",
    "events": "Show what happened in a run.",
    "logs": "Show what a run printed, or one step or agent of it.",
    "dlq": "Look at what failed, try it again, or discard it.",
    "plan": "Show what a run would do: phases, steps, agents and limits. Touches nothing.",
    "doctor": "Look at this machine: what is missing, unsafe or slow, and what to do about it.",
    "worktrees": "Look at the worktrees of runs, and take away those that were left behind.",
    "validate": "Check a workflow file and tell all that is wrong with it.",
}
"""Each command and its summary; the module of the same name has a function `command`."""


class NoSuchCommandError(click.UsageError):
    """A command that is not in the table."""

    def __init__(self, name: str, ctx: click.Context) -> None:
        super().__init__(f"no such command {name}", ctx)
        self.name = name


class _Commands(click.Group):
    """A group that imports a command when it is asked for by name, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:
                return None
            raise NoSuchCommandError(cmd_name, ctx)
        command = importlib.import_module(f"anabranch.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  (click's own signature)
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"anabranch {version('anabranch')}")
        ctx.exit()


@click.group(
    cls=_Commands,
    help="Run work on branches of a git repository: side by side, each in a worktree of its own, "
    "merged back.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def app() -> None:
    """The group that all commands belong to."""
