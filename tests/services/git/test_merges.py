from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from returns.result import Result

from anabranch.environment import Merge, MergeError, MergeFault, MergeRequest, Oid, Trace
from anabranch.services.git import GitRun
from anabranch.testing.repositories import ScratchRepository
from tests.services.git.bench import Bench, failure

TARGET = "anabranch/r1/run"


def work(repo: ScratchRepository, branch: str, files: dict[str, str | bytes | None]) -> Oid:
    """A commit on a new branch at `main`, made in passing."""
    repo.git("checkout", "--quiet", "-b", branch, "main")
    commit = repo.commit(files, f"work of {branch}")
    repo.git("checkout", "--quiet", "main")
    return Oid(commit)


def branches(repo: ScratchRepository) -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/").splitlines()


def request(repo: ScratchRepository, source: Oid) -> MergeRequest:
    return MergeRequest(
        target=TARGET,
        source=source,
        base=Oid(repo.head),
        message="Merge agent-0",
        trailers=(("Anabranch-Run", "r1"), ("Anabranch-Agent", "agent-0")),
    )


def merge_all(bench: Bench, *requests: MergeRequest) -> list[Result[Merge, MergeError]]:
    async def scenario(git: GitRun) -> list[Result[Merge, MergeError]]:
        (await git.merges.start(TARGET, "main")).unwrap()
        return [await git.merges.merge(request) for request in requests]

    return bench(scenario)


def test_starting_twice_answers_the_same_commit(bench: Bench) -> None:
    async def scenario(git: GitRun) -> tuple[Oid, Oid]:
        first = (await git.merges.start(TARGET)).unwrap()
        bench.repo.commit({"more": ""})
        return first, (await git.merges.start(TARGET)).unwrap()

    first, second = bench(scenario)
    assert first == second == bench.repo.git("rev-parse", TARGET)


def test_a_merge_has_both_sides_and_its_trailers(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    two = work(bench.repo, "two", {"two": "2"})
    answers = merge_all(bench, request(bench.repo, one), request(bench.repo, two))
    assert [TARGET, TARGET] == [answer.unwrap().target for answer in answers]
    assert {"a.txt", "dir/b.txt", "one", "two"} == set(bench.repo.files(TARGET))
    body = bench.repo.git("log", "-1", "--format=%B", TARGET)
    assert "Merge agent-0\n\nAnabranch-Run: r1\nAnabranch-Agent: agent-0\n" == body


def test_the_users_checkout_is_not_touched_by_a_merge(bench: Bench) -> None:
    before = bench.repo.head
    merge_all(bench, request(bench.repo, work(bench.repo, "one", {"one": "1"})))
    assert (before, "") == (bench.repo.head, bench.repo.git("status", "--porcelain"))


def test_what_is_merged_already_is_not_merged_again(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"one": "1"}))
    _, again = merge_all(bench, one, one)
    assert again.unwrap().before == again.unwrap().commit


def test_a_conflict_moves_nothing_and_shows_both_sides(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"a.txt": "ours\n"}))
    two = request(bench.repo, work(bench.repo, "two", {"a.txt": "theirs\n"}))
    first, second = merge_all(bench, one, two)
    error = failure(second)
    (conflict,) = error.conflicts
    assert MergeFault.CONFLICT == error.fault
    assert ("a.txt", "content", b"ours\n", b"theirs\n") == (
        conflict.path,
        conflict.kind,
        conflict.ours,
        conflict.theirs,
    )
    assert first.unwrap().commit == bench.repo.git("rev-parse", TARGET)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "sides"),
    [
        ({"a.txt": None}, {"a.txt": "new\n"}, "modify/delete", (None, b"new\n")),
        ({"n": b"\0a"}, {"n": b"\0b"}, "binary", (b"\0a", b"\0b")),
        ({"n": "a\n"}, {"n": "b\n"}, "add/add", (b"a\n", b"b\n")),
    ],
)
def test_a_conflict_says_its_kind(
    bench: Bench,
    ours: dict[str, str | bytes | None],
    theirs: dict[str, str | bytes | None],
    kind: str,
    sides: tuple[bytes | None, bytes | None],
) -> None:
    one = request(bench.repo, work(bench.repo, "one", ours))
    two = request(bench.repo, work(bench.repo, "two", theirs))
    (conflict,) = failure(merge_all(bench, one, two)[1]).conflicts
    assert (kind, sides) == (conflict.kind, (conflict.ours, conflict.theirs))


