"""What is shown while a run goes on: a fold over its events, drawn by rich.

On a terminal it is a few lines that are redrawn; elsewhere one line for each agent that
ended. Both go to standard error, so that standard output holds the result alone.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from anabranch.cli.output import Output
from anabranch.lifecycle import (
    STEP_TERMINAL,
    Event,
    Folding,
    Moved,
    PhaseStarted,
    RunCreated,
    RunMoved,
    RunState,
    summarise,
)
from anabranch.values import RunStatus, StepStatus

if TYPE_CHECKING:
    from rich.live import Live

_MARKS = {
    StepStatus.VALIDATING: "✓",
    StepStatus.COMPLETED: "✓",
    StepStatus.FAILED: "✗",
    StepStatus.TIMED_OUT: "✗",
    StepStatus.SKIPPED: "-",
    StepStatus.CANCELLED: "-",
}


class Progress:
    """Shows a run; give it the events with `take`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._folding = Folding()
        self._live = self._drawing() if sys.stderr.isatty() else None

    def _drawing(self) -> Live:
        from anabranch.cli.drawing import drawing

        return drawing(self._output, lambda: summarise(self._folding.state, failures=0))

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def state(self) -> RunState:
        """Where the run stands, as far as it was told."""
        return self._folding.state

    def begin(self, state: RunState) -> None:
        """Begin with a run that has a past; before the first event."""
        self._folding = Folding(state)

    def take(self, event: Event) -> None:
        """Take the next event."""
        self._folding.take(event)
        line = self._line(event)
        if line is not None and self._live is None:
            self._output.note(line)

    def _line(self, event: Event) -> str | None:
        """What is worth a line of its own."""
        match event.payload:
            case RunCreated(run=run, workflow=workflow):
                return f"run {run} of {workflow}"
            case RunMoved(to=RunStatus.RUNNING, reason=str(reason)):
                created = self._folding.state.created
                return None if created is None else f"run {created.run} {reason}"
            case PhaseStarted(phase=phase):
                return f"{phase} …"
            case Moved():
                return self._moved(event.payload)
            case _:
                return None

    def _moved(self, moved: Moved) -> str | None:
        """A step or an agent that did its work, or did not; a merge is no news if it went well."""
        declared = self._folding.state.subjects[moved.subject].declared
        worked = StepStatus.VALIDATING if declared.merges else StepStatus.COMPLETED
        told = moved.to is worked or moved.to in STEP_TERMINAL - {StepStatus.COMPLETED}
        if declared.parent is not None or not told:
            return None
        reason = f": {moved.message}" if moved.message else ""
        return f"  {_MARKS[moved.to]} {declared.label or moved.subject}{reason}"
