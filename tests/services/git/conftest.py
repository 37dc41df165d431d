from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import evolve

from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.services.git.bench import Bench


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> ScratchRepository:
    """Made once: a copy of it takes a fraction of the time."""
    path = tmp_path_factory.mktemp("seed") / "shop"
    return git_repo(path, {"a.txt": "one\n", "dir/b.txt": "two\n"})


@pytest.fixture(scope="session")
def rich_seed(seed: ScratchRepository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one of each kind of thing."""
    path = tmp_path_factory.mktemp("rich") / "shop"
    shutil.copytree(seed.path, path)
    repo = seed.at(path)
    (path / "link").symlink_to("a.txt")
    (path / "dangling").symlink_to("nowhere")
    repo.write({"run.sh": "#!/bin/sh\n", "crlf.bat": "a\n", ".gitignore": "*.log\nbuild/\n"})
    repo.write({".gitattributes": "*.bat text eol=crlf\n", "deep/er/and/deeper": "x"})
    (path / "run.sh").chmod(0o755)
    repo.commit()
    return path


@pytest.fixture
def repo(seed: ScratchRepository, tmp_path: Path) -> ScratchRepository:
    shutil.copytree(seed.path, tmp_path / "shop")
    return evolve(seed, path=tmp_path / "shop")


@pytest.fixture
def bench(repo: ScratchRepository) -> Bench:
    return Bench(repo)


@pytest.fixture
def rich(seed: ScratchRepository, rich_seed: Path, tmp_path: Path) -> Bench:
    shutil.copytree(rich_seed, tmp_path / "rich", symlinks=True)
    return Bench(seed.at(tmp_path / "rich"))