def test_a_path_in_conflict_for_two_reasons_is_named_once(bench: Bench) -> None:
    bench.repo.git("checkout", "--quiet", "-b", "one")
    (bench.repo.path / "n").symlink_to("a.txt")
    bench.repo.git("add", "n")
    one = request(bench.repo, Oid(bench.repo.commit()))
    bench.repo.git("checkout", "--quiet", "main")
    two = request(bench.repo, work(bench.repo, "two", {"n": "theirs\n"}))
    error = failure(merge_all(bench, one, two)[1])
    assert "conflict in n" == error.message


def test_a_linear_merge_replays_each_commit_with_its_author(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"one": "1"}))
    bench.repo.git("checkout", "--quiet", "-b", "two", "main")
    bench.repo.commit({"two": "2"}, "first of two")
    bench.repo.git("config", "user.name", "Bob")
    bench.repo.write({"two": "22"})
    bench.repo.git("commit", "--quiet", "-a", "--author=Bob <b@b>", "-m", "second of two")
    two = request(bench.repo, Oid(bench.repo.head))
    bench.repo.git("checkout", "--quiet", "main")
    linear = [evolve(r, linear=True, base=Oid(bench.repo.head)) for r in (one, two)]
    merge_all(bench, *linear)
    log = bench.repo.git(
        "log", "--format=%an %s %(trailers:key=Anabranch-Agent)", f"main..{TARGET}"
    )
    assert [
        "Bob second of two Anabranch-Agent: agent-0",
        "Ada first of two Anabranch-Agent: agent-0",
        "Ada work of one Anabranch-Agent: agent-0",
    ] == [line for line in log.splitlines() if line]
    assert "" == bench.repo.git("log", "--merges", TARGET)
    assert b"22" == bench.repo.files(TARGET)["two"]


@pytest.mark.parametrize("linear", [False, True])
def test_a_history_of_its_own_is_not_merged(bench: Bench, linear: bool) -> None:
    bench.repo.git("checkout", "--quiet", "--orphan", "own")
    own = evolve(request(bench.repo, Oid(bench.repo.commit({"b": "b"}))), linear=linear)
    bench.repo.git("checkout", "--quiet", "main")
    one = request(bench.repo, work(bench.repo, "one", {"one": "1"}))
    refused, merged = merge_all(bench, evolve(own, base=Oid(bench.repo.head)), one)
    assert MergeFault.UNRELATED == failure(refused).fault
    assert {"a.txt", "dir/b.txt", "one"} == set(bench.repo.files(TARGET))
    assert merged.unwrap().commit == bench.repo.git("rev-parse", TARGET)


def test_a_branch_that_somebody_has_checked_out_is_not_moved(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"one": "1"}))
    answer = merge_all(bench, evolve(one, target="main"))[0]
    assert MergeFault.CHECKED_OUT == failure(answer).fault


def test_an_unknown_source_is_refused(bench: Bench) -> None:
    answer = merge_all(bench, request(bench.repo, Oid("1" * 40)))[0]
    assert MergeFault.UNKNOWN_REVISION == failure(answer).fault


def test_a_branch_is_dropped_in_the_same_step_as_it_is_merged(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops="one"))
    assert answer.unwrap().dropped
    assert "one" not in branches(bench.repo)
    assert "one" in bench.repo.files(TARGET)


@pytest.mark.parametrize("packed", [False, True])
def test_a_branch_that_has_moved_on_is_not_dropped(bench: Bench, *, packed: bool) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    bench.repo.git("checkout", "--quiet", "one")
    later = bench.repo.commit({"later": "2"})
    bench.repo.git("checkout", "--quiet", "main")
    if packed:
        bench.repo.git("pack-refs", "--all")
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops="one"))
    assert not answer.unwrap().dropped
    assert later == bench.repo.git("rev-parse", "one")
    assert "one" in bench.repo.files(TARGET)


def test_a_branch_that_somebody_has_checked_out_is_merged_and_not_dropped(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    bench.repo.git("checkout", "--quiet", "one")
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops="one"))
    assert not answer.unwrap().dropped
    assert one == bench.repo.git("rev-parse", "one")
    assert "one" in bench.repo.files(TARGET)


def test_a_branch_with_nothing_to_merge_is_not_dropped(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"one": "1"}))
    _, again = merge_all(bench, one, evolve(one, drops="one"))
    assert not again.unwrap().dropped
    assert "one" in branches(bench.repo)


