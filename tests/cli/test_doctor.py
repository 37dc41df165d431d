from __future__ import annotations

import pytest
from attrs import evolve

from anabranch.planning import FileSystem, Machine, Strength
from anabranch.services import doctor
from anabranch.values import Problem
from tests.cli.terminal import Terminal

DISK = FileSystem(path="/home/ada", kind="ext4", free_bytes=50 << 30, free_files=10**7)
MACHINE = Machine(
    system="Linux 6.1.0",
    python="3.11.7",
    processors=8,
    memory_bytes=16 << 30,
    open_files=1024,
    git="2.49.0",
    file_systems={"repository": DISK, "worktrees": DISK, "temporary files": DISK},
    agents=("claude",),
)
WEAK = evolve(
    MACHINE,
    git="",
    git_problems=(
        Problem(code="git-missing", message="git is not installed", hint="install git 2.38"),
    ),
    memory_bytes=None,
    open_files=256,
    strength=Strength.GROUP,
    weakness="no child subreaper",
    file_systems={"repository": evolve(DISK, kind="nfs4", free_bytes=1 << 20)},
    agents=(),
)
SLOW = evolve(
    MACHINE,
    unrecycled="core.checkStat=minimal hides some changes of files",
    unlaid="Operation not permitted",
    worktrees=6,
    file_systems={"repository": evolve(DISK, writable=False)},
)


@pytest.mark.parametrize(
    ("name", "machine", "code"), [("good", MACHINE, 0), ("weak", WEAK, 3), ("slow", SLOW, 3)]
)
def test_the_machine_is_described_and_judged(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, machine: Machine, code: int
) -> None:
    def examine(_: str) -> Machine:
        return machine

    monkeypatch.setattr(doctor, "examine", examine)
    assert [code, code] == [terminal.type("anabranch doctor" + more) for more in ("", " --json")]
    terminal.matches(f"doctor-{name}")
