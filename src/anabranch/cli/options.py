"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Final

import click

file_argument: Final = click.argument("file", type=click.Path())

run_argument: Final = click.argument("run", required=False)

json_option: Final = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="Print the result as JSON, for programs.",
)
"""The flag is read once, in `entry.main`, so that errors of any kind can honour it."""

repo_option: Final = click.option(
    "--repo",
    type=click.Path(),
    default=".",
    show_default="the current directory",
    help="The git repository.",
)


class _WholeNumber(click.IntRange):
    """A range that click calls by a word of everybody's."""

    name = "whole number"


max_parallel_option: Final = click.option(
    "--max-parallel",
    type=_WholeNumber(min=1),
    metavar="N",
    help="Run at most so many agents at once, whatever the workflow says.",
)
