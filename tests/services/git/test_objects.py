from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from anabranch.environment import Oid
from anabranch.services.git.commits import Commit
from anabranch.services.git.helpers import Helper
from anabranch.services.git.objects import Objects
from anabranch.services.git.repository import GitRepository
from anabranch.testing.repositories import git_repo

TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
WHO = b"A <a@example.org> 981173106 +0000"


@contextmanager
def somebody_tidying(objects: Path) -> Generator[None]:
    """As `git gc` does: a directory that is empty goes."""
    over = threading.Event()

    def tidy() -> None:
        while not over.is_set():
            for directory in objects.iterdir():
                with suppress(OSError):
                    directory.rmdir()

    thread = threading.Thread(target=tidy)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_commits_are_written_while_git_takes_empty_directories_away(tmp_path: Path) -> None:
    repo = git_repo(tmp_path / "shop", {})
    repository = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    reader = Helper(repository.git.at(repository.common), ("cat-file", "--batch"))
    objects = Objects(common=repository.common, reader=reader)
    place = Path(repository.common, "objects")
    written = set[Oid]()
    with somebody_tidying(place):
        for number in range(60):
            commit = Commit(tree=TREE, parents=(), author=WHO, committer=WHO, message=f"{number}\n")
            oid = objects.write(commit)
            Path(place, oid[:2], oid[2:]).unlink()
            written.add(oid)
    assert 60 == len(written)
    assert [] == list(place.rglob("tmp_obj_*"))