def test_a_branch_is_not_dropped_if_its_merge_fails(bench: Bench) -> None:
    one = work(bench.repo, "one", {"a.txt": "1"})
    two = work(bench.repo, "two", {"a.txt": "2"})
    requests = (request(bench.repo, source) for source in (one, two))
    merge_all(bench, *(evolve(each, drops="two") for each in requests))
    assert two == bench.repo.git("rev-parse", "two")


def test_a_target_that_is_to_be_dropped_stays(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops=TARGET))
    assert not answer.unwrap().dropped
    assert answer.unwrap().commit == bench.repo.git("rev-parse", TARGET)


def test_a_branch_that_is_locked_is_merged_and_not_dropped(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    (bench.repo.path / ".git/refs/heads/one.lock").touch()
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops="one"))
    assert not answer.unwrap().dropped
    assert one == bench.repo.git("rev-parse", "one")
    assert "one" in bench.repo.files(TARGET)


def test_a_target_that_is_locked_is_no_reason_to_drop_what_was_not_merged(bench: Bench) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    bench.repo.git("branch", TARGET, "main")
    (bench.repo.path / f".git/refs/heads/{TARGET}.lock").touch()
    (answer,) = merge_all(bench, evolve(request(bench.repo, one), drops="one"))
    assert MergeFault.GIT == failure(answer).fault
    assert one == bench.repo.git("rev-parse", "one")


def test_a_branch_that_stands_for_another_one_is_dropped_without_it(bench: Bench) -> None:
    one = work(bench.repo, "precious", {"one": "1"})
    bench.repo.git("symbolic-ref", "refs/heads/one", "refs/heads/precious")
    bench.repo.git("symbolic-ref", "refs/heads/two", "refs/heads/precious")

    async def scenario(git: GitRun) -> Merge:
        (await git.merges.start(TARGET, "main")).unwrap()
        merged = await git.merges.merge(evolve(request(bench.repo, one), drops="one"))
        (await git.merges.drop("two")).unwrap()
        return merged.unwrap()

    assert bench(scenario).dropped
    assert {"main", "precious", TARGET} == set(branches(bench.repo))


def test_dropping_twice_is_dropping_once(bench: Bench) -> None:
    async def scenario(git: GitRun) -> None:
        (await git.merges.start(TARGET)).unwrap()
        (await git.merges.drop(TARGET)).unwrap()
        (await git.merges.drop(TARGET)).unwrap()

    bench(scenario)
    assert "main" == bench.repo.git("branch", "--format=%(refname:short)")


def test_a_linear_merge_that_is_there_already_is_not_made_again(bench: Bench) -> None:
    one = evolve(request(bench.repo, work(bench.repo, "one", {"a.txt": "1"})), linear=True)
    two = request(bench.repo, work(bench.repo, "two", {"two": "2"}))
    first = [answer.unwrap() for answer in merge_all(bench, one, two, one)]
    again = [answer.unwrap() for answer in merge_all(bench, one)]
    assert first[-1].before == first[-1].commit == again[0].before == again[0].commit


def test_a_linear_merge_that_may_fast_forward_does(bench: Bench) -> None:
    one = evolve(
        request(bench.repo, work(bench.repo, "one", {"a.txt": "1"})),
        linear=True,
        fast_forward=True,
        base=Oid(bench.repo.head),
    )
    (answer,) = merge_all(bench, one)
    assert one.source == answer.unwrap().commit


def test_attributes_count_as_they_do_in_a_checkout_and_are_those_of_the_target(
    bench: Bench,
) -> None:
    bench.repo.commit({".gitattributes": "*.txt merge=union\n", "sub/deep.txt": ""})
    one, two = (
        request(bench.repo, work(bench.repo, name, {"a.txt": f"{name}!\n", "sub/deep.txt": name}))
        for name in ("one", "two")
    )
    merge_all(bench, one, two)
    assert b"one!\ntwo!\n" == bench.repo.files(TARGET)["a.txt"]


