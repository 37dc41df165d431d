"""`anabranch validate` tells whether a file is a workflow."""

from __future__ import annotations

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.files import read_workflow
from anabranch.cli.options import file_argument, json_option
from anabranch.cli.output import Output


@click.command("validate", help=COMMANDS["validate"])
@file_argument
@json_option
@click.pass_obj
def command(output: Output, file: str) -> None:
    """Load the file; if that works, it is one."""
    workflow = read_workflow(file)
    output.result(
        f"{file} is a valid workflow: {workflow.name}",
        {"valid": True, "file": file, "name": workflow.name},
    )
