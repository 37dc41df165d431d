from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from anabranch.environment import Advance, Oid, Worktree, WorktreeFault, WorktreeRequest
from anabranch.services.git import GitRun, torn, ways
from anabranch.services.git.runner import Git
from anabranch.services.git.ways import Landing, Torn
from anabranch.testing.repositories import ScratchRepository
from tests.services.git.bench import Bench, failure

RUN = WorktreeRequest(name="run", parent="main")
Files = dict[str, str | bytes | None]


def advance(
    bench: Bench, landing: Files, before: Callable[[ScratchRepository], object]
) -> tuple[Advance, ScratchRepository]:
    """A worktree at `main`, something that happens in it, and a commit that it is brought to."""

    async def scenario(git: GitRun) -> tuple[Advance, ScratchRepository]:
        tree = (await git.worktrees.create(RUN)).unwrap()
        there = bench.repo.at(tree.path)
        before(there)
        commit = Oid(bench.repo.commit(landing))
        answer = (await git.worktrees.advance(tree, commit)).unwrap()
        assert commit == answer.worktree.base == there.head
        return answer, there

    return bench(scenario)


def test_a_clean_worktree_comes_forward(bench: Bench) -> None:
    answer, there = advance(bench, {"a.txt": "1", "new": "n", "dir/b.txt": None}, lambda _: None)
    assert () == answer.saved
    assert {"a.txt": b"1", "new": b"n"} == Bench(there).files()
    assert "" == there.git("status", "--porcelain")


def test_changes_that_are_not_touched_stay(bench: Bench) -> None:
    def before(there: ScratchRepository) -> None:
        there.write({"dir/b.txt": "mine", "untracked": "mine", "staged": "mine"})
        there.git("add", "staged")

    answer, there = advance(bench, {"a.txt": "1"}, before)
    assert () == answer.saved
    assert " M dir/b.txt\nA  staged\n?? untracked" == there.git("status", "--porcelain")


TORN: Files = {"a.txt": "th", "empty": "", "dir/b.txt": "theirs", "new": "the"}
LANDING: Files = dict.fromkeys(TORN, "theirs")


def advance_again(
    bench: Bench, left: Callable[[ScratchRepository], object]
) -> tuple[Advance, ScratchRepository]:
    """What a try at `LANDING` left in a worktree, and a second one."""

    async def scenario(git: GitRun) -> tuple[Advance, ScratchRepository]:
        tree = (await git.worktrees.create(RUN)).unwrap()
        there = bench.repo.at(tree.path)
        commit = Oid(bench.repo.commit(LANDING))
        left(there)
        begun = there.git("rev-parse", "--path-format=absolute", "--git-path", "anabranch-advance")
        Path(begun).write_text(commit)
        answer = (await git.worktrees.advance(tree, commit)).unwrap()
        assert not Path(begun).exists()
        return answer, there

    return bench(scenario)


def test_what_a_killed_git_had_begun_to_write_is_completed(bench: Bench) -> None:
    answer, there = advance_again(bench, lambda there: there.write(TORN))
    assert () == answer.saved
    assert dict.fromkeys(LANDING, b"theirs") == Bench(there).files()
    assert "" == there.git("status", "--porcelain")


