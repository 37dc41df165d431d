"""What is shown while a run goes on: a fold over its events, drawn by rich.

On a terminal it is a few lines that are redrawn; elsewhere one line for each agent that
ended. Both go to standard error, so that standard output holds the result alone.
"""

from __future__ import annotations

import sys
from collections import deque
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from anabranch.cli.output import Output
from anabranch.lifecycle import (
    Declared,
    Event,
    Folding,
    Moved,
    PhaseStarted,
    RunCreated,
    RunMoved,
    RunState,
    summarise,
)
from anabranch.values import RunStatus, StepStatus, indented

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
    """Shows a run; give it the events with `take`.

    Events are folded when somebody asks for the state: whoever draws it, on a thread of its own, or
    whoever has to say how a run was broken off. A line needs to know what its subject was declared.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._folding, self._asking = Folding(), Lock()
        self._taken: deque[Event] = deque()
        self._run = ""
        self._outermost: dict[str, Declared] = {}
        self._live = self._drawing() if sys.stderr.isatty() else None

    def _drawing(self) -> Live:
        from anabranch.cli.drawing import drawing

        return drawing(self._output, lambda: summarise(self.state, failures=0))

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
        with self._asking:
            while self._taken:
                self._folding.take(self._taken.popleft())
            return self._folding.state

    def begin(self, state: RunState) -> None:
        """Begin with a run that has a past; before the first event."""
        self._folding = Folding(state)
        self._run = "" if state.created is None else state.created.run
        for subject in state.subjects.values():
            self._know(subject.declared)

    def take(self, event: Event) -> None:
        """Take the next event."""
        self._taken.append(event)
        line = self._line(event)
        if line is not None and self._live is None:
            self._output.note(line)

    def _line(self, event: Event) -> str | None:
        """What is worth a line of its own."""
        match event.payload:
            case Moved():
                return self._moved(event.payload)
            case Declared():
                self._know(event.payload)
            case RunCreated(run=run, workflow=workflow):
                self._run = run
                return f"run {run} of {workflow}"
            case RunMoved(to=RunStatus.RUNNING, reason=str(reason)):
                return f"run {self._run} {reason}" if self._run else None
            case PhaseStarted(phase=phase):
                return f"{phase} …"
            case _:
                pass
        return None

    def _know(self, declared: Declared) -> None:
        if declared.parent is None:
            self._outermost[declared.subject] = declared

    def _moved(self, moved: Moved) -> str | None:
        """A step or an agent that did its work, or did not; a merge is no news if it went well."""
        mark, declared = _MARKS.get(moved.to), self._outermost.get(moved.subject)
        if mark is None or declared is None:
            return None
        if moved.to is (StepStatus.COMPLETED if declared.merges else StepStatus.VALIDATING):
            return None
        reason = f": {indented(moved.message)}" if moved.message else ""
        return f"  {mark} {declared.label or moved.subject}{reason}"
