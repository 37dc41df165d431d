from __future__ import annotations

from pathlib import Path

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.services.git.bench import Bench


@pytest.fixture
def repo(tmp_path: Path) -> ScratchRepository:
    return git_repo(tmp_path / "shop", {"a.txt": "one\n", "dir/b.txt": "two\n"})


@pytest.fixture
def bench(repo: ScratchRepository) -> Bench:
    return Bench(repo)
