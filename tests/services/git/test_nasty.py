"""Repositories that tools stumble over: worked in as in a plain checkout, or refused clearly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import evolve

from anabranch.environment import (
    Conflict,
    Delivery,
    MergeRequest,
    Oid,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.services.git import GitRun, find_worktrees
from anabranch.testing.repositories import ScratchRepository, git_repo
from anabranch.testing.strategies.git import NASTY_NAMES
from tests.services.git.bench import Bench, failure
from tests.services.git.forest import Picture, picture

RESULT = "anabranch/r1/result"
AGENT = WorktreeRequest(name="agent-0", parent=RESULT, branch="anabranch/r1/agent-0")

Kind: TypeAlias = Callable[[ScratchRepository], ScratchRepository | None]

KINDS: list[Kind] = []


def kind(function: Kind) -> Kind:
    KINDS.append(function)
    return function


@kind
def nasty_names(repo: ScratchRepository) -> None:
    repo.commit(dict.fromkeys(NASTY_NAMES, "x") | {f"in/{name}/x": name for name in NASTY_NAMES})


@kind
def unicode_normal_forms(repo: ScratchRepository) -> None:
    repo.commit(
        {"caf\N{LATIN SMALL LETTER E WITH ACUTE}": "1", "cafe\N{COMBINING ACUTE ACCENT}": "2"}
    )


@kind
def names_that_differ_in_case(repo: ScratchRepository) -> None:
    repo.commit({"Makefile": "1", "makefile": "2", "Dir/x": "3", "dir/x": "4"})


@kind
def empty_commits(repo: ScratchRepository) -> None:
    for number in range(3):
        repo.commit(message=f"empty {number}")


@kind
def an_empty_tree(repo: ScratchRepository) -> None:
    repo.git("rm", "--quiet", "-r", ".")
    repo.commit()


@kind
def shallow(repo: ScratchRepository) -> ScratchRepository:
    for number in range(3):
        repo.commit({"n": str(number)})
    there = repo.path.with_name("shallow")
    repo.git("clone", "--quiet", "--template=", "--depth=1", f"file://{repo.path}", there)
    return repo.at(there)


@kind
def line_ends_that_are_converted(repo: ScratchRepository) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.commit({"text": "one\ntwo\n", "crlf": "a\r\nb\r\n", "binary": b"\0\n"})


@kind
def attributes(repo: ScratchRepository) -> None:
    repo.git("config", "filter.up.smudge", "tr a-z A-Z")
    repo.git("config", "filter.up.clean", "tr A-Z a-z")
    lines = (
        "*.up filter=up\n*.id ident\n*.bat text eol=crlf\n*.wide working-tree-encoding=UTF-16LE\n"
    )
    repo.commit({".gitattributes": lines})
    repo.commit(
        {"a.up": "loud\n", "b.id": "$Id$\n", "c.bat": "x\n", "d.wide": "w\n".encode("utf-16le")}
    )


@kind
def pointers_of_lfs_without_lfs(repo: ScratchRepository) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": pointer})


@kind
def links_and_modes(repo: ScratchRepository) -> None:
    for name, to in (
        ("link", "a.txt"),
        ("dangling", "nowhere"),
        ("up", "../.."),
        ("dirlink", "dir"),
    ):
        (repo.path / name).symlink_to(to)
    repo.write({"run": "#!/bin/sh\n"})
    (repo.path / "run").chmod(0o755)
    repo.commit()


@kind
def read_only_files(repo: ScratchRepository) -> None:
    repo.commit({"locked/file": "x"})
    (repo.path / "locked" / "file").chmod(0o444)


@kind
def sparse(repo: ScratchRepository) -> None:
    repo.commit({"in/x": "1", "out/y": "2"})
    repo.git("sparse-checkout", "set", "in")


@kind
def a_submodule(repo: ScratchRepository) -> None:
    inner = git_repo(repo.path.with_name("inner"))
    allowed = ("-c", "protocol.file.allow=always")
    repo.git(*allowed, "submodule", "--quiet", "add", inner.path, "sub")
    repo.commit()


@kind
def a_linked_worktree_of_the_user(repo: ScratchRepository) -> ScratchRepository:
    repo.git("worktree", "add", "--quiet", "-b", "side", repo.path / "inside")
    return repo.at(repo.path / "inside")


@kind
def bare_repositories_that_are_not_trusted(repo: ScratchRepository) -> ScratchRepository:
    config = repo.path.with_name("gitconfig")
    config.write_text("[safe]\n\tbareRepository = explicit\n")
    return evolve(repo, environ={**repo.environ, "GIT_CONFIG_GLOBAL": str(config)})


@kind
def a_submodule_that_is_worked_in(repo: ScratchRepository) -> ScratchRepository:
    inner = git_repo(repo.path.with_name("inner"))
    allowed = ("-c", "protocol.file.allow=always")
    repo.git(*allowed, "submodule", "--quiet", "add", inner.path, "sub")
    return repo.at(repo.path / "sub")


@kind
def a_git_directory_that_lies_elsewhere(repo: ScratchRepository) -> None:
    repo.git("init", "--quiet", "--separate-git-dir", repo.path.with_name("elsewhere"))


@kind
def a_git_directory_behind_a_link(repo: ScratchRepository) -> None:
    elsewhere = repo.path.with_name("elsewhere")
    (repo.path / ".git").rename(elsewhere)
    (repo.path / ".git").symlink_to(elsewhere)


@kind
def a_worktree_of_a_submodule(repo: ScratchRepository) -> ScratchRepository:
    sub = a_submodule_that_is_worked_in(repo)
    assert sub is not None
    sub.git("worktree", "add", "--quiet", "-b", "side", repo.path.with_name("side"))
    return sub.at(repo.path.with_name("side"))


@kind
def hooks_that_only_the_users_checkout_has(repo: ScratchRepository) -> None:
    repo.git("config", "core.hooksPath", ".husky/_")
    repo.write({".husky/_/post-checkout": "#!/bin/sh\n", ".husky/_/.gitignore": "*\n"})
    (repo.path / ".husky/_/post-checkout").chmod(0o755)


@kind
def a_path_that_is_nasty_itself(repo: ScratchRepository) -> ScratchRepository:
    there = repo.path.with_name("-a 'b\" $c\n,d:e\\f")
    repo.path.rename(there)
    return repo.at(there)


@kind
def a_bare_repository(repo: ScratchRepository) -> ScratchRepository:
    return repo.bare(repo.path.with_name("bare.git"))


@kind
def a_detached_head(repo: ScratchRepository) -> None:
    repo.git("checkout", "--quiet", "--detach")


@kind
def packed_refs_and_objects(repo: ScratchRepository) -> None:
    repo.git("gc", "--quiet")


@kind
def sha256(repo: ScratchRepository) -> ScratchRepository:
    there = repo.path.with_name("sha256")
    repo.git("init", "--quiet", "--template=", "--object-format=sha256", there)
    found = repo.at(there)
    found.commit({"a.txt": "one\n"})
    return found


@kind
def signed_commits_wanted(repo: ScratchRepository) -> None:
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "diff.noprefix", "true")
    repo.git("config", "core.quotePath", "false")
    repo.git("config", "status.showUntrackedFiles", "no")
    repo.git("config", "merge.ff", "only")
    repo.git("config", "core.hooksPath", "hooks")


def plain(repo: ScratchRepository) -> Picture:
    """What git's own command makes of the commit."""
    there = repo.path.parent / "plain"
    repo.git("worktree", "add", "--quiet", "--detach", there)
    try:
        return picture(str(there))
    finally:
        repo.git("worktree", "remove", "--force", there)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_an_agent_works_in_it_as_in_a_plain_checkout(repo: ScratchRepository, make: Kind) -> None:
    there = make(repo) or repo
    expected = plain(there)

    async def scenario(git: GitRun) -> tuple[list[Picture], Delivery]:
        base = (await git.merges.start(RESULT)).unwrap()
        seen: list[Picture] = []
        for _ in range(3):
            tree = (await git.worktrees.create(AGENT)).unwrap()
            seen.append(picture(tree.path))
            assert () == (await git.worktrees.changes(tree)).unwrap().dirty
            (await git.worktrees.remove(tree)).unwrap()
        tree = (await git.worktrees.create(AGENT)).unwrap()
        agent = there.at(tree.path)
        agent.write({"made/by agent": "x"})
        agent.git("add", "--sparse", "made")
        agent.git("commit", "--quiet", "--message", "work")
        changes = (await git.worktrees.changes(tree)).unwrap()
        assert (("made/by agent",), ()) == (changes.added, changes.dirty)
        (await git.worktrees.remove(tree)).unwrap()
        request = MergeRequest(target=RESULT, source=changes.head, base=base, message="m")
        (await git.merges.merge(request)).unwrap()
        (await git.merges.drop(str(AGENT.branch))).unwrap()
        return seen, (await git.merges.deliver(RESULT)).unwrap()

    bench = Bench(there)
    before = there.head
    seen, delivery = bench(scenario)
    assert [expected] * 3 == seen
    assert delivery.delivered, delivery
    assert (before, delivery.commit) == (there.git("rev-parse", "HEAD^"), there.head) or (
        [before] == there.git("rev-list", "--parents", "-1", "HEAD").split()[1:2]
    )
    assert () == find_worktrees(bench.repository)
    there.git("fsck", "--no-dangling")


