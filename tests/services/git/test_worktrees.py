from __future__ import annotations

import os
import shutil
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from attrs import evolve
from returns.result import Result, Success

from anabranch.environment import (
    Changes,
    Oid,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.services.git import GitRun, git_run, registry
from anabranch.values import HostError
from tests.services.git.bench import Bench, failure
from tests.services.git.test_merges import TARGET, request, work

ONE = WorktreeRequest(name="agent-0", parent="main", branch="anabranch/r1/agent-0")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_worktree_holds_the_files_of_its_parent(bench: Bench, backend: str) -> None:
    async def scenario(git: GitRun) -> dict[str, str]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        found = {p.name: p.read_text() for p in Path(tree.path).rglob("*.txt")}
        (await git.worktrees.remove(tree)).unwrap()
        return found

    assert {"a.txt": "one\n", "b.txt": "two\n"} == bench(scenario, backend=backend)


def test_git_knows_a_worktree_and_whose_it_is(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[str, str]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        return tree.path, bench.repo.git("worktree", "list", "--porcelain")

    path, listed = bench(scenario)
    assert f"worktree {path}\n" in listed
    assert "branch refs/heads/anabranch/r1/agent-0\n" in listed
    assert "locked anabranch run r1, agent-0: process " in listed


def test_a_removed_worktree_leaves_nothing_but_its_branch(bench: Bench) -> None:
    async def scenario(git: GitRun) -> Worktree:
        tree = (await git.worktrees.create(ONE)).unwrap()
        bench.repo.at(tree.path).commit({"new": "!"}, "kept")
        (await git.worktrees.remove(tree)).unwrap()
        return tree

    bench(scenario)
    assert not bench.repo.path.with_name("shop.anabranch").exists()
    assert not (bench.repo.path / ".git" / "worktrees").exists()
    assert "kept" == bench.repo.git("log", "-1", "--format=%s", "anabranch/r1/agent-0")


def test_removing_twice_is_removing_once(bench: Bench) -> None:
    async def scenario(git: GitRun) -> Result[None, WorktreeError]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        (await git.worktrees.remove(tree)).unwrap()
        return await git.worktrees.remove(tree)

    assert Success(None) == bench(scenario)


def test_a_worktree_that_is_not_of_this_run_is_never_removed(bench: Bench) -> None:
    theirs = bench.repo.path.parent / "theirs"
    bench.repo.git("worktree", "add", "--quiet", theirs)
    tree = Worktree(name="agent-0", path=str(theirs), parent="main", base=Oid(bench.repo.head))

    async def scenario(git: GitRun) -> Result[None, WorktreeError]:
        return await git.worktrees.remove(tree)

    assert WorktreeFault.NOT_OURS == failure(bench(scenario)).fault
    assert (theirs / "a.txt").exists()


def test_a_name_is_given_once_while_its_worktree_is_alive(bench: Bench) -> None:
    async def scenario(git: GitRun) -> Result[Worktree, WorktreeError]:
        (await git.worktrees.create(ONE)).unwrap()
        return await git.worktrees.create(ONE)

    assert WorktreeFault.EXISTS == failure(bench(scenario)).fault


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (evolve(ONE, branch="main"), WorktreeFault.EXISTS),
        (evolve(ONE, parent="nowhere"), WorktreeFault.UNKNOWN_PARENT),
        *(
            (evolve(ONE, name=name), WorktreeFault.UNSUPPORTED)
            for name in ("../up", "a/b", "", "-x", ".", "a..b", "x.lock")
        ),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(
    bench: Bench, request_: WorktreeRequest, expected: WorktreeFault
) -> None:
    async def scenario(git: GitRun) -> Result[Worktree, WorktreeError]:
        return await git.worktrees.create(request_)

    assert expected == failure(bench(scenario)).fault
    assert 1 == len(bench.repo.git("worktree", "list").splitlines())


def test_what_a_dead_process_left_under_a_name_makes_way(bench: Bench) -> None:
    async def die(git: GitRun) -> None:
        tree = (await git.worktrees.create(ONE)).unwrap()
        Path(tree.path, "half").write_text("half")

    async def again(git: GitRun) -> bool:
        tree = (await git.worktrees.create(ONE)).unwrap()
        return Path(tree.path, "half").exists()

    bench(die)
    assert not bench(again)


def test_a_worktree_of_an_earlier_process_of_the_run_can_be_used_and_removed(bench: Bench) -> None:
    async def die(git: GitRun) -> Worktree:
        return (await git.worktrees.create(ONE)).unwrap()

    tree = bench(die)
    Path(tree.path, "left").write_text("")

    async def again(git: GitRun) -> tuple[str, ...]:
        dirty = (await git.worktrees.changes(tree)).unwrap().dirty
        (await git.worktrees.remove(tree)).unwrap()
        return dirty

    assert ("left",) == bench(again)
    assert not Path(tree.path).exists()


def test_many_are_made_and_removed_at_once(bench: Bench) -> None:
    async def scenario(git: GitRun) -> None:
        async def one(number: int) -> None:
            name = f"agent-{number}"
            request = evolve(ONE, name=name, branch=f"anabranch/r1/{name}")
            tree = (await git.worktrees.create(request)).unwrap()
            (await git.worktrees.remove(tree)).unwrap()

        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(one, number)

    bench(scenario)
    assert 1 == len(bench.repo.git("worktree", "list").splitlines())
    assert "" == bench.repo.git("fsck", "--no-dangling")


def test_untracked_files_are_carried_and_are_no_change_until_changed(bench: Bench) -> None:
    bench.repo.commit({".gitignore": "*.log\n"})
    bench.repo.write({"setup/items.json": "[]", "kept": "x", "noise.log": "no"})

    async def scenario(git: GitRun) -> tuple[tuple[str, ...], ...]:
        tree = (await git.worktrees.create(evolve(ONE, carry=str(bench.repo.path)))).unwrap()
        seen = tuple(sorted(p.name for p in Path(tree.path).iterdir()))
        before = (await git.worktrees.changes(tree)).unwrap().dirty
        Path(tree.path, "setup/items.json").write_text("[1]")
        return seen, before, (await git.worktrees.changes(tree)).unwrap().dirty

    assert (
        (".git", ".gitignore", "a.txt", "dir", "kept", "setup"),
        (),
        ("setup/items.json",),
    ) == bench(scenario)


def test_changes_tell_what_was_committed_and_what_was_not(bench: Bench) -> None:
    async def scenario(git: GitRun) -> object:
        tree = (await git.worktrees.create(ONE)).unwrap()
        there = bench.repo.at(tree.path)
        there.write({"a.txt": "one\ntwo\n", "new name": "x\ny\n", "image": b"\0\1"})
        there.git("mv", "dir/b.txt", "dir/c.txt")
        commit = there.commit()
        there.write({"a.txt": "dirty", "untracked": ""})
        changes = (await git.worktrees.changes(tree)).unwrap()
        assert (commit, (commit,)) == (changes.head, changes.commits)
        return (
            changes.added,
            changes.modified,
            changes.deleted,
            changes.renamed,
            (changes.insertions, changes.deletions),
            changes.dirty,
        )

    assert (
        ("image", "new name"),
        ("a.txt",),
        (),
        (("dir/b.txt", "dir/c.txt"),),
        (3, 0),
        ("a.txt", "untracked"),
    ) == bench(scenario)


def test_a_run_is_worked_on_by_one_process_at_a_time(bench: Bench) -> None:
    async def scenario(_: GitRun) -> str:
        with pytest.raises(HostError) as caught:
            async with git_run(bench.repository, "r1"):
                pass
        return caught.value.problems[0].code

    assert "run-is-alive" == bench(scenario)


def test_a_branch_of_the_user_where_ours_would_be_is_refused_before_anything_is_made(
    bench: Bench,
) -> None:
    async def scenario(_: GitRun) -> None:
        raise AssertionError

    bench.repo.git("branch", "anabranch")
    with pytest.raises(HostError) as caught:
        bench(scenario)
    (problem,) = caught.value.problems
    assert ("branch-in-the-way", "git branch -m anabranch my-anabranch") == (
        problem.code,
        problem.hint,
    )
    assert not Path(bench.repository.state).exists()


@pytest.mark.parametrize("text", ["garbage\n", "ref: refs/heads/none\n", f"{'1' * 40}\n", None])
def test_a_tree_of_which_nothing_says_where_it_stands_fails_by_itself(
    bench: Bench, text: str | None
) -> None:
    async def scenario(git: GitRun) -> WorktreeFault:
        tree = (await git.worktrees.create(ONE)).unwrap()
        head = Path(bench.repo.at(tree.path).git("rev-parse", "--absolute-git-dir"), "HEAD")
        if text is None:
            shutil.rmtree(head.parent)
            shutil.rmtree(tree.path)
        else:
            head.write_text(text)
        answer = failure(await git.worktrees.committed(tree))
        (await git.worktrees.remove(tree)).unwrap()
        return answer.fault

    assert WorktreeFault.GIT == bench(scenario)
    assert not Path(bench.repository.place).exists()


@pytest.mark.parametrize("where", [["--detach"], ["-b", "other"]])
@pytest.mark.parametrize("branch", ["stays", "goes"])
def test_what_was_committed_beside_the_branch_is_on_it_when_the_tree_is_gone(
    bench: Bench, where: list[str], branch: str
) -> None:
    async def scenario(git: GitRun) -> tuple[str, str]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        there = bench.repo.at(tree.path)
        there.git("checkout", "--quiet", *where)
        if branch == "goes":
            there.git("branch", "--delete", "--force", str(ONE.branch))
        commit = there.commit({"new": ""})
        (await git.worktrees.remove(tree)).unwrap()
        return commit, bench.repo.git("rev-parse", str(ONE.branch))

    commit, held = bench(scenario)
    assert commit == held


def test_a_branch_keeps_what_its_tree_no_longer_stands_on(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[str, str]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        there = bench.repo.at(tree.path)
        commit = there.commit({"new": ""})
        there.git("checkout", "--quiet", "--detach", tree.base)
        there.commit({"other": ""})
        (await git.worktrees.remove(tree)).unwrap()
        return commit, bench.repo.git("rev-parse", str(ONE.branch))

    commit, held = bench(scenario)
    assert commit == held


def test_several_runs_work_in_one_repository_at_once(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[str, str]:
        mine = (await git.worktrees.create(ONE)).unwrap()
        async with git_run(bench.repository, "r2") as other:
            theirs = (
                await other.worktrees.create(evolve(ONE, branch="anabranch/r2/agent-0"))
            ).unwrap()
            return Path(mine.path).parent.name, Path(theirs.path).parent.name

    assert ("r1", "r2") == bench(scenario)


def test_the_head_of_a_tree_is_known_without_looking_for_changes(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[bool, bool]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        before = (await git.worktrees.head(tree)).unwrap()
        there = bench.repo.at(tree.path)
        there.write({"new": ""})
        commit = there.commit()
        return before == tree.base, commit == (await git.worktrees.head(tree)).unwrap()

    assert (True, True) == bench(scenario)


def test_what_was_committed_is_known_without_a_look_at_the_files(bench: Bench) -> None:
    async def scenario(git: GitRun) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        there, told = bench.repo.at(tree.path), list[Changes]()
        told.append((await git.worktrees.committed(tree)).unwrap())
        for name in ("one", "two"):
            there.commit({name: "1\n"})
            there.write({"a.txt": "dirty"})
            for _ in range(2):
                told.append((await git.worktrees.committed(tree)).unwrap())
        return [(len(each.commits), each.added, each.dirty) for each in told]

    one, two = (1, ("one",), ()), (2, ("one", "two"), ())
    assert [(0, (), ()), one, one, two, two] == bench(scenario)


def test_what_was_not_committed_is_told_by_its_kind_and_a_stamp(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[dict[str, str], set[str]]:
        tree = (await git.worktrees.create(ONE)).unwrap()
        there = bench.repo.at(tree.path)
        there.write({"a.txt": "dirty", "new name": "", "staged": ""})
        there.git("add", "staged")
        Path(tree.path, "dir/b.txt").unlink()
        before = (await git.worktrees.changes(tree)).unwrap().uncommitted
        there.write({"a.txt": "dirty again"})
        after = (await git.worktrees.changes(tree)).unwrap().uncommitted
        kinds = {path: stamp[0] for path, stamp in before.items()}
        return kinds, {path for path, stamp in after.items() if before[path] != stamp}

    assert (
        {"a.txt": "M", "dir/b.txt": "D", "new name": "A", "staged": "A"},
        {"a.txt"},
    ) == bench(scenario)


def test_a_worktree_that_somebody_else_is_just_making_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = bench.repo.path / ".git" / "worktrees" / "theirs"
    waits: list[float] = []

    def made(seconds: float) -> None:
        waits.append(seconds)
        (half / "commondir").write_text("../..\n")

    monkeypatch.setattr(registry, "sleep", made)

    async def scenario(git: GitRun) -> Result[Worktree, WorktreeError]:
        half.mkdir(parents=True)
        (half / "HEAD").write_text(f"{bench.repo.head}\n")
        (half / "gitdir").write_text(f"{bench.repo.path.with_name('theirs')}/.git\n")
        (half / "commondir").touch()
        tree = await git.worktrees.create(ONE)
        shutil.rmtree(half)
        return tree

    assert isinstance(bench(scenario), Success)
    assert 1 == len(waits)


PRUNED = """#!/bin/sh
case "$*" in *"worktree add"*)
    mkdir {once} 2> /dev/null && echo "fatal: {said}: No such file or directory" >&2 && exit 128
esac
exec {git} "$@"
"""


@pytest.mark.parametrize(
    "said",
    [
        "could not open '.git/worktrees/slot-0/locked' for writing",
        "could not open '.git/worktrees/slot-0/gitdir' for writing",
        "could not create directory of '.git/worktrees/slot-0'",
    ],
)
def test_an_entry_that_somebody_prunes_while_git_makes_it_is_made_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(registry, "sleep", waits.append)
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(PRUNED.format(once=tmp_path / "once", said=said, git=shutil.which("git")))
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    repo = evolve(bench.repo, environ={**bench.repo.environ, "PATH": path})

    async def scenario(git: GitRun) -> Result[Worktree, WorktreeError]:
        return await git.worktrees.create(ONE)

    assert isinstance(Bench(repo)(scenario), Success)
    assert 1 == len(waits)


HOOK = """#!/bin/sh
[ "$1" = prepared ] && grep -q {target} || exit 0
exec 3<> {go}
echo > {begun}
timeout 10 head --lines=1 <&3 > /dev/null
"""


def test_a_hook_that_holds_a_merge_up_holds_up_nobody_who_looks_at_a_tree(
    bench: Bench, tmp_path: Path
) -> None:
    begun, go, done = tmp_path / "begun", tmp_path / "go", list[str]()
    one = work(bench.repo, "one", {"one": "1"})
    os.mkfifo(begun)
    os.mkfifo(go)
    hook = bench.repo.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(target=f"refs/heads/{TARGET}", begun=begun, go=go))

    def resume() -> None:
        with go.open("r+b", buffering=0) as pipe:
            pipe.write(b"\n")

    async def scenario(git: GitRun) -> None:
        async def merge() -> None:
            (await git.merges.merge(request(bench.repo, one))).unwrap()
            done.append("merged")

        (await git.merges.start(TARGET, "main")).unwrap()
        first, second = (
            WorktreeRequest(name=name, parent="main", branch=f"anabranch/r1/{name}")
            for name in ("agent-0", "agent-1")
        )
        tree = (await git.worktrees.create(first)).unwrap()
        hook.chmod(0o755)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(merge)
            await to_thread.run_sync(begun.read_text)
            tasks.start_soon(git.worktrees.create, second)
            await anyio.wait_all_tasks_blocked()
            (await git.worktrees.changes(tree)).unwrap()
            done.append("looked")
            await to_thread.run_sync(resume)

    bench(scenario)
    assert ["looked", "merged"] == done
