from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Result

from anabranch.environment import Merge, MergeError, MergeRequest, Oid
from anabranch.services.git import GitRun
from anabranch.services.git.commits import Commit, with_trailers
from anabranch.testing.repositories import ScratchRepository
from anabranch.testing.strategies.git import Edits, Files, edits_of, file_trees
from property_tests.services.git.workbench import REAL_GIT, apply, repository
from tests.services.git.bench import Bench

TARGET = "anabranch/r1/run"


@st.composite
def forks(draw: st.DrawFn) -> tuple[Files, Edits, Edits]:
    files = draw(file_trees())
    return files, draw(edits_of(files)), draw(edits_of(files))


def branch(repo: ScratchRepository, name: str, edits: Edits) -> Oid:
    repo.git("checkout", "--quiet", "-b", name, "main")
    apply(repo, edits)
    commit = repo.commit()
    repo.git("checkout", "--quiet", "--force", "main")
    return Oid(commit)


def in_a_checkout(repo: ScratchRepository, one: Oid, two: Oid) -> tuple[str, set[str]]:
    """The tree, and the conflicting paths, that `git merge` itself leaves."""
    repo.git("checkout", "--quiet", "--detach", one)
    try:
        repo.git("merge", "--quiet", "--no-ff", "--no-edit", two)
    except AssertionError:
        unmerged = repo.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")[:-1]
        repo.git("reset", "--hard", "--quiet")
        repo.git("clean", "-ffdxq")
        return "", set(unmerged)
    return repo.git("rev-parse", "HEAD^{tree}"), set()


def merge_both(bench: Bench, one: Oid, two: Oid, *, linear: bool) -> Result[Merge, MergeError]:
    target = f"{TARGET}-{linear}"

    async def scenario(git: GitRun) -> Result[Merge, MergeError]:
        base = (await git.merges.start(target, "main")).unwrap()
        requests = [
            MergeRequest(target=target, source=source, base=base, message="m", linear=linear)
            for source in (one, two)
        ]
        (await git.merges.merge(requests[0])).unwrap()
        return await git.merges.merge(requests[1])

    return bench(scenario)


@REAL_GIT
@given(forks())
def test_a_merge_in_memory_is_what_git_makes_in_a_checkout(
    forks: tuple[Files, Edits, Edits],
) -> None:
    files, first, second = forks
    with repository(files) as bench:
        one, two = branch(bench.repo, "one", first), branch(bench.repo, "two", second)
        tree, unmerged = in_a_checkout(bench.repo, one, two)
        bench.repo.git("checkout", "--quiet", "main")
        answers = [merge_both(bench, one, two, linear=linear) for linear in (False, True)]
        for answer in answers:
            if is_successful(answer):
                assert tree == bench.repo.git("rev-parse", f"{answer.unwrap().commit}^{{tree}}")
            else:
                named = {re.sub(r"~(HEAD|one|two)(_\d+)?$", "", path) for path in unmerged}
                assert named == {conflict.path for conflict in answer.failure().conflicts}


@given(st.text(), st.lists(st.tuples(st.sampled_from(["A", "B-c"]), st.text()), max_size=3))
def test_a_message_ends_in_all_its_trailers(message: str, trailers: list[tuple[str, str]]) -> None:
    text = with_trailers(message, trailers)
    assert "\0" not in text
    assert text.endswith("\n")
    last = text.rstrip("\n").rpartition("\n\n")[2].splitlines()
    found = [line.partition(": ")[0] for line in last if not line.startswith(" ")]
    assert [name for name, _ in trailers] == (found[-len(trailers) :] if trailers else [])


@given(
    st.lists(st.text("0123456789abcdef", min_size=40, max_size=40).map(Oid), max_size=3),
    st.text().filter(lambda text: "\0" not in text),
)
def test_a_commit_is_read_as_it_was_written(parents: list[Oid], message: str) -> None:
    written = Commit(
        tree="0" * 40,
        parents=tuple(parents),
        author="Ada Ünlü <a@b> 1 +0000".encode(),
        committer=b"Bob <b@c> 2 -0330",
        message=message,
    )
    assert written == Commit.parse(written.to_bytes())
