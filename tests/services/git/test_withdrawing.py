from __future__ import annotations

from anabranch.environment import Oid
from anabranch.services.git.withdrawing import Before
from tests.services.git.bench import Bench
from tests.services.git.test_merges import work


def test_what_the_user_staged_while_git_could_not_begin_stays_staged(bench: Bench) -> None:
    target = work(bench.repo, "one", {"a.txt": "1"})
    git = bench.repository.git
    before = Before.of(git, Oid(bench.repo.head), target)
    bench.repo.write({"mine": "staged\n"})
    bench.repo.git("add", "mine")
    bench.repo.write({"mine": "changed since\n"})
    before.bring_back(git)
    assert "staged" == bench.repo.git("show", ":mine")
    assert b"changed since\n" == bench.files()["mine"]


def test_an_index_that_git_wrote_before_it_had_to_stop_is_what_it_was(bench: Bench) -> None:
    target = work(bench.repo, "one", {"a.txt": "1", "new": "2"})
    bench.repo.write({"mine": "staged\n"})
    bench.repo.git("add", "mine")
    git = bench.repository.git
    before = Before.of(git, Oid(bench.repo.head), target)
    bench.repo.git("read-tree", "-m", "-u", "HEAD", target)
    before.bring_back(git)
    assert "A  mine" == bench.repo.git("status", "--porcelain")
    assert {"a.txt": b"one\n", "dir/b.txt": b"two\n", "mine": b"staged\n"} == bench.files()
