from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hypothesis import settings

from anabranch.services.git import GitRun
from anabranch.testing.repositories import ScratchRepository, git_repo
from anabranch.testing.strategies.git import Edits, Files
from tests.services.git.bench import Bench

REAL_GIT: Final = settings(max_examples=settings().max_examples // 8, deadline=None)
"""For laws whose every example starts some twenty processes."""

Scenario = Callable[[GitRun], Awaitable[object]]


@contextmanager
def repository(files: Mapping[str, bytes]) -> Generator[Bench]:
    """A repository of its own for one example."""
    above = tempfile.mkdtemp()
    try:
        yield Bench(git_repo(Path(above, "shop"), files))
    finally:
        shutil.rmtree(above)


def apply(repo: ScratchRepository, edits: Edits | Files) -> None:
    """Make the edits in a working tree: deletions first, for what may take their place."""
    for path in (path for path, content in edits.items() if content is None):
        full = repo.path / path
        full.unlink(missing_ok=True)
        for above in full.parents:
            if above == repo.path or (above.exists() and any(above.iterdir())):
                break
            if above.exists():
                above.rmdir()
    repo.write({path: content for path, content in edits.items() if content is not None})
