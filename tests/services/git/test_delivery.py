from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from anabranch.environment import Delivery, MergeRequest, Oid
from anabranch.services.git import GitRun
from anabranch.services.git.checkouts import Checkout
from anabranch.services.git.delivery import Courier
from anabranch.services.git.merging import Merger
from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.services.git.bench import Bench

RUN = "anabranch/r1/run"


def deliver(
    bench: Bench,
    files: dict[str, str | bytes | None],
    meanwhile: Callable[[], object] = lambda: None,
) -> Delivery:
    """Start a run, merge one commit with these files, let something happen, deliver."""

    async def scenario(git: GitRun) -> Delivery:
        base = (await git.merges.start(RUN)).unwrap()
        tree = bench.repo.path.parent / "side"
        bench.repo.git("worktree", "add", "--quiet", "--detach", tree, base)
        bench.repo.at(tree).write(files)
        bench.repo.at(tree).git("add", "--all", "--force")
        source = Oid(bench.repo.at(tree).commit())
        bench.repo.git("worktree", "remove", "--force", tree)
        request = MergeRequest(target=RUN, source=source, base=base, message="Merge agent-0")
        (await git.merges.merge(request)).unwrap()
        meanwhile()
        return (await git.merges.deliver(RUN)).unwrap()

    return bench(scenario)


def test_the_users_checkout_comes_forward_and_the_branch_goes(bench: Bench) -> None:
    delivery = deliver(bench, {"a.txt": "new\n", "b": "b"})
    assert (True, None) == (delivery.delivered, delivery.branch)
    assert delivery.commit == bench.repo.head
    assert ("new\n", "") == (
        (bench.repo.path / "a.txt").read_text(),
        bench.repo.git("status", "--porcelain"),
    )
    assert "main" == bench.repo.git("branch", "--format=%(refname:short)")


def test_delivering_again_after_a_delivery_answers_the_same(bench: Bench) -> None:
    first = deliver(bench, {"b": "b"})

    async def again(git: GitRun) -> Delivery:
        return (await git.merges.deliver(RUN)).unwrap()

    assert first == bench(again)


DIRTY: dict[str, Callable[[Path], object]] = {
    "modified": lambda top: (top / "a.txt").write_text("mine\n"),
    "untracked": lambda top: (top / "new").write_text("mine\n"),
    "ignored": lambda top: (top / "x.log").write_text("mine\n"),
    "untracked directory": lambda top: git_repo(top / "sub"),
}


@pytest.mark.parametrize("state", DIRTY)
def test_nothing_of_the_users_is_lost_and_the_hint_takes_the_result(
    bench: Bench, state: str
) -> None:
    before = bench.repo.commit({".gitignore": "*.log\n"})
    DIRTY[state](bench.repo.path)
    content = bench.files()
    delivery = deliver(bench, {"a.txt": "new\n", "new": "n\n", "sub": "s\n", "x.log": "l\n"})
    assert (False, RUN, before) == (delivery.delivered, delivery.branch, bench.repo.head)
    assert delivery.hint is not None
    take = f"git -C {bench.repo.path} merge --no-overwrite-ignore {RUN}"
    assert take in delivery.hint
    assert content == bench.files()
    with pytest.raises(AssertionError):  # also if nothing was moved out of the way
        bench.repo.git(*take.split()[3:])
    assert content == bench.files()


def test_a_link_where_a_directory_was_is_not_replaced(bench: Bench) -> None:
    there = bench.repo.path / "dir"
    shutil.rmtree(there)
    there.symlink_to("elsewhere")
    delivery = deliver(bench, {"dir/b.txt": "new\n"})
    assert (False, Path("elsewhere")) == (delivery.delivered, there.readlink())
    assert "in the way of the result, and not committed: dir" == delivery.reason


