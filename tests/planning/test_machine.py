from __future__ import annotations

import pytest
from attrs import evolve

from anabranch.planning import FileSystem, Machine, Strength, assess_machine
from anabranch.values import Problem, Severity

DISK = FileSystem(path="/home", kind="ext4", free_bytes=1 << 40, free_files=10**7)
FINE = Machine(
    system="Linux 6.1",
    python="3.11.7",
    processors=8,
    memory_bytes=1 << 34,
    open_files=4096,
    processes=4096,
    git="2.49",
    file_systems={"repository": DISK, "worktrees": DISK},
)


def with_repository(place: FileSystem) -> Machine:
    return evolve(FINE, file_systems={"repository": place, "worktrees": place})


def codes(machine: Machine) -> set[str]:
    return {problem.code for problem in assess_machine(machine)}


def test_a_good_machine_has_no_problem() -> None:
    assert () == assess_machine(FINE)


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (evolve(FINE, strength=Strength.GROUP, weakness="old"), "weak-containment"),
        (evolve(FINE, open_files=256), "few-open-files"),
        (evolve(FINE, processes=100), "few-processes"),
        (evolve(FINE, memory_bytes=1 << 20), "little-memory"),
        (evolve(FINE, start_seconds=0.08), "slow-start"),
        (evolve(FINE, merges_at_once=False), "slow-merges"),
        (evolve(FINE, wrappers={"python3": "/shims/python3"}), "wrapped-program"),
        (with_repository(evolve(DISK, kind="nfs4")), "network-storage"),
        (with_repository(evolve(DISK, kind="tmpfs")), "memory-storage"),
        (with_repository(evolve(DISK, free_bytes=1 << 20)), "little-room"),
        (with_repository(evolve(DISK, free_files=10)), "few-files-left"),
        (with_repository(evolve(DISK, ignores_case=True)), "case-ignored"),
    ],
)
def test_each_weakness_is_a_warning_that_says_what_to_do(machine: Machine, code: str) -> None:
    assert {code} == codes(machine)
    assert all(problem.hint for problem in assess_machine(machine))
    assert {Severity.WARNING} == {problem.severity for problem in assess_machine(machine)}


@pytest.mark.parametrize(
    "machine",
    [
        evolve(FINE, strength=Strength.SUBREAPER, weakness="no cgroup can be made here"),
        evolve(FINE, open_files=None, processes=None, memory_bytes=None),
        with_repository(evolve(DISK, kind="", free_files=None)),
    ],
)
def test_what_is_unknown_unlimited_or_good_enough_is_no_problem(machine: Machine) -> None:
    assert () == assess_machine(machine)


def test_a_repository_that_cannot_be_written_to_is_an_error() -> None:
    (problem, *_) = assess_machine(with_repository(evolve(DISK, writable=False)))
    assert ("read-only", Severity.ERROR) == (problem.code, problem.severity)


def test_errors_come_before_warnings() -> None:
    missing = Problem(code="git-missing", message="git is not installed")
    problems = assess_machine(evolve(FINE, git="", git_problems=(missing,), open_files=1))
    assert [Severity.ERROR, Severity.WARNING] == [problem.severity for problem in problems]
