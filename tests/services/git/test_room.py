"""A disk that is full, or about to be: nothing is begun that cannot be ended, nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve

from anabranch.environment import MergeRequest, Oid, WorktreeError, WorktreeFault, WorktreeRequest
from anabranch.services.git import (
    GitRepository,
    GitRun,
    find_worktrees,
    worktrees_within_budget,
)
from anabranch.values import HostError
from tests.services.git.bench import Bench, failure

ONE = WorktreeRequest(name="agent-0", parent="main", branch="anabranch/r1/agent-0")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two mebibytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=400", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting is not permitted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class SmallBench(Bench):
    """Worktrees on a file system of their own."""

    place: Path

    @property
    def repository(self) -> GitRepository:
        return GitRepository.open(
            str(self.repo.path), environ=self.repo.environ, place=str(self.place)
        ).unwrap()


@pytest.fixture
def cramped(bench: Bench, small: Path) -> SmallBench:
    found = SmallBench(bench.repo)
    found.place = small / "trees"
    found.place.mkdir()
    return found


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"large": "x" * (3 << 20)}, "it needs 3.0 MiB, and 2."),
        ({f"d{n % 9}/f{n}": "" for n in range(500)}, "it has 502 files, and there is room for 3"),
    ],
)
def test_a_tree_that_would_not_fit_is_refused_before_anything_is_written(
    cramped: SmallBench, files: dict[str, str], said: str
) -> None:
    cramped.repo.commit(files)

    async def scenario(git: GitRun) -> WorktreeError:
        return failure(await git.worktrees.create(ONE))

    error = cramped(scenario)
    assert (WorktreeFault.NO_SPACE, said) == (error.fault, error.message[: len(said)])
    assert "anabranch worktrees clean" in (error.hint or "")
    assert 1 == len(cramped.repo.git("worktree", "list").splitlines())
    assert "main" == cramped.repo.git("for-each-ref", "--format=%(refname:short)")


def test_a_disk_that_fills_up_while_a_tree_is_written_leaves_no_half_tree(
    cramped: SmallBench,
) -> None:
    cramped.repo.commit({"unpacked": "x" * 1000, ".gitattributes": "unpacked filter=large\n"})
    cramped.repo.git("config", "filter.large.smudge", "head -c 4000000 /dev/zero")

    async def scenario(git: GitRun) -> WorktreeError:
        return failure(await git.worktrees.create(ONE))

    error = cramped(scenario)
    assert WorktreeFault.NO_SPACE == error.fault, error
    assert () == find_worktrees(cramped.repository)


def test_work_on_a_full_disk_is_kept_and_merged_once_there_is_room(cramped: SmallBench) -> None:
    async def scenario(git: GitRun) -> set[str]:
        base = (await git.merges.start("anabranch/r1/result", "main")).unwrap()
        tree = (await git.worktrees.create(ONE)).unwrap()
        there = cramped.repo.at(tree.path)
        commit = there.commit({"work": "done"})
        filler = cramped.place / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(b"x" * (3 << 20))
        assert (
            WorktreeFault.NO_SPACE
            == failure(
                await git.worktrees.create(
                    evolve(ONE, name="agent-1", branch="anabranch/r1/agent-1")
                )
            ).fault
        )
        filler.unlink()
        (await git.worktrees.remove(tree)).unwrap()
        request = MergeRequest(
            target="anabranch/r1/result", source=Oid(commit), base=base, message="m"
        )
        merged = (await git.merges.merge(request)).unwrap()
        return set(cramped.repo.files(merged.commit))

    assert {"a.txt", "dir/b.txt", "work"} == cramped(scenario)


def test_a_budget_allows_as_many_trees_as_fit_beside_those_of_other_runs(bench: Bench) -> None:
    bench.repo.commit({"large": "x" * 100_000, "small": "x"})
    repository = bench.repository
    assert worktrees_within_budget(repository, "r1", "HEAD") is None
    bench.repo.git("config", "anabranch.worktreeBudget", "1m")
    assert 9 == worktrees_within_budget(repository, "r1", "HEAD")
    left = Path(repository.place, "r2", "slot-0")
    left.mkdir(parents=True)
    (left / "large").write_bytes(b"x" * 700_000)
    assert 3 == worktrees_within_budget(repository, "r1", "HEAD")
    assert 9 == worktrees_within_budget(repository, "r2", "HEAD")
    (left / "large").write_bytes(b"x" * 2_000_000)
    assert 0 == worktrees_within_budget(repository, "r1", "HEAD")


def test_a_budget_that_is_no_number_is_refused(bench: Bench) -> None:
    bench.repo.git("config", "anabranch.worktreeBudget", "plenty")
    with pytest.raises(HostError, match="is no number of bytes"):
        worktrees_within_budget(bench.repository, "r1", "HEAD")


def test_a_file_that_the_repository_has_lost_is_told_by_git(bench: Bench) -> None:
    blob = bench.repo.git("rev-parse", "HEAD:a.txt")
    (bench.repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    async def scenario(git: GitRun) -> WorktreeError:
        return failure(await git.worktrees.create(ONE))

    assert blob in bench(scenario).message


def test_a_run_ends_in_order_where_not_one_file_more_fits(cramped: SmallBench) -> None:
    async def scenario(git: GitRun) -> None:
        tree = (await git.worktrees.create(ONE)).unwrap()
        (await git.worktrees.remove(tree)).unwrap()
        with suppress(OSError):
            for number in range(1000):
                (cramped.place.parent / str(number)).touch()

    cramped(scenario)
    assert not cramped.place.exists()
    assert [str(cramped.repo.path)] == [
        line.split()[0] for line in cramped.repo.git("worktree", "list").splitlines()
    ]


def test_a_tree_into_which_not_all_fits_that_is_carried_over_is_given_back(
    cramped: SmallBench,
) -> None:
    cramped.repo.write({"untracked": "x" * (3 << 20)})
    carrying = evolve(ONE, carry=str(cramped.repo.path))

    async def scenario(git: GitRun) -> tuple[WorktreeFault, bool, int]:
        error = failure(await git.worktrees.create(carrying))
        tree = (await git.worktrees.create(ONE)).unwrap()
        clean = not (await git.worktrees.changes(tree)).unwrap().dirty
        listed = cramped.repo.git("worktree", "list").splitlines()
        return error.fault, clean, len(listed)

    assert (WorktreeFault.NO_SPACE, True, 2) == cramped(scenario)