def test_a_beginning_with_another_name_is_kept_beside(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("the")

    def left(there: ScratchRepository) -> None:
        there.write(TORN)
        (there.path / "new").unlink()
        os.link(other, there.path / "new")

    answer, there = advance_again(bench, left)
    assert (("new", "new.anabranch-saved"),) == answer.saved
    assert b"the" == other.read_bytes()
    assert (
        dict.fromkeys(LANDING, b"theirs") | {"new.anabranch-saved": b"the"} == Bench(there).files()
    )


def test_a_beginning_that_changes_while_it_is_looked_at_is_kept_beside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn_at(git: Git, land: Landing) -> Torn | None:
        found = ways.torn_at(git, land)
        if land.path == "new":
            Path(git.directory, "new").write_text("them")
        return found

    monkeypatch.setattr(torn, "torn_at", torn_at)
    answer, there = advance_again(bench, lambda there: there.write(TORN))
    assert (("new", "new.anabranch-saved"),) == answer.saved
    assert b"them" == (there.path / "new.anabranch-saved").read_bytes()


def test_a_beginning_that_no_killed_git_left_is_kept_beside(bench: Bench) -> None:
    answer, there = advance(bench, LANDING, lambda there: there.write(TORN))
    saved = dict(answer.saved)
    assert {"a.txt", "empty", "new"} == saved.keys()
    assert [b"th", b"", b"the"] == [Bench(there).files()[name] for name in sorted(saved.values())]


IN_THE_WAY: dict[str, tuple[Files, Files]] = {
    "untracked": ({"new": "mine"}, {"new": "theirs"}),
    "modified": ({"a.txt": "mine"}, {"a.txt": "theirs"}),
    "modified and deleted": ({"a.txt": "mine"}, {"a.txt": None}),
    "a file where a directory lands": ({"sub": "mine"}, {"sub/new": "theirs"}),
    "a directory where a file lands": ({"sub/new": "mine"}, {"sub": "theirs"}),
    "an untracked file in a directory that a file replaces": (
        {"dir/new": "mine"},
        {"dir/b.txt": None, "dir": "theirs"},
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
@pytest.mark.parametrize("staged", [False, True])
def test_what_is_in_the_way_is_saved_beside(bench: Bench, case: str, staged: bool) -> None:
    mine, landing = IN_THE_WAY[case]

    def before(there: ScratchRepository) -> None:
        there.write(mine)
        if staged:
            there.git("add", "--all")

    if landing.get("dir"):
        (bench.repo.path / "dir/b.txt").unlink()
        (bench.repo.path / "dir").rmdir()
        landing = {"dir": landing["dir"]}
    answer, there = advance(bench, landing, before)
    ((path, beside),) = answer.saved
    (name,) = mine
    saved = Path(there.path, beside)
    kept = saved if saved.is_file() else saved / Path(name).relative_to(path)
    assert "mine" == kept.read_text()
    assert there.files() == {
        k: v for k, v in Bench(there).files().items() if ".anabranch-saved" not in k
    }


def test_a_pipe_in_the_way_is_saved_beside_unread(bench: Bench) -> None:
    answer, there = advance(bench, {"pipe": "theirs"}, lambda there: os.mkfifo(there.path / "pipe"))
    assert (("pipe", "pipe.anabranch-saved"),) == answer.saved
    assert (there.path / "pipe.anabranch-saved").is_fifo()
    assert b"theirs" == (there.path / "pipe").read_bytes()


@pytest.mark.parametrize("staged", [False, True])
def test_what_is_identical_is_taken_as_it_is(bench: Bench, staged: bool) -> None:
    def before(there: ScratchRepository) -> None:
        there.write({"new\nline": "same", '"quoted"': "same", "a.txt": "same", "dir/b.txt": None})
        (there.path / "link").symlink_to("a.txt")
        if staged:
            there.git("add", "--all")

    (bench.repo.path / "link").symlink_to("a.txt")
    landing: Files = {"new\nline": "same", '"quoted"': "same", "a.txt": "same", "dir/b.txt": None}
    answer, there = advance(bench, landing, before)
    assert () == answer.saved
    assert "" == there.git("status", "--porcelain")


def test_a_saved_file_does_not_replace_an_earlier_one(bench: Bench) -> None:
    def before(there: ScratchRepository) -> None:
        there.write({"a.txt": "mine", "a.txt.anabranch-saved": "earlier"})

    answer, there = advance(bench, {"a.txt": "theirs"}, before)
    assert (("a.txt", "a.txt.anabranch-saved-2"),) == answer.saved
    assert b"earlier" == Bench(there).files()["a.txt.anabranch-saved"]


def test_a_worktree_with_commits_of_its_own_is_left_alone(bench: Bench) -> None:
    async def scenario(git: GitRun) -> WorktreeFault:
        tree: Worktree = (await git.worktrees.create(RUN)).unwrap()
        bench.repo.at(tree.path).commit({"mine": "mine"})
        commit = Oid(bench.repo.commit({"theirs": "theirs"}))
        return failure(await git.worktrees.advance(tree, commit)).fault

    assert WorktreeFault.DIVERGED == bench(scenario)
