"""A machine that does not do its part: a clear message, nothing overwritten, and a way to go on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo
from tests.end_to_end.test_runs import anabranch, left_over

FLOW = """
name: full
mode: mapreduce
setup:
  - echo '[1, 2, 3, 4]' > items.json
  - test -e ROOM || dd if=/dev/zero of=FILLER bs=64k 2>&1 || true
map:
  input: items.json
  json_path: $[*]
  agent_template:
    - shell: echo ${item} > f${item}; git add f${item}; git commit --quiet --message "Item ${item}"
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, where that is permitted."""
    top = tmp_path / "disk"
    top.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(top)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield top
    subprocess.run(["umount", "--lazy", str(top)], check=True)


def workflow(repository: ScratchRepository) -> str:
    top = repository.path.parent
    file = top / "full.yml"
    file.write_text(FLOW.replace("ROOM", f"{top}/room").replace("FILLER", f"{top}/filler"))
    return str(file)


def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(small_disk: Path) -> None:
    repository = git_repo(small_disk / "project")
    stopped = anabranch(repository, "run", workflow(repository))
    assert 3 == stopped.returncode, stopped.stderr
    assert "No space left on device" in stopped.stderr
    assert "make room, then `anabranch resume`" in stopped.stderr
    assert "next: anabranch resume" in stopped.stderr
    (small_disk / "filler").unlink()
    (small_disk / "room").touch()
    resumed = anabranch(repository, "resume")
    assert (0, []) == (resumed.returncode, left_over(repository)), resumed.stderr
    assert {"f1", "f2", "f3", "f4"} <= set(repository.files())


def test_a_state_directory_that_is_read_only_is_told_and_nothing_is_touched(
    small_disk: Path, tmp_path: Path
) -> None:
    repository = git_repo(tmp_path / "project")
    state = repository.path / ".git" / "anabranch"
    state.mkdir()
    subprocess.run(["mount", "--bind", str(small_disk), str(state)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(state)], check=True)
    try:
        refused = anabranch(repository, "run", workflow(repository))
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=True)
    assert 3 == refused.returncode, refused.stderr
    assert "Read-only file system" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [] == left_over(repository)


def test_a_journal_that_is_damaged_in_the_middle_is_refused_with_its_place(tmp_path: Path) -> None:
    repository = git_repo(tmp_path / "project")
    (tmp_path / "room").touch()
    assert 0 == anabranch(repository, "run", workflow(repository)).returncode
    (journal,) = repository.path.glob(".git/anabranch/runs/*/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[9] = lines[9].replace(b"2", b"3", 1)
    damaged = b"".join(lines)
    journal.write_bytes(damaged)
    for command in (
        ["events"],
        ["resume", journal.parent.name],
        ["dlq", "retry", journal.parent.name],
    ):
        told = anabranch(repository, *command)
        assert 3 == told.returncode, told.stderr
        assert f"{journal}:10" in told.stderr
        assert "nothing was changed" in told.stderr
    assert damaged == journal.read_bytes()
