"""A machine as facts, and what they mean for a run: what is missing, unsafe or slow there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from anabranch.values import Problem, Severity


class Strength(StrEnum):
    """How firmly the processes of a command are held together, from best to worst.

    `cgroup`: the kernel ends all of them at once, whoever they run as. `subreaper`: none can
    leave the tree, but those of another user cannot be ended. `group`: sessions and process
    groups; a daemon may get away for a while, and nothing ends commands whose anabranch was killed.
    """

    CGROUP = "cgroup"
    SUBREAPER = "subreaper"
    GROUP = "group"


@frozen(kw_only=True)
class FileSystem:
    """Where files of a run live.

    Attributes:
        path: a directory on it.
        kind: its type, such as `ext4`; empty if that is not known.
        free_bytes: room for more.
        free_files: how many more files it can hold; `None` if it has no such limit.
        ignores_case: whether `A` and `a` are one name.
        writable: whether a run could make files there.
    """

    path: str
    kind: str
    free_bytes: int
    free_files: int | None = None
    ignores_case: bool = False
    writable: bool = True


@frozen(kw_only=True)
class Machine:
    """What a run would find.

    Attributes:
        system: kernel and release.
        python: version of the interpreter.
        processors: how many this process may use.
        memory_bytes: available now; `None` if that is not known.
        open_files, processes: how many more this process may have; `None` is no limit.
        git: version; empty if there is none that works here.
        git_problems: why not.
        merges_at_once: whether one process of git can make many merges.
        unrecycled: why worktrees cannot be used again and again; `None` if they can.
        unlaid: why large worktrees cannot be laid over a template; `None` if they can.
        worktrees: how many the budget of disk space allows a run; `None` if there is no budget.
        start_seconds: to start a process and wait for it; `None` if that is not known.
        strength: of containment.
        weakness: why it is not stronger; `None` if it is the strongest.
        file_systems: by what they hold: `repository`, `worktrees`, `temporary files`.
        wrappers: programs that are scripts which start the real one, name to path.
        agents: command-line agents that are installed.
    """

    system: str
    python: str
    processors: int
    memory_bytes: int | None = None
    open_files: int | None = None
    processes: int | None = None
    git: str = ""
    git_problems: tuple[Problem, ...] = ()
    merges_at_once: bool = True
    unrecycled: str | None = None
    unlaid: str | None = None
    worktrees: int | None = None
    start_seconds: float | None = None
    strength: Strength = Strength.CGROUP
    weakness: str | None = None
    file_systems: Mapping[str, FileSystem] = field(factory=dict[str, FileSystem])
    wrappers: Mapping[str, str] = field(factory=dict[str, str])
    agents: tuple[str, ...] = ()


FEW_OPEN_FILES: Final = 1024
FEW_PROCESSES: Final = 512
SLOW_START_SECONDS: Final = 0.02
LITTLE_ROOM: Final = 1 << 30
LITTLE_MEMORY: Final = 1 << 29
FEW_FILES: Final = 100_000

_NETWORKS: Final = frozenset(["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "vboxsf"])
_IN_MEMORY: Final = frozenset(["tmpfs", "ramfs"])


def assess_machine(machine: Machine) -> tuple[Problem, ...]:
    """What to know before a run on a machine: errors stop every run, warnings do not.

    Returns:
        The problems, errors first; each says what to do about it.

    >>> fine = Machine(system="Linux 6.1", python="3.11.7", processors=8, git="2.49")
    >>> assess_machine(fine)
    ()
    """
    found = [
        *machine.git_problems,
        *_containment(machine),
        *_limits(machine),
        *_git(machine),
        *(problem for item in machine.file_systems.items() for problem in _storage(*item)),
        *_wrapped(machine),
    ]
    return tuple(sorted(found, key=lambda problem: problem.severity is not Severity.ERROR))


def _warning(code: str, message: str, *, value: str | None = None, hint: str) -> Problem:
    return Problem(code=code, message=message, value=value, hint=hint, severity=Severity.WARNING)


def _containment(machine: Machine) -> Iterator[Problem]:
    if machine.strength is Strength.GROUP:
        yield _warning(
            "weak-containment",
            "unsafe: commands outlive anabranch if it is killed (`SIGKILL`), and daemons of a "
            "command may outlive it until the run ends",
            value=machine.weakness,
            hint="run it on Linux 5.3 or later, with a Python interpreter of its own",
        )


def _limits(machine: Machine) -> Iterator[Problem]:
    if machine.start_seconds is not None and machine.start_seconds > SLOW_START_SECONDS:
        yield _warning(
            "slow-start",
            "slow: every command waits for its process to start",
            value=f"{machine.start_seconds * 1000:.0f} ms each",
            hint="look for what watches every program (a virus scanner, a tracer), or for a slow "
            "disk with the programs on it; fewer, longer commands help too",
        )
    if machine.open_files is not None and machine.open_files < FEW_OPEN_FILES:
        yield _warning(
            "few-open-files",
            "few files can be open at once",
            value=str(machine.open_files),
            hint=f"raise the limit before a run: `ulimit -n {4 * FEW_OPEN_FILES}`",
        )
    if machine.processes is not None and machine.processes < FEW_PROCESSES:
        yield _warning(
            "few-processes",
            "few processes can run at once",
            value=str(machine.processes),
            hint=f"raise the limit (`ulimit -u {8 * FEW_PROCESSES}`), or run fewer agents at once",
        )
    if machine.memory_bytes is not None and machine.memory_bytes < LITTLE_MEMORY:
        yield _warning(
            "little-memory",
            "little memory is available",
            value=_size(machine.memory_bytes),
            hint="run fewer agents at once: `--max-parallel 2`",
        )


def _git(machine: Machine) -> Iterator[Problem]:
    if machine.git and not machine.merges_at_once:
        yield _warning(
            "slow-merges",
            "slow: this git needs a process for every merge",
            value=machine.git,
            hint="install git 2.49 or later, or `stdbuf` of GNU coreutils",
        )
    if machine.unrecycled is not None:
        yield _warning(
            "slow-worktrees",
            "slow: each agent needs a worktree that is made anew",
            value=machine.unrecycled,
            hint="let git look at all that the system says: `git config --unset core.checkStat`",
        )


def _storage(role: str, place: FileSystem) -> Iterator[Problem]:
    where = f"{place.path} ({place.kind or 'unknown type'})"
    if not place.writable:
        yield Problem(
            code="read-only",
            message=f"no run can make its files: the {role} cannot be written to",
            value=where,
            hint="make it writable for you, or work in a clone",
        )
    if place.kind in _NETWORKS:
        yield _warning(
            "network-storage",
            f"slow and unsafe: the {role} on a network file system, where locks may not hold",
            value=where,
            hint="work in a clone on a local disk",
        )
    if place.kind in _IN_MEMORY and role == "repository":
        yield _warning(
            "memory-storage",
            "unsafe: the repository is in memory, and its runs are gone after a restart",
            value=where,
            hint="work in a clone on a disk",
        )
    if place.ignores_case and role == "worktrees":
        yield _warning(
            "case-ignored",
            "file names that differ in case only are one file in worktrees",
            value=where,
            hint="work on a file system that tells them apart if the repository has such names",
        )
    if place.free_bytes < LITTLE_ROOM:
        yield _warning(
            "little-room",
            f"little room is left for the {role}",
            value=f"{_size(place.free_bytes)} in {where}",
            hint="make room: `anabranch worktrees clean` removes what old runs left",
        )
    if place.free_files is not None and place.free_files < FEW_FILES:
        yield _warning(
            "few-files-left",
            f"the file system of the {role} can hold few more files",
            value=f"{place.free_files} in {where}",
            hint="remove files: `anabranch worktrees clean` removes what old runs left",
        )


def _wrapped(machine: Machine) -> Iterator[Problem]:
    for name, path in machine.wrappers.items():
        yield _warning(
            "wrapped-program",
            f"slow: `{name}` is a script that looks for the real one at every start",
            value=path,
            hint=f"put the directory of the real `{name}` first on PATH for a run",
        )


def _size(number: int) -> str:
    return f"{number / (1 << 20):.0f} MiB"
