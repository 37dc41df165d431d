"""A run on a terminal: a few lines that rich redraws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from anabranch.cli.output import Output, harmless
from anabranch.cli.summary import doing
from anabranch.lifecycle import RUN_TERMINAL, STEP_TERMINAL, Summary
from anabranch.values import StepStatus, format_duration

_SHOWN: Final = 8
"""How many running agents are listed."""


def drawing(output: Output, summary: Callable[[], Summary]) -> Live:
    """What draws a run on standard error, from its start to its stop.

    Args:
        output: says whether in colour.
        summary: where the run stands now.
    """
    return Live(
        get_renderable=lambda: draw(summary()),
        console=Console(stderr=True, no_color=output.color is False, highlight=False),
        transient=True,
        refresh_per_second=8,
    )


def draw(summary: Summary) -> RenderableType:
    """A run as a few lines: a bar, the phase, and what is at work now."""
    total = sum(summary.agents.values())
    ended = sum(count for status, count in summary.agents.items() if status in STEP_TERMINAL)
    worked = ended + summary.agents.get(StepStatus.VALIDATING, 0)
    head = Table.grid(padding=(0, 1))
    failed = sum(summary.agents.get(s, 0) for s in (StepStatus.FAILED, StepStatus.TIMED_OUT))
    told = f"{worked}/{total} agents" if total else ""
    head.add_row(
        Text(summary.workflow, style="bold"),
        Text(_phase(summary), style="cyan"),
        ProgressBar(total=max(total, 1), completed=worked, width=30),
        Text(told),
        Text(f"{failed} failed" if failed else "", style="red"),
        Text(format_duration(summary.elapsed), style="dim"),
    )
    shown = [(harmless(each.label), doing(each) or "") for each in summary.running[:_SHOWN]]
    widest = max((len(label) for label, _ in shown), default=0)
    rows = [
        Text.assemble(
            f"   {label:{widest}} ", (harmless(at), "dim"), no_wrap=True, overflow="ellipsis"
        )
        for label, at in shown
    ]
    more = len(summary.running) - len(shown)
    return Group(head, *rows, *([Text(f"   and {more} more", style="dim")] if more else []))


def _phase(summary: Summary) -> str:
    if summary.status in RUN_TERMINAL:
        return "cleaning up"
    return "stopping" if summary.stop else ["starting", *summary.phases][-1]