def test_a_staged_file_is_not_lost_where_a_file_of_its_content_lands(bench: Bench) -> None:
    bench.repo.write({"sub/x": "x\n"})
    bench.repo.git("add", "sub/x")
    before = (bench.files(), bench.repo.git("status", "--porcelain"))
    assert not deliver(bench, {"sub": "x\n"}).delivered
    assert before == (bench.files(), bench.repo.git("status", "--porcelain"))


def test_the_files_of_a_submodule_are_not_replaced_by_a_file(bench: Bench) -> None:
    inner = git_repo(bench.repo.path / "sub")
    bench.repo.git("add", "sub")
    base = Oid(bench.repo.commit())
    bench.repo.git("checkout", "--quiet", "-b", "side")
    bench.repo.git("rm", "--quiet", "--cached", "sub")
    blob = bench.repo.git("rev-parse", "HEAD:a.txt")
    bench.repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},sub")
    bench.repo.git("commit", "--quiet", "-m", "file")
    source = Oid(bench.repo.head)
    bench.repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    bench.repo.git("reset", "--quiet")
    inner.write({"untracked": "mine\n"})

    async def scenario(git: GitRun) -> Delivery:
        (await git.merges.start(RUN)).unwrap()
        request = MergeRequest(target=RUN, source=source, base=base, message="m")
        (await git.merges.merge(request)).unwrap()
        return (await git.merges.deliver(RUN)).unwrap()

    assert "in the way of the result, and not committed: sub" == bench(scenario).reason
    assert "mine\n" == (inner.path / "untracked").read_text()


def test_what_is_staged_below_a_file_that_goes_is_not_lost(bench: Bench) -> None:
    (bench.repo.path / "a.txt").unlink()
    bench.repo.write({"a.txt/new": "mine\n"})
    bench.repo.git("add", "--all")
    delivery = deliver(bench, {"a.txt": None, "b": "b"})
    assert (False, "mine\n") == (
        delivery.delivered,
        (bench.repo.path / "a.txt" / "new").read_text(),
    )
    assert "in the way of the result, and not committed: a.txt/new" == delivery.reason


def test_changes_that_are_not_in_the_way_stay(bench: Bench) -> None:
    bench.repo.write({"dir/b.txt": "mine\n", "untracked": "mine\n"})
    delivery = deliver(bench, {"a.txt": "new\n"})
    assert delivery.delivered
    assert " M dir/b.txt\n?? untracked" == bench.repo.git("status", "--porcelain")


def test_a_branch_that_moved_meanwhile_is_merged_with_the_result(bench: Bench) -> None:
    delivery = deliver(bench, {"b": "b"}, lambda: bench.repo.commit({"c": "c"}))
    assert delivery.delivered
    assert {"a.txt", "dir/b.txt", "b", "c"} == set(bench.repo.files("main"))
    assert "" == bench.repo.git("status", "--porcelain")


@pytest.mark.parametrize("bare", [False, True])
def test_a_branch_that_moves_at_that_very_moment_is_merged_with_the_result(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: bool
) -> None:
    there = Bench(bench.repo.bare(tmp_path / "bare.git")) if bare else bench
    commits = [bench.repo.commit({name: "c"}) for name in ("c", "d")]
    bench.repo.git("reset", "--quiet", "--hard", "HEAD~2")
    is_ancestor = Merger.is_ancestor

    def and_then_it_moves(self: Merger, older: Oid, newer: Oid) -> bool:
        answer = is_ancestor(self, older, newer)
        if commits and bare:
            there.repo.git("fetch", "--quiet", bench.repo.path, commits[0])
            there.repo.git("update-ref", "refs/heads/main", commits.pop(0))
        elif commits:
            there.repo.git("merge", "--quiet", "--ff-only", commits.pop(0))
        return answer

    monkeypatch.setattr(Merger, "is_ancestor", and_then_it_moves)
    assert deliver(there, {"b": "b"}).delivered
    assert {"a.txt", "dir/b.txt", "b", "c", "d"} == set(there.repo.files("main"))
    assert bare or "" == there.repo.git("status", "--porcelain")