def test_attributes_that_come_with_a_merge_count_for_the_next(bench: Bench) -> None:
    rules = request(bench.repo, work(bench.repo, "rules", {"dir/.gitattributes": "* merge=union"}))
    one, two = (
        request(bench.repo, work(bench.repo, name, {"dir/b.txt": f"{name}!\n"}))
        for name in ("one", "two")
    )
    merge_all(bench, rules, one, two)
    assert b"one!\ntwo!\n" == bench.repo.files(TARGET)["dir/b.txt"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_commit_that_git_replaces_by_another_is_that_other(bench: Bench, *, packed: bool) -> None:
    repo = bench.repo
    one = work(repo, "one", {"one": "1"})
    other = repo.git("commit-tree", f"{one}^{{tree}}", "-p", repo.head, "-m", "in its place")
    repo.git("replace", one, other.strip())
    if packed:
        repo.git("pack-refs", "--all")
    merge_all(bench, evolve(request(repo, one), linear=True))[0].unwrap()
    assert repo.git("log", "-1", "--format=%B", TARGET).startswith("in its place\n")


@pytest.mark.parametrize("packed", [False, True])
def test_a_commit_is_read_from_a_file_of_its_own_and_from_a_pack(
    bench: Bench, *, packed: bool
) -> None:
    one = work(bench.repo, "one", {"one": "1"})
    if packed:
        bench.repo.git("repack", "-a", "-d", "--quiet")
    merge_all(bench, evolve(request(bench.repo, one), linear=True))[0].unwrap()
    assert bench.repo.git("log", "-1", "--format=%B", TARGET).startswith("work of one\n")


def test_merging_works_without_a_long_lived_process(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    one = request(bench.repo, work(bench.repo, "one", {"a.txt": "ours\n", "one": "1"}))
    two = request(bench.repo, work(bench.repo, "two", {"a.txt": "theirs\n"}))
    few = Bench(evolve(bench.repo, environ={**bench.repo.environ, "PATH": f"{tmp_path}/bin"}))
    first, second = merge_all(few, one, two)
    assert {"a.txt", "dir/b.txt", "one"} == set(bench.repo.files(first.unwrap().commit))
    assert ["a.txt"] == [conflict.path for conflict in failure(second).conflicts]


def test_two_tasks_merge_into_one_branch_at_once(bench: Bench) -> None:
    requests = [request(bench.repo, work(bench.repo, f"w{n}", {f"f{n}": ""})) for n in range(8)]

    async def scenario(git: GitRun) -> None:
        (await git.merges.start(TARGET)).unwrap()

        async def one(request: MergeRequest) -> None:
            (await git.merges.merge(request)).unwrap()

        async with anyio.create_task_group() as group:
            for each in requests:
                group.start_soon(one, each)

    bench(scenario)
    assert {f"f{n}" for n in range(8)} <= set(bench.repo.files(TARGET))


def test_a_branch_that_somebody_else_moves_is_merged_anew(bench: Bench) -> None:
    one = request(bench.repo, work(bench.repo, "one", {"one": ""}))
    two = request(bench.repo, work(bench.repo, "two", {"two": ""}))

    async def scenario(git: GitRun) -> None:
        (await git.merges.start(TARGET)).unwrap()
        (await git.merges.merge(one)).unwrap()
        bench.repo.git("pack-refs", "--all")
        bench.repo.git("update-ref", f"refs/heads/{TARGET}", "main")
        (await git.merges.merge(two)).unwrap()

    bench(scenario)
    assert {"a.txt", "dir/b.txt", "two"} == set(bench.repo.files(TARGET))


def test_what_moved_a_branch_is_known_again_by_its_trailers_oldest_first(bench: Bench) -> None:
    sources = [work(bench.repo, name, {name: name}) for name in ("one", "two")]
    one, two = (evolve(request(bench.repo, source), message="Merge\n\nNo: 1") for source in sources)

    async def scenario(git: GitRun) -> tuple[list[Merge], tuple[Trace, ...]]:
        (await git.merges.start(TARGET, "main")).unwrap()
        done = [(await git.merges.merge(each)).unwrap() for each in (one, two)]
        return done, (await git.merges.traces(TARGET, "main")).unwrap()

    done, found = bench(scenario)
    expected = [(merge.commit, merge.before) for merge in done]
    assert expected == [(trace.commit, trace.before) for trace in found]
    assert {"No": "1", "Anabranch-Run": "r1", "Anabranch-Agent": "agent-0"} == dict(
        found[0].trailers
    )


def test_trailers_that_came_with_a_merge_are_no_traces_of_the_branch(bench: Bench) -> None:
    source = work(bench.repo, "one", {"one": "1"})
    bench.repo.git("checkout", "--quiet", "one")
    forged = bench.repo.commit({"more": ""}, "Forged\n\nAnabranch-Agent: agent-7")
    bench.repo.git("checkout", "--quiet", "main")
    assert source != forged

    async def scenario(git: GitRun) -> tuple[Trace, ...]:
        (await git.merges.start(TARGET, "main")).unwrap()
        (await git.merges.merge(request(bench.repo, Oid(forged)))).unwrap()
        return (await git.merges.traces(TARGET, "main")).unwrap()

    (found,) = bench(scenario)
    assert ("Anabranch-Agent", "agent-0") in found.trailers
