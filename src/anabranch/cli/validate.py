"""`anabranch validate` tells whether a file is a workflow, and what is doubtful about it."""

from __future__ import annotations

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_source
from anabranch.cli.options import file_argument, json_option
from anabranch.cli.output import Output, as_data
from anabranch.values import ConfigError, Severity


@click.command("validate", help=COMMANDS["validate"])
@file_argument
@click.option(
    "--level",
    type=click.Choice(["minimal", "standard", "strict"]),
    default="standard",
    show_default=True,
    help="How much is asked: that it can run; that it does what was meant; that nothing is doubtful.",
)
@json_option
@click.pass_obj
def command(output: Output, file: str, level: str) -> None:
    """Load the file and look at it; an error refuses it, a warning is told."""
    from anabranch.planning import Strictness
    from anabranch.workflow import check_workflow

    workflow, problems = check_workflow(read_source(file), file=file, strictness=Strictness(level))
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise ConfigError(*problems)
    warnings = (f"warning: {problem}" for problem in problems)
    output.result(
        "\n".join([*warnings, f"{file} is a valid workflow: {workflow.name}"]),
        {
            "valid": True,
            "file": file,
            "name": workflow.name,
            "problems": [as_data(problem) for problem in problems],
        },
    )
