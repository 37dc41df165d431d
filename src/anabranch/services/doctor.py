"""A look at this machine: the facts that `planning.assess_machine` judges."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

from attrs import evolve
from returns.result import Failure

from anabranch.planning import AGENTS
from anabranch.planning.machine import FileSystem, Machine
from anabranch.services.git import GitRepository, worktrees_within_budget
from anabranch.services.git.choosing import recycling_problem, traits_of
from anabranch.services.git.overlays import overlay_problem
from anabranch.services.git.repository import located
from anabranch.services.git.tree_merges import merge_helper
from anabranch.services.processes import BestContainment
from anabranch.services.processes.cgroups import own_cgroup
from anabranch.values import HostError, Problem

_STARTS: Final = 5
_WRAPPED: Final = ("git", "python3", "node")


def examine(directory: str, environ: Mapping[str, str] | None = None) -> Machine:
    """Look at this machine, as a run in a directory would find it.

    Args:
        directory: a git repository, or any directory.
        environ: what commands would inherit; `None` is this process's environment.

    Raises:
        HostError: the directory is relative to one that somebody has removed.
    """
    directory = located(directory)
    environ = os.environ if environ is None else environ
    opened = GitRepository.open(directory, environ=environ)
    repository = None if isinstance(opened, Failure) else opened.unwrap()
    problems: tuple[Problem, ...] = opened.failure().problems if repository is None else ()
    worktrees: int | None = None
    if repository is not None:
        try:
            worktrees = worktrees_within_budget(repository, "", repository.head()[0])
        except HostError as error:
            problems = error.problems
    places = {
        "repository": directory if repository is None else repository.home,
        **({} if repository is None else {"worktrees": repository.place}),
        "temporary files": tempfile.gettempdir(),
    }
    strength, weakness = BestContainment().strength()
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        processors=_processors(),
        memory_bytes=_fewest(_memory(), _left_in_cgroup("memory")),
        open_files=_limit(resource.RLIMIT_NOFILE),
        processes=_fewest(_limit(resource.RLIMIT_NPROC), _left_in_cgroup("pids")),
        start_seconds=_start_seconds(),
        git="" if repository is None else ".".join(map(str, repository.version)),
        git_problems=problems,
        merges_at_once=repository is None
        or merge_helper(repository.git, repository.version) is not None,
        unrecycled=None if repository is None else recycling_problem(traits_of(repository)),
        unlaid=None if repository is None else overlay_problem(repository.common),
        worktrees=worktrees,
        strength=strength,
        weakness=weakness,
        file_systems={role: file_system(path) for role, path in places.items()}
        | ({} if repository is None else {"repository": _home(repository)}),
        wrappers=_wrappers(environ.get("PATH")),
        agents=tuple(name for name in AGENTS if shutil.which(name, path=environ.get("PATH"))),
    )


def file_system(path: str) -> FileSystem:
    """The file system that a path is on, or would be."""
    there = Path(os.path.realpath(path))
    while not there.exists():
        there = there.parent
    room = os.statvfs(there)
    return FileSystem(
        path=str(there),
        kind=_kind(there),
        free_bytes=room.f_bavail * room.f_frsize,
        free_files=room.f_favail if room.f_files else None,
        ignores_case=_ignores_case(there),
        writable=_writable(there),
    )


def _home(repository: GitRepository) -> FileSystem:
    """Where the user works; files of a run are made in git's directory."""
    return evolve(file_system(repository.home), writable=_writable(repository.common))


def _writable(path: str | Path) -> bool:
    return os.access(path, os.W_OK | os.X_OK)


def _kind(path: Path) -> str:
    """The type of the last file system mounted at or above a path."""
    kinds = {"": ""}
    with suppress(OSError):
        for line in os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).splitlines():
            before, _, after = line.partition(" - ")
            mounted = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4])
            if path.is_relative_to(mounted):
                kinds[mounted] = after.split()[0]
    return kinds[max(kinds, key=len)]


def _ignores_case(path: Path) -> bool:
    swapped = path.with_name(path.name.swapcase()) if path.name else path
    with suppress(OSError):
        return swapped.name != path.name and swapped.samefile(path)
    return False


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _limit(kind: int) -> int | None:
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft


def _fewest(*numbers: int | None) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _left_in_cgroup(controller: str) -> int | None:
    """What the cgroup of this process, or one above it, leaves of something; `None` is no limit."""
    own = own_cgroup()
    places = [] if own is None else [Path(own), *Path(own).parents]
    return _fewest(*(left_in(place, controller) for place in places))


def left_in(cgroup: Path, controller: str) -> int | None:
    """What one cgroup leaves of something: its limit less what is used; `None` is no limit."""
    try:
        limit = (cgroup / f"{controller}.max").read_text().strip()
        used = (cgroup / f"{controller}.current").read_text()
    except OSError:
        return None
    return max(int(limit) - int(used), 0) if limit.isdigit() else None


def _start_seconds() -> float | None:
    """The least of a few starts of the smallest program."""
    program = shutil.which("true")
    if program is None:
        return None
    times: list[float] = []
    with suppress(OSError):
        for _ in range(_STARTS):
            began = perf_counter()
            subprocess.run([program], check=False, stdin=subprocess.DEVNULL)
            times.append(perf_counter() - began)
    return min(times, default=None)


def _wrappers(path: str | None) -> dict[str, str]:
    """Programs on the path that are scripts, such as those of version managers."""
    found: dict[str, str] = {}
    for name in _WRAPPED:
        program = shutil.which(name, path=path)
        if program is not None and _is_script(program):
            found[name] = program
    return found


def _is_script(program: str) -> bool:
    with suppress(OSError), Path(program).open("rb") as file:
        return file.read(2) == b"#!"
    return False
