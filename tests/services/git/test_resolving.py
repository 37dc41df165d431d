"""A conflict is laid out for somebody to resolve, and taken only if it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from returns.result import Result

from anabranch.environment import Merge, MergeError, MergeFault, MergeRequest, Oid, WorktreeRequest
from anabranch.services.git import GitRun
from anabranch.testing.repositories import ScratchRepository
from tests.services.git.bench import Bench, failure

TARGET = "anabranch/r1/result"
FILES: dict[str, str | bytes | None] = {
    "a.txt": "one\n",
    "gone": "gone\n",
    "image": b"\0base",
    "same": "same\n",
}


@pytest.fixture
def clash(bench: Bench) -> MergeRequest:
    """Two branches that changed a text, a binary file, and one that the other deleted."""
    bench.repo.commit(FILES)
    base = bench.repo.head
    sides: list[str] = []
    for name, gone in (("ours", None), ("theirs", "changed\n")):
        bench.repo.git("checkout", "--quiet", "-b", name, base)
        edits = {"a.txt": f"{name}\n", "image": f"\0{name}", "gone": gone, name: name}
        sides.append(bench.repo.commit(edits, name))
    bench.repo.git("checkout", "--quiet", "main")
    bench.repo.git("branch", TARGET, sides[0])
    return MergeRequest(
        target=TARGET,
        source=Oid(sides[1]),
        base=Oid(base),
        message="Merge theirs",
        trailers=(("Anabranch-Agent", "agent-0"),),
    )


def resolve(
    bench: Bench, request: MergeRequest, deed: Callable[[ScratchRepository], None]
) -> Result[Merge, MergeError]:
    """Merge, meet the conflict, let somebody do something about it, and take that."""

    async def scenario(git: GitRun) -> Result[Merge, MergeError]:
        error = failure(await git.merges.merge(request))
        wanted = WorktreeRequest(name="merge-0", parent=request.target)
        tree = (await git.worktrees.create(wanted)).unwrap()
        paths = (await git.merges.lay_out(request, tree)).unwrap()
        assert {"a.txt", "gone", "image"} == set(paths) == {c.path for c in error.conflicts}
        deed(bench.repo.at(tree.path))
        concluded = await git.merges.conclude(request, tree, error.conflicts)
        (await git.worktrees.remove(tree)).unwrap()
        return concluded

    return bench(scenario)


def write_all(there: ScratchRepository) -> None:
    there.write({"a.txt": "both\n", "image": b"\0both", "gone": None})


def stage_all(there: ScratchRepository) -> None:
    write_all(there)
    there.git("add", "--all")


def commit_all(there: ScratchRepository) -> None:
    write_all(there)
    there.commit(message="I did it")


def take_theirs(there: ScratchRepository) -> None:
    there.git("checkout", "--theirs", "a.txt", "image", "gone")
    there.git("add", "a.txt", "image", "gone")


@pytest.mark.parametrize("deed", [write_all, stage_all, commit_all])
@pytest.mark.parametrize("linear", [False, True])
def test_what_was_resolved_is_the_merge(
    bench: Bench,
    clash: MergeRequest,
    deed: Callable[[ScratchRepository], None],
    linear: bool,
) -> None:
    request = evolve(clash, linear=linear)
    merge = resolve(bench, request, deed).unwrap()
    files = bench.repo.files(TARGET)
    assert (b"both\n", b"\0both") == (files["a.txt"], files["image"])
    assert {"ours", "theirs", "same"} < files.keys()
    assert "gone" not in files
    parents = bench.repo.git("log", "-1", "--format=%P", merge.commit).split()
    assert [merge.before, *([] if linear else [clash.source])] == parents
    message = bench.repo.git("log", "-1", "--format=%B", merge.commit)
    assert message.startswith("Merge theirs\n\nAnabranch-Agent: agent-0")
    assert (f"Anabranch-Commit: {clash.source}" in message) == linear


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("merge.verifySignatures", "true"),
        ("merge.ff", "only"),
        ("branch.HEAD.mergeOptions", "--squash"),
        ("rerere.autoUpdate", "true"),
        ("merge.conflictStyle", "zdiff3"),
    ],
)
def test_what_the_user_wants_for_merges_of_their_own_hinders_no_resolver(
    bench: Bench, clash: MergeRequest, name: str, value: str
) -> None:
    bench.repo.git("config", name, value)
    assert resolve(bench, clash, stage_all).unwrap().commit == bench.repo.git("rev-parse", TARGET)


def test_one_of_the_sides_can_be_the_answer(bench: Bench, clash: MergeRequest) -> None:
    resolve(bench, clash, take_theirs).unwrap()
    files = bench.repo.files(TARGET)
    assert (b"theirs\n", b"changed\n") == (files["a.txt"], files["gone"])


def nothing(_: ScratchRepository) -> None:
    pass


def markers_left(there: ScratchRepository) -> None:
    there.write({"image": b"\0both", "gone": None})
    there.git("add", "--all")


def markers_committed(there: ScratchRepository) -> None:
    there.commit()


def binary_forgotten(there: ScratchRepository) -> None:
    there.write({"a.txt": "both\n", "gone": None})


def given_up(there: ScratchRepository) -> None:
    there.git("merge", "--abort")


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (nothing, "still in conflict: a.txt, gone, image"),
        (markers_left, "still in conflict: a.txt"),
        (markers_committed, "still in conflict: a.txt"),
        (binary_forgotten, "still in conflict: image"),
        (given_up, "the merge was given up in the worktree"),
    ],
)
def test_what_was_not_resolved_is_refused_and_nothing_moves(
    bench: Bench,
    clash: MergeRequest,
    deed: Callable[[ScratchRepository], None],
    said: str,
) -> None:
    before = bench.repo.git("rev-parse", TARGET)
    error = failure(resolve(bench, clash, deed))
    assert (MergeFault.CONFLICT, said) == (error.fault, error.message)
    assert before == bench.repo.git("rev-parse", TARGET)


def test_markers_that_a_side_had_before_are_no_conflict(bench: Bench, clash: MergeRequest) -> None:
    bench.repo.git("checkout", "--quiet", TARGET)
    documented = "<<<<<<< how git marks\nours\n"
    bench.repo.commit({"a.txt": documented})
    bench.repo.git("checkout", "--quiet", "main")

    def keep(there: ScratchRepository) -> None:
        write_all(there)
        there.write({"a.txt": documented})

    resolve(bench, clash, keep).unwrap()


def test_a_target_that_moved_meanwhile_is_not_overwritten(
    bench: Bench, clash: MergeRequest
) -> None:
    def move(there: ScratchRepository) -> None:
        write_all(there)
        there.git("branch", "--force", TARGET, "main")

    assert MergeFault.MOVED == failure(resolve(bench, clash, move)).fault


def test_files_that_the_resolver_left_untracked_are_not_taken(
    bench: Bench, clash: MergeRequest
) -> None:
    def litter(there: ScratchRepository) -> None:
        write_all(there)
        there.write({"a.txt.orig": "", "same": "adapted\n"})

    resolve(bench, clash, litter).unwrap()
    files = bench.repo.files(TARGET)
    assert ("a.txt.orig" in files, b"adapted\n") == (False, files["same"])
