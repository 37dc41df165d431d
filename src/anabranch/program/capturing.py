"""What a step printed → values that later steps read, told to the journal one by one."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from anabranch.environment import Captured, CommandOutput
from anabranch.lifecycle import Masker, OutputRecorded
from anabranch.planning import AgentReport
from anabranch.planning.captures import read_capture
from anabranch.program.places import StepFailed
from anabranch.values import Json, Masked
from anabranch.workflow import Step


def captured(
    step: Step, subject: str, output: CommandOutput, report: AgentReport, masker: Masker
) -> Result[list[OutputRecorded], StepFailed]:
    """What a step that succeeded leaves under the name that it captures: nothing without one.

    Of an agent that says what its answer is, that is what it printed, however long the rest was.
    Beside the value stand `stdout`, `stderr`, `exit_code`, `success` and `duration` (in seconds).
    """
    if step.capture is None:
        return Success([])
    name = step.capture.name
    if report.result is None and not output.stdout.complete:
        return _failed(subject, name, f"{output.stdout.size} bytes are too many for a variable")
    printed = _text(output.stdout, masker)
    value = read_capture(printed if report.result is None else report.result, step.capture.format)
    if isinstance(value, Failure):
        return _failed(subject, name, value.failure())
    values: dict[str, Json] = {
        name: value.unwrap(),
        f"{name}.stdout": printed,
        f"{name}.stderr": _text(output.stderr, masker),
        f"{name}.exit_code": output.exit_code,
        f"{name}.success": True,
        f"{name}.duration": output.duration.total_seconds(),
    }
    return Success([OutputRecorded(subject=subject, name=n, value=v) for n, v in values.items()])


def shown_of(stream: Captured, masker: Masker) -> Masked:
    """A stream as people may see it: all of it, or its end."""
    if stream.shown is None:
        return masker.text(stream.text)
    # It was masked on its way.
    return Masked(stream.shown.decode(errors="backslashreplace"))


def _text(stream: Captured, masker: Masker) -> str:
    """What a stream holds; of one that is not whole, its end, since a secret may be torn."""
    text = stream.text if stream.complete else shown_of(stream, masker)
    return text.rstrip("\r\n")


def _failed(subject: str, name: str, reason: str) -> Result[list[OutputRecorded], StepFailed]:
    message = f"what it printed cannot be captured in `{name}`: {reason}"
    return Failure(StepFailed(subject=subject, message=message))