@pytest.mark.parametrize(
    "name", ["pre-commit", "commit-msg", "post-merge", "reference-transaction"]
)
def test_hooks_that_fail_hinder_no_merge_and_no_delivery(bench: Bench, name: str) -> None:
    source = bench.repo.git("commit-tree", "-p", "HEAD", "-m", "w", "HEAD^{tree}")
    hook = bench.repo.path / ".git" / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    async def scenario(git: GitRun) -> object:
        started = await git.merges.start(RESULT)
        if name == "reference-transaction":
            return failure(started).message
        request = MergeRequest(
            target=RESULT, source=Oid(source), base=started.unwrap(), message="m"
        )
        (await git.merges.merge(request)).unwrap()
        return (await git.merges.deliver(RESULT)).unwrap().delivered

    said = bench(scenario)
    assert "hook" in str(said) if name == "reference-transaction" else said


def test_a_worktree_whose_directory_cannot_be_written_is_refused(
    bench: Bench, tmp_path: Path
) -> None:
    there = tmp_path / "shop.anabranch" / "r1"
    there.parent.mkdir()
    there.write_text("a file of the user")

    async def scenario(git: GitRun) -> WorktreeError:
        (await git.merges.start(RESULT)).unwrap()
        return failure(await git.worktrees.create(AGENT))

    assert WorktreeFault.GIT == bench(scenario).fault
    assert "a file of the user" == there.read_text()