def test_a_branch_that_moved_into_a_conflict_is_left_to_the_user(bench: Bench) -> None:
    delivery = deliver(bench, {"a.txt": "x\n"}, lambda: bench.repo.commit({"a.txt": "y\n"}))
    assert (False, RUN) == (delivery.delivered, delivery.branch)
    assert delivery.reason is not None
    assert "conflict in a.txt" in delivery.reason


def test_a_branch_that_was_begun_anew_is_left_to_the_user(bench: Bench) -> None:
    delivery = deliver(bench, {"b": "b"}, lambda: bench.repo.git("commit", "--amend", "-m", "anew"))
    assert (False, RUN) == (delivery.delivered, delivery.branch)
    assert delivery.hint is not None
    bench.repo.git(*delivery.hint.split()[1:])
    assert {"a.txt", "dir/b.txt", "b"} == set(bench.repo.files("main"))


def test_a_user_who_went_to_another_branch_finds_the_result_on_the_first(bench: Bench) -> None:
    delivery = deliver(bench, {"b": "b"}, lambda: bench.repo.git("checkout", "-b", "other"))
    assert delivery.delivered
    assert delivery.commit == bench.repo.git("rev-parse", "main")
    assert ("other", "") == (
        bench.repo.git("branch", "--show-current"),
        bench.repo.git("status", "--porcelain"),
    )


def test_a_branch_that_moved_into_a_conflict_and_was_left_is_named(bench: Bench) -> None:
    def leave() -> None:
        bench.repo.commit({"a.txt": "y\n"})
        bench.repo.git("checkout", "-b", "other")

    delivery = deliver(bench, {"a.txt": "x\n"}, leave)
    assert f"git switch main && git merge --no-overwrite-ignore {RUN}" == delivery.hint


def test_a_detached_checkout_comes_forward_and_the_branch_stays(bench: Bench) -> None:
    bench.repo.git("checkout", "--quiet", "--detach")
    delivery = deliver(bench, {"b": "b"})
    assert (True, RUN, bench.repo.head) == (delivery.delivered, delivery.branch, delivery.commit)


def test_a_merge_under_way_is_not_disturbed(bench: Bench) -> None:
    bench.repo.git("checkout", "--quiet", "-b", "other")
    bench.repo.commit({"a.txt": "other\n"})
    bench.repo.git("checkout", "--quiet", "main")
    bench.repo.commit({"a.txt": "main\n"})

    def conflict() -> None:
        with pytest.raises(AssertionError):
            bench.repo.git("merge", "other")

    delivery = deliver(bench, {"b": "b"}, conflict)
    assert (False, f"a merge is under way in {bench.repo.path}") == (
        delivery.delivered,
        delivery.reason,
    )


def test_a_bare_repository_gets_its_branch_moved(bench: Bench, tmp_path: Path) -> None:
    bare = Bench(bench.repo.bare(tmp_path / "bare.git"))
    delivery = deliver(bare, {"b": "b"})
    assert delivery.delivered
    assert delivery.commit == bare.repo.git("rev-parse", "main")


def test_a_branch_that_is_gone_is_not_made_again(bench: Bench) -> None:
    def meanwhile() -> None:
        bench.repo.git("checkout", "--quiet", "-b", "other")
        bench.repo.git("branch", "-D", "main")

    delivery = deliver(bench, {"b": "b"}, meanwhile)
    assert (False, "branch main is gone", f"git branch main {RUN}") == (
        delivery.delivered,
        delivery.reason,
        delivery.hint,
    )


def test_a_user_in_a_linked_worktree_gets_the_result_there(
    tmp_path: Path, repo: ScratchRepository
) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "--quiet", "-b", "feature", linked)
    delivery = deliver(Bench(repo.at(linked)), {"b": "b"})
    assert delivery.delivered
    assert (linked / "b").exists()
    assert not (repo.path / "b").exists()


LANDING: dict[str, str | bytes | None] = {"a.txt": "new\n", "b": "b", "dir/b.txt": None}


