from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from anabranch.environment import Oid, WorktreeRequest
from anabranch.services.git import (
    FoundTree,
    GitRun,
    Retention,
    Verdict,
    find_worktrees,
    plan_cleaning,
    sweep,
)
from anabranch.services.git.filling import MANY
from anabranch.services.git.overlays import overlay_problem
from anabranch.services.git.removal import mounts
from anabranch.services.owners import Life
from tests.services.git.bench import Bench
from tests.services.git.victim import TREE, victim

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
DEAD = FoundTree(
    run="r1", name="agent-0", path="/t", admin="/a", owner=None, life=Life.DEAD, used=NOON
)


@pytest.mark.parametrize(
    ("tree", "retention", "expected"),
    [
        (DEAD, Retention(), Verdict.REMOVE),
        (evolve(DEAD, life=Life.ALIVE), Retention(unsaved=False), Verdict.KEEP),
        (evolve(DEAD, life=Life.UNKNOWN), Retention(unsaved=False), Verdict.KEEP),
        (evolve(DEAD, dirty=True), Retention(), Verdict.KEEP),
        (evolve(DEAD, dirty=True), Retention(unsaved=False), Verdict.REMOVE),
        (evolve(DEAD, stray=Oid("1" * 40)), Retention(), Verdict.KEEP),
        (evolve(DEAD, stray=Oid("1" * 40)), Retention(unsaved=False), Verdict.REMOVE),
        (evolve(DEAD, name="run"), Retention(runs=frozenset({"r1"})), Verdict.KEEP),
        (evolve(DEAD, name="run"), Retention(runs=frozenset({"r2"})), Verdict.REMOVE),
        (DEAD, Retention(runs=frozenset({"r1"})), Verdict.REMOVE),
        (DEAD, Retention(newer_than=timedelta(hours=1)), Verdict.KEEP),
        (DEAD, Retention(newer_than=timedelta(minutes=1)), Verdict.REMOVE),
    ],
)
def test_only_what_is_dead_saved_and_not_wanted_may_go(
    tree: FoundTree, retention: Retention, expected: Verdict
) -> None:
    (judgement,) = plan_cleaning([tree], retention, NOON + timedelta(minutes=10))
    assert expected == judgement.verdict


def clean(bench: Bench, retention: Retention | None = None) -> list[tuple[str, str]]:
    """What a clean-up did with each worktree: its name, and `gone` or why it stayed."""
    found = find_worktrees(bench.repository)
    judgements = plan_cleaning(found, retention or Retention(), datetime.now(UTC))
    done = {
        each.tree.path: problem or "gone" for each, problem in sweep(bench.repository, judgements)
    }
    return [(each.tree.name, done.get(each.tree.path, each.reason)) for each in judgements]


def worktrees(bench: Bench) -> int:
    return len(bench.repo.git("worktree", "list").splitlines())


def test_what_a_killed_process_left_is_found_and_removed(bench: Bench) -> None:
    with victim(bench.repo, TREE):
        pass
    (found,) = find_worktrees(bench.repository)
    assert ("r1", "agent-0", Life.DEAD, False) == (found.run, found.name, found.life, found.dirty)
    assert [("agent-0", "gone")] == clean(bench)
    assert (1, False) == (worktrees(bench), bench.repo.path.with_name("shop.anabranch").exists())


def test_what_a_living_process_uses_is_never_touched(bench: Bench) -> None:
    with victim(bench.repo, TREE) as process:
        ((name, why),) = clean(bench, Retention(unsaved=False))
        assert ("agent-0", f"process {process.pid} on ") == (
            name,
            why[: len(why.split(" on ")[0]) + 4],
        )
        assert why.endswith(" is alive")
        assert 2 == worktrees(bench)


def test_worktrees_of_the_user_are_not_even_found(bench: Bench) -> None:
    bench.repo.git("worktree", "add", "--quiet", bench.repo.path.parent / "theirs")
    bench.repo.git("worktree", "lock", "--reason", "anabranch", bench.repo.path.parent / "theirs")
    assert () == find_worktrees(bench.repository)


def test_uncommitted_work_of_a_killed_process_is_kept_until_told_otherwise(bench: Bench) -> None:
    with victim(bench.repo, TREE + '        Path(tree.path, "work").write_text("work")\n'):
        pass
    assert [("agent-0", "it has changes that were not committed")] == clean(bench)
    assert [("agent-0", "gone")] == clean(bench, Retention(unsaved=False))