def test_a_user_who_deletes_worktrees_by_hand_hinders_nobody(bench: Bench) -> None:
    async def scenario(git: GitRun) -> bool:
        (await git.merges.start(RESULT)).unwrap()
        tree = (await git.worktrees.create(AGENT)).unwrap()
        shutil.rmtree(tree.path)
        (await git.worktrees.remove(tree)).unwrap()
        again = (await git.worktrees.create(AGENT)).unwrap()
        return Path(again.path, "a.txt").exists()

    assert bench(scenario)
    assert 1 == len(bench.repo.git("worktree", "list").splitlines()) - len(
        find_worktrees(bench.repository)
    )


def pointing(repo: ScratchRepository, commit: str) -> Oid:
    """A commit in which the submodule `sub` points to another commit."""
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    tree = repo.git("write-tree")
    repo.git("read-tree", "HEAD")
    return Oid(repo.git("commit-tree", "-p", "HEAD", "-m", "pointer", tree))


@pytest.mark.parametrize("linear", [False, True])
def test_pointers_of_submodules_are_merged_and_conflict_like_files(
    bench: Bench, linear: bool
) -> None:
    bench.repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    bench.repo.git("commit", "--quiet", "--message", "submodule")
    one, two = (pointing(bench.repo, digit * 40) for digit in "23")

    async def scenario(git: GitRun) -> tuple[str, tuple[Conflict, ...]]:
        base = (await git.merges.start(RESULT)).unwrap()
        ask = MergeRequest(target=RESULT, source=one, base=base, message="m", linear=linear)
        (await git.merges.merge(ask)).unwrap()
        moved = bench.repo.git("rev-parse", f"{RESULT}:sub")
        return moved, failure(await git.merges.merge(evolve(ask, source=two))).conflicts

    moved, (conflict,) = bench(scenario)
    assert "2" * 40 == moved
    assert ("sub", b"2" * 40, b"3" * 40) == (conflict.path, conflict.ours, conflict.theirs)


@pytest.mark.parametrize("filled", [False, True])
def test_what_an_agent_committed_in_a_submodule_is_there_for_the_user(
    bench: Bench, filled: bool
) -> None:
    allowed = ("-c", "protocol.file.allow=always")
    inner = git_repo(bench.repo.path.with_name("inner"))
    bench.repo.git(*allowed, "submodule", "--quiet", "add", inner.path, "libs/sub")
    bench.repo.commit()
    if not filled:
        bench.repo.git("submodule", "--quiet", "deinit", "--force", "libs/sub")
        shutil.rmtree(bench.repo.path / ".git" / "modules")

    async def scenario(git: GitRun) -> str:
        base = (await git.merges.start(RESULT)).unwrap()
        tree = (await git.worktrees.create(AGENT)).unwrap()
        agent = bench.repo.at(tree.path)
        agent.git(*allowed, "submodule", "--quiet", "update", "--init")
        made = agent.at(Path(tree.path, "libs/sub")).commit({"made": "in the submodule"})
        source = Oid(agent.commit())
        (await git.worktrees.remove(tree)).unwrap()
        request = MergeRequest(target=RESULT, source=source, base=base, message="m")
        (await git.merges.merge(request)).unwrap()
        assert (await git.merges.deliver(RESULT)).unwrap().delivered
        return made

    made = bench(scenario)
    bench.repo.git("submodule", "--quiet", "update", "--init")
    assert made == bench.repo.at(bench.repo.path / "libs/sub").head
    assert "" == bench.repo.git("status", "--porcelain")