def begin(bench: Bench, landing: dict[str, str | bytes | None] = LANDING) -> None:
    """Leave the traces of a delivery that was killed half way."""

    async def scenario(git: GitRun) -> None:
        base = (await git.merges.start(RUN)).unwrap()
        bench.repo.git("checkout", "--quiet", "--detach")
        source = Oid(bench.repo.commit(landing))
        bench.repo.git("checkout", "--quiet", "main")
        request = MergeRequest(target=RUN, source=source, base=base, message="Merge agent-0")
        (await git.merges.merge(request)).unwrap()
        origin = Path(git.merges.origin)
        origin.write_text(origin.read_text().replace('"begun": null', f'"begun": "{source}"'))

    bench(scenario)


def again(bench: Bench) -> Delivery:
    async def scenario(git: GitRun) -> Delivery:
        return (await git.merges.deliver(RUN)).unwrap()

    return bench(scenario)


@pytest.mark.parametrize(
    ("left", "finished"),
    [
        ({"a.txt": "new\n", "b": "b"}, True),
        ({"a.txt": "new\n", "b": ""}, True),
        ({"a.txt": "n"}, True),
        ({"a.txt": None}, True),
        ({"a.txt": "new\n", "b": "x"}, False),
        ({"a.txt": "newer\n"}, False),
    ],
)
def test_a_delivery_that_was_killed_half_way_is_finished_if_nothing_is_lost(
    bench: Bench, left: dict[str, str | bytes | None], *, finished: bool
) -> None:
    begin(bench)
    bench.repo.write(left)
    before = bench.files()
    delivery = again(bench)
    assert finished == delivery.delivered
    assert finished == (bench.repo.git("status", "--porcelain") == "")
    assert bench.files() == ({"a.txt": b"new\n", "b": b"b"} if finished else before)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_beginning_with_another_name_is_the_users(
    bench: Bench, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    other = tmp_path / "other"
    other.write_text("n")
    begin(bench)
    bench.repo.write({"a.txt": None, "b": ""})
    link(other, bench.repo.path / "a.txt")
    before = bench.files()
    assert not again(bench).delivered
    assert before == bench.files()
    assert b"n" == other.read_bytes()


def test_another_git_command_in_the_checkout_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = bench.repo.path / ".git" / "index.lock"

    def pause(_: float) -> None:
        lock.unlink()

    monkeypatch.setattr("anabranch.services.git.delivery.sleep", pause)
    assert deliver(bench, {"b": "b"}, lock.touch).delivered


def test_a_lock_that_stays_is_not_broken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = bench.repo.path / ".git" / "index.lock"
    pauses: list[float] = []
    monkeypatch.setattr("anabranch.services.git.delivery.sleep", pauses.append)
    delivery = deliver(bench, {"b": "b"}, lock.touch)
    assert (False, True) == (delivery.delivered, lock.exists())
    assert "index.lock" in (delivery.reason or "")


@pytest.mark.parametrize("name", ["HEAD.lock", "refs/heads/main.lock"])
def test_a_lock_that_would_stop_git_half_way_stops_it_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lock = bench.repo.path / ".git" / name
    pauses: list[float] = []
    monkeypatch.setattr("anabranch.services.git.delivery.sleep", pauses.append)
    delivery = deliver(bench, LANDING, lock.touch)
    assert str(lock) in (delivery.reason or "")
    assert f"rm {lock}" in (delivery.hint or "")
    assert STILL == (bench.files(), bench.repo.git("status", "--porcelain"))


STILL = ({"a.txt": b"one\n", "dir/b.txt": b"two\n"}, "")


def unseen(_: Courier, __: Checkout) -> None:
    """A lock that is not there yet when somebody looks."""


def test_a_lock_that_comes_at_that_very_moment_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = bench.repo.path / ".git" / "refs/heads/main.lock"
    states: list[object] = []

    def pause(_: float) -> None:
        states.append((bench.files(), bench.repo.git("status", "--porcelain")))
        lock.unlink()

    monkeypatch.setattr("anabranch.services.git.delivery.sleep", pause)
    monkeypatch.setattr(Courier, "_lock_that_stays", unseen)
    assert deliver(bench, LANDING, lock.touch).delivered
    assert [STILL] == states


def freeze(bench: Bench) -> None:
    """A hook lets `main` not move."""
    hook = bench.repo.path / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n! grep -q refs/heads/main || { echo frozen >&2; exit 1; }\n")
    hook.chmod(0o755)


def test_a_hook_that_keeps_the_branch_where_it_is_leaves_the_files_so(bench: Bench) -> None:
    delivery = deliver(bench, LANDING, lambda: freeze(bench))
    assert not delivery.delivered
    assert "frozen" in (delivery.reason or "")
    assert "once nothing stands in the way: git " in (delivery.hint or "")
    assert STILL == (bench.files(), bench.repo.git("status", "--porcelain"))


def test_a_directory_that_the_user_emptied_is_there_afterwards(bench: Bench) -> None:
    def empty() -> None:
        bench.repo.write({"dir/b.txt": None})
        freeze(bench)

    assert not deliver(bench, {"a.txt": "new\n", "dir/b.txt": "x"}, empty).delivered
    assert [] == list((bench.repo.path / "dir").iterdir())


def test_a_filter_that_fails_half_way_leaves_nothing_behind(bench: Bench) -> None:
    def fail() -> None:
        bench.repo.git("config", "filter.bad.smudge", "false")
        bench.repo.git("config", "filter.bad.clean", "cat")
        bench.repo.git("config", "filter.bad.required", "true")
        (bench.repo.path / ".git" / "info").mkdir(exist_ok=True)
        (bench.repo.path / ".git" / "info" / "attributes").write_text("b filter=bad\n")
        (bench.repo.path / "untracked").write_text("mine\n")

    delivery = deliver(bench, {**LANDING, "new/and/deep": "x"}, fail)
    assert not delivery.delivered
    assert "smudge filter bad failed" in (delivery.reason or "")
    files, _ = STILL
    assert ({**files, "untracked": b"mine\n"}, "?? untracked") == (
        bench.files(),
        bench.repo.git("status", "--porcelain"),
    )
    assert not (bench.repo.path / "new").exists()


def test_a_beginning_below_a_linked_directory_is_the_users(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    beyond = tmp_path / "other" / "b.txt"
    beyond.write_text("n")
    begin(bench, {"dir/b.txt": "new\n"})
    bench.repo.write({"dir/b.txt": None})
    (bench.repo.path / "dir").rmdir()
    (bench.repo.path / "dir").symlink_to(tmp_path / "other")
    assert not again(bench).delivered
    assert b"n" == beyond.read_bytes()


@pytest.mark.parametrize("options", ["--squash", "--no-commit --no-ff -s ours"])
@pytest.mark.parametrize("branch", ["main", "HEAD"])
def test_options_for_the_users_own_merges_are_none_of_the_delivery(
    bench: Bench, branch: str, options: str
) -> None:
    if branch == "HEAD":
        bench.repo.git("checkout", "--quiet", "--detach")
    bench.repo.git("config", f"branch.{branch}.mergeOptions", options)
    delivery = deliver(bench, LANDING)
    assert (True, bench.repo.head) == (delivery.delivered, delivery.commit)
    assert "" == bench.repo.git("status", "--porcelain")


def test_a_hook_that_takes_the_result_back_leaves_it_on_its_branch(bench: Bench) -> None:
    def undo() -> None:
        hook = bench.repo.path / ".git" / "hooks" / "post-merge"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ngit reset --quiet --hard ORIG_HEAD\n")
        hook.chmod(0o755)

    delivery = deliver(bench, LANDING, undo)
    assert (False, RUN) == (delivery.delivered, delivery.branch)
    assert "a hook" in (delivery.reason or "")
    assert STILL == (bench.files(), bench.repo.git("status", "--porcelain"))
    assert delivery.commit == bench.repo.git("rev-parse", RUN)
