"""The entry point: arguments in, exit code out, and every error told in one way."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from anabranch.cli.commands import COMMANDS, NoSuchCommandError, app
from anabranch.cli.output import Output
from anabranch.values import AnabranchError, Problem, UsageError, did_you_mean

PROGRAM: Final = "anabranch"

INTERRUPTED: Final = 130
INTERNAL: Final = 70

_YOUNG: Final = 50_000
"""New objects before Python looks for cycles among them, in a process that is ours alone.

Loading the program makes thousands of classes and a run hundreds of thousands of values, next to
none of them in cycles: at Python's own number, 700, a tenth of a short command went into the search.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; those of the process if not given.

    Returns:
        The exit code: 0 all is well; 1 the run went to its end and something failed; 2 the
        workflow file or the call is wrong; 3 the machine or the repository is not fit for it;
        70 a fault in anabranch itself; 130 interrupted.
    """
    if arguments is None:
        gc.set_threshold(_YOUNG)
        _open_standard_streams()
        # Ignored, as after `trap '' CHLD`, it would have the exit codes of git thrown away.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    given = list(sys.argv[1:] if arguments is None else arguments)
    output = Output.of_process(as_json="--json" in given)
    try:
        return _called(given, output)
    except AnabranchError as error:
        output.failed(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.say_error("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the outermost frame: whatever it is, it is told)
        return _fault(error, output)


def _open_standard_streams() -> None:
    """Open on nothing what the caller has closed, as git does.

    Otherwise the next file to be opened would have the number of standard error, and get what
    every child process says there.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nothing, True)
            setattr(sys, name, os.fdopen(nothing, "w+", encoding="utf-8"))


def _called(given: list[str], output: Output) -> int:
    """Call click, and put its ways to end into ours."""
    try:
        return int(app.main(given, PROGRAM, standalone_mode=False, obj=output) or 0)
    except SystemExit as ended:  # how click ends shell completion, and output that nobody reads
        return int(ended.code or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        raise _usage_error(error) from None
    except click.Abort:
        raise KeyboardInterrupt from None


def _usage_error(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = PROGRAM if context is None else context.command_path
    hint = f"`{path} --help` lists what there is"
    match error:
        case click.NoSuchOption():
            message = f"no such option `{error.option_name}`"
            hint = did_you_mean(error.option_name, error.possibilities or ()) or hint
        case NoSuchCommandError():
            message = f"no such command `{error.name}`"
            hint = did_you_mean(error.name, COMMANDS) or hint
        case _:
            said = re.sub(r"'([^']*)'", r"`\1`", error.format_message().rstrip("."))
            message = said[:1].lower() + said[1:]
    return UsageError(Problem(code="bad-usage", message=message, hint=hint))


def _fault(error: Exception, output: Output) -> int:
    traceback.print_exception(error)
    output.say_error(f"a fault in anabranch itself: {type(error).__name__}: {error}")
    output.say_hint("please report it with the lines above")
    return INTERNAL
