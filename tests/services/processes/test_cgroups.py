from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from anabranch.environment import Invocation
from anabranch.planning import Strength
from anabranch.services.processes import BestContainment, LocalCommands
from anabranch.services.processes.cgroups import locate, own_cgroup
from anabranch.services.processes.warden import sweep_cgroups
from tests.services.processes.survivors import alive, all_dead, family, whole_family

MOUNTED = "36 35 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "expected"),
    [
        ("0::/user.slice/me\n", MOUNTED, "/sys/fs/cgroup/user.slice/me"),
        ("5:cpu:/x\n0::/\n", MOUNTED, "/sys/fs/cgroup"),
        ("5:cpu:/x\n", MOUNTED, None),
        ("0::/\n", MOUNTED.replace("cgroup2", "cgroup"), None),
        ("0::/../outside\n", MOUNTED, None),
        ("0::/box/a\n", MOUNTED.replace(" / ", " /box "), "/sys/fs/cgroup/a"),
        ("0::/elsewhere\n", MOUNTED.replace(" / ", " /box "), None),
        ("", "", None),
    ],
)
def test_a_cgroup_is_located_where_version_2_is_mounted(
    cgroup: str, mountinfo: str, expected: str | None
) -> None:
    assert expected == locate(cgroup, mountinfo)


needs_cgroups = pytest.mark.skipif(
    BestContainment().strength()[0] is not Strength.CGROUP,
    reason="this machine lets nobody make a cgroup",
)


@needs_cgroups
@pytest.mark.anyio
async def test_a_command_stands_in_a_cgroup_of_its_own_which_is_gone_after_the_run(
    tmp_path: Path,
) -> None:
    show = Invocation(argv=("grep", "^0::", "/proc/self/cgroup"), cwd=str(tmp_path))
    async with LocalCommands() as runner:
        texts = {(await runner.run(show)).unwrap().stdout.text for _ in range(3)}
    assert 1 == len(texts)
    stood_in = re.search("/(anabranch-[^/]+)", texts.pop())
    assert stood_in is not None
    assert not await anyio.Path(str(own_cgroup()), stood_in[1]).exists()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A cgroup that has nothing to do with any command."""
    path = Path(str(own_cgroup()), f"elsewhere-{os.getpid()}")
    path.mkdir()
    yield path
    path.rmdir()


@needs_cgroups
@pytest.mark.anyio
async def test_what_left_the_cgroup_of_its_command_is_ended_all_the_same(
    tmp_path: Path, elsewhere: Path
) -> None:
    with family(tmp_path) as (command, mark):
        leave = f'(echo 0 >{elsewhere}/cgroup.procs && exec setsid "$@") & wait'
        leaving = evolve(
            command,
            argv=("sh", "-c", leave, "sh", *command.argv),
            timeout=timedelta(seconds=0.7),
            grace=timedelta(seconds=0.05),
        )
        async with LocalCommands() as runner:
            error = (await runner.run(leaving)).failure()
        assert error.output is not None
        assert b"ready\n" == error.output.stdout.head
        assert set() == alive(mark)


@needs_cgroups
def test_what_keepers_left_that_were_killed_with_all_their_wardens_is_swept(
    tmp_path: Path,
) -> None:
    orphaned = Path(str(own_cgroup()), "anabranch-1-0")
    (orphaned / "1").mkdir(parents=True)
    with family(tmp_path) as (command, mark):
        enter = f'echo $$ >{orphaned}/1/cgroup.procs && exec "$@"'
        argv = ["sh", "-c", enter, "sh", *command.argv]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        pids = whole_family(mark)
        sweep_cgroups(str(own_cgroup()))
        assert all_dead(pids)
        process.wait()
    limit = time.monotonic() + 30
    while orphaned.exists() and time.monotonic() < limit:
        sweep_cgroups(str(own_cgroup()))
    assert not orphaned.exists()
