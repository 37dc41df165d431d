"""Nothing that a user, or a phase, has in a working tree is ever lost."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from anabranch.environment import Advance, Delivery, MergeRequest, Oid, WorktreeRequest
from anabranch.services.git import GitRun
from anabranch.testing.repositories import ScratchRepository
from anabranch.testing.strategies.git import (
    Edits,
    Files,
    edited,
    edits_between,
    edits_of,
    file_trees,
    without_clashes,
)
from property_tests.services.git.workbench import REAL_GIT, apply, repository
from tests.services.git.bench import Bench

RESULT = "anabranch/r1/result"


@st.composite
def meetings(draw: st.DrawFn) -> tuple[Files, Edits, Edits]:
    """Files, what lands on them, and what somebody did to them meanwhile."""
    files = draw(file_trees())
    target, own = (edited(files, draw(edits_of(files))) for _ in range(2))
    if draw(st.booleans()):
        own = without_clashes({**target, **own})
    return files, edits_between(files, target), edits_between(files, own)


def land(repo: ScratchRepository, edits: Edits) -> Oid:
    """Commit edits of `main` on the side."""
    repo.git("checkout", "--quiet", "-b", "side")
    apply(repo, edits)
    commit = repo.commit()
    repo.git("checkout", "--quiet", "--force", "main")
    return Oid(commit)


@REAL_GIT
@given(meetings(), st.booleans())
def test_a_worktree_that_comes_forward_loses_nothing(
    meeting: tuple[Files, Edits, Edits], staged: bool
) -> None:
    files, landing, own = meeting
    target = edited(files, landing)
    with repository(files) as bench:
        commit = land(bench.repo, landing)

        async def scenario(git: GitRun) -> tuple[Advance, Files]:
            request = WorktreeRequest(name="run", parent="main")
            tree = (await git.worktrees.create(request)).unwrap()
            there = bench.repo.at(tree.path)
            apply(there, own)
            if staged:
                there.git("add", "--all")
            answer = (await git.worktrees.advance(tree, commit)).unwrap()
            assert commit == there.head
            return answer, Bench(there).files()

        answer, found = bench(scenario)
        saved = dict(answer.saved)
        for path, content in edited(files, own).items():
            if path in own or path not in landing:
                places = [path, *(path.replace(old, new, 1) for old, new in saved.items())]
                assert content in [found.get(place) for place in places] or own.get(path) is None
        for path, content in target.items():
            if path not in own or path in landing:
                assert content == found[path]


def refuse(repo: ScratchRepository) -> None:
    """A hook lets `main` not move: git hears of it when the files are written."""
    hook = repo.path / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n! grep -q refs/heads/main\n")
    hook.chmod(0o755)


def spoil(repo: ScratchRepository) -> None:
    """A filter fails at files that are new: git dies at the first of them."""
    known = "git cat-file -e HEAD:%f && cat"
    for name, value in (("smudge", known), ("clean", "cat"), ("required", "true")):
        repo.git("config", f"filter.known.{name}", value)
    attributes = repo.path / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* filter=known\n")


FAULTS: dict[str, Callable[[ScratchRepository], None]] = {
    "none": lambda _: None,
    "hook": refuse,
    "filter": spoil,
}


@REAL_GIT
@given(meetings(), st.sampled_from(sorted(FAULTS)), st.booleans())
def test_a_delivery_is_all_or_nothing_and_loses_nothing(
    meeting: tuple[Files, Edits, Edits], fault: str, staged: bool
) -> None:
    files, landing, own = meeting
    with repository(files) as bench:
        source = land(bench.repo, landing)
        before = Oid(bench.repo.head)
        apply(bench.repo, own)
        if staged:
            bench.repo.git("add", "--all")

        async def merged(git: GitRun) -> None:
            base = (await git.merges.start(RESULT)).unwrap()
            request = MergeRequest(target=RESULT, source=source, base=base, message="m")
            (await git.merges.merge(request)).unwrap()

        async def delivered(git: GitRun) -> Delivery:
            return (await git.merges.deliver(RESULT)).unwrap()

        bench(merged)
        FAULTS[fault](bench.repo)
        mine, status = bench.files(), bench.repo.git("status", "--porcelain", "-uall")
        delivery = bench(delivered)
        if delivery.delivered:
            assert delivery.commit == bench.repo.head
            kept = {path: c for path, c in mine.items() if path in own or path not in landing}
            assert kept.items() <= bench.files().items()
        else:
            assert (before, mine) == (bench.repo.head, bench.files())
            assert status == bench.repo.git("status", "--porcelain", "-uall")
            assert RESULT == delivery.branch
