"""Reading the one file that every command begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from anabranch.values import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from anabranch.workflow import Workflow


def read_workflow(file: str, *, max_parallel: int | None = None) -> Workflow:
    """Read and check a workflow file.

    Args:
        file: its path.
        max_parallel: put in the place of what the file says, if given.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        ConfigError: it is no valid workflow.
    """
    from anabranch.workflow import load_workflow

    workflow = load_workflow(read_source(file), file=file)
    if max_parallel is None:
        return workflow
    return evolve(workflow, map=evolve(workflow.map, max_parallel=max_parallel))


def read_source(file: str) -> bytes:
    """Read the bytes of a workflow file, as far as one can be long.

    Raises:
        UsageError: there is no such file, or it cannot be read.
    """
    from anabranch.workflow.loading import MAX_SIZE

    return read_bytes(file, MAX_SIZE + 1)


def read_bytes(file: str, most: int = -1) -> bytes:
    """Read the bytes of a file that the user named, all of them or the first.

    Raises:
        UsageError: there is no such file, or it cannot be read.
    """
    path = Path(file)
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        hint = did_you_mean(path.name, _neighbours(path.parent))
        raise UsageError(
            Problem(
                code="unreadable-file",
                message=f"cannot read `{path}`",
                value=(error.strerror or str(error)).lower(),
                hint=hint if isinstance(error, FileNotFoundError) else None,
            )
        ) from None


def _neighbours(directory: Path) -> list[str]:
    try:
        return [p.name for p in directory.iterdir() if p.suffix in {".yml", ".yaml", ".json"}]
    except OSError:
        return []
