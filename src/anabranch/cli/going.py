"""A run on its way, whether it begins or goes on: watched, and told at its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from anabranch.cli.output import Output
from anabranch.values import HostError, RunStatus

if TYPE_CHECKING:
    from anabranch.cli.progress import Progress
    from anabranch.lifecycle import RunState, Summary


def carried_out(
    output: Output, progress: Progress, start: Callable[[], Awaitable[RunState]], repo: str
) -> int:
    """Carry a run out, show how it goes, and tell how it ended when nothing is drawn any more.

    Args:
        output: where to tell it.
        progress: what the run tells its events.
        start: carries it out.
        repo: the repository, as the user named it.

    Returns:
        The exit code: 0 if everything was done and the user's branch has it, else 1.

    Raises:
        KeyboardInterrupt: it was interrupted; that was told.
        AnabranchError: the input is no input, or the machine did not do its part.
    """
    import anyio

    from anabranch.cli.summary import as_data, as_text
    from anabranch.lifecycle import broken_off, summarise

    try:
        with progress:
            state = anyio.run(start)
    except (KeyboardInterrupt, HostError):
        if progress.state.created is not None:
            output.note(as_text(broken_off(summarise(progress.state)), repo))
        raise
    summary = summarise(state)
    output.result(as_text(summary, repo), as_data(summary))
    return 0 if is_well(summary) else 1


def is_well(summary: Summary) -> bool:
    """Whether everything was done and the user's branch has it."""
    delivered = summary.delivered
    completed = summary.status is RunStatus.COMPLETED
    return completed and delivered is not None and delivered.delivered