def test_a_commit_that_no_branch_holds_is_kept_until_told_otherwise(bench: Bench) -> None:
    scenario = TREE.replace(', branch="anabranch/r1/agent-0"', "")
    with victim(bench.repo, scenario + "        repo.at(tree.path).commit({'work': ''})\n"):
        pass
    ((_, why),) = clean(bench)
    assert why.startswith("it is on a commit that no branch holds: ")


def test_a_tree_that_others_are_laid_over_stays_as_long_as_one_of_them(bench: Bench) -> None:
    if overlay_problem(str(bench.repo.path.parent)) is not None:
        pytest.skip("mounting is not permitted")
    bench.repo.commit({f"d{n % 9}/f{n}": f"{n}\n" for n in range(MANY)})
    scenario = """
        for n in range(3):
            request = WorktreeRequest(name=f"agent-{n}", parent="main")
            tree = (await git.worktrees.create(request)).unwrap()
        Path(tree.path, "work").write_text("work")
"""
    with victim(bench.repo, scenario):
        pass
    over, dirty = "other worktrees are laid over it", "it has changes that were not committed"
    done = clean(bench)
    assert [
        (".template", over),
        ("agent-0", "gone"),
        ("agent-1", "gone"),
        ("agent-2", dirty),
    ] == done
    assert [(".template", over), ("agent-2", "gone")] == clean(bench, Retention(unsaved=False))
    assert (1, ()) == (worktrees(bench), find_worktrees(bench.repository))
    assert not [mount for mount in mounts() if mount.point.startswith(str(bench.repo.path.parent))]


def test_directories_that_git_does_not_know_are_found(bench: Bench) -> None:
    left = bench.repo.path.with_name("shop.anabranch") / "r0" / "agent-7"
    left.mkdir(parents=True)
    (left / "file").touch()
    assert [("agent-7", "gone")] == clean(bench)
    assert not left.parent.parent.exists()


def test_what_is_half_made_is_removed(bench: Bench) -> None:
    with victim(bench.repo, TREE):
        pass
    (found,) = find_worktrees(bench.repository)
    Path(found.admin, "index").unlink()
    Path(found.path, ".git").unlink()
    Path(found.path, "a.txt").unlink()
    assert [("agent-0", "gone")] == clean(bench)


def test_what_was_entered_half_goes_when_the_next_run_begins(bench: Bench) -> None:
    with victim(bench.repo, TREE):
        pass
    (found,) = find_worktrees(bench.repository)
    place, admin = Path(bench.repository.place, "r1"), Path(found.admin)
    Path(found.path).rename(place / "slot-9")
    admin.rename(admin.with_name("slot-9"))
    admin = admin.with_name("slot-9")
    for file in admin.iterdir():
        if file.name != "locked" and file.is_file():
            file.unlink()
    (admin / "gitdir").touch()
    (admin / "locked").write_text(
        (admin / "locked").read_text().replace(", agent-0:", ", .slot-9:")
    )

    async def look(_: GitRun) -> list[str]:
        return bench.repo.git("worktree", "list", "--porcelain").splitlines()[3:]

    assert [] == [line for line in bench(look) if line.startswith("worktree ")]
    assert not admin.exists()
    assert not place.exists()


def test_what_an_interrupted_removal_left_is_removed(bench: Bench) -> None:
    trash = Path(bench.repository.state, ".trash", "0" * 32)
    trash.mkdir(parents=True)
    (trash / "file").touch()
    clean(bench)
    assert not trash.parent.exists()


def test_what_was_put_away_and_not_deleted_goes_when_the_next_run_begins(bench: Bench) -> None:
    places = [Path(place, ".trash", "0" * 32) for place in _places(bench)]
    for place in places:
        (place / "deep").mkdir(parents=True)
        (place / "deep" / "file").touch()

    async def look(_: GitRun) -> list[Path]:
        return [place for place in places if place.exists()]

    assert [] == bench(look)
    assert not Path(bench.repository.place).exists()


def _places(bench: Bench) -> tuple[str, str]:
    return bench.repository.place, bench.repository.state


def test_carried_files_are_no_unsaved_work(bench: Bench) -> None:
    bench.repo.write({"left": "by setup"})

    async def scenario(git: GitRun) -> None:
        request = WorktreeRequest(name="agent-0", parent="main", carry=str(bench.repo.path))
        (await git.worktrees.create(request)).unwrap()

    bench(scenario)
    assert [("agent-0", "gone")] == clean(bench)
