"""What is shown while a run goes on: a fold over its events, drawn by rich.

On a terminal it is a few lines that are redrawn; elsewhere one line for each agent that
ended. Both go to standard error, so that standard output holds the result alone.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

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
    Summary,
    summarise,
)
from anabranch.values import RunStatus, StepStatus, format_duration

_SHOWN = 8
"""How many running agents are listed."""

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
        self._console = Console(stderr=True, no_color=output.color is False, highlight=False)
        self._folding = Folding()
        self._live = Live(
            get_renderable=self._drawn,
            console=self._console,
            transient=True,
            refresh_per_second=8,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        if line is not None and not self._console.is_terminal:
            self._console.print(line, soft_wrap=True)

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

    def _drawn(self) -> RenderableType:
        return draw(summarise(self._folding.state, failures=0))


def draw(summary: Summary) -> RenderableType:
    """A run as a few lines: a bar, the phase, and what is at work now."""
    total = sum(summary.agents.values())
    ended = sum(count for status, count in summary.agents.items() if status in STEP_TERMINAL)
    worked = ended + summary.agents.get(StepStatus.VALIDATING, 0)
    phase = ["starting", *summary.phases][-1]
    head = Table.grid(padding=(0, 1))
    failed = sum(summary.agents.get(s, 0) for s in (StepStatus.FAILED, StepStatus.TIMED_OUT))
    told = f"{worked}/{total} agents" if total else ""
    head.add_row(
        Text(summary.workflow, style="bold"),
        Text("stopping" if summary.stop else phase, style="cyan"),
        ProgressBar(total=max(total, 1), completed=worked, width=30),
        Text(told),
        Text(f"{failed} failed" if failed else "", style="red"),
        Text(format_duration(summary.elapsed), style="dim"),
    )
    rows = Table.grid(padding=(0, 1))
    for running in summary.running[:_SHOWN]:
        rows.add_row("  ", Text(running.label), Text(running.command or "", style="dim"))
    return Group(head, rows)
