from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from anabranch.services.git.scrubbing import AdminRecord

FILES = {"commondir": "../..\n", "logs/HEAD": "made\n", "logs/deep/note": "1\n", "index": "I"}


@pytest.fixture
def admin(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        file = tmp_path / "admin" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "admin"


def contents(admin: Path) -> dict[str, str]:
    found = (path for path in admin.rglob("*") if path.is_file())
    return {str(p.relative_to(admin)): p.read_text() for p in found if "index" not in p.name}


def into_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def into_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def into_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("a file")


def cut_log(admin: Path) -> None:
    os.truncate(admin / "logs" / "HEAD", 2)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda admin: (admin / "COMMIT_EDITMSG").write_text("work"),
    "a new directory": lambda admin: (admin / "rebase-merge").mkdir(),
    "a new directory in a directory": lambda admin: (admin / "logs" / "refs").mkdir(),
    "more in a file": lambda admin: (admin / "logs" / "HEAD").write_text("made\nmore\n"),
    "less in a file": cut_log,
    "a missing file": lambda admin: (admin / "commondir").unlink(),
    "a missing directory": lambda admin: shutil.rmtree(admin / "logs"),
    "a directory for a file": lambda admin: into_directory(admin / "commondir"),
    "a link for a file": lambda admin: into_link(admin / "commondir"),
    "a file for a directory": lambda admin: into_file(admin / "logs"),
    "a link for a directory": lambda admin: into_link(admin / "logs" / "deep"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_git_s_directory_for_a_slot_comes_back_whatever_became_of_it(
    admin: Path, change: Callable[[Path], object]
) -> None:
    before = contents(admin)
    record = AdminRecord.of(str(admin))
    change(admin)
    record.restore(str(admin))
    assert before == contents(admin)
    assert not any(path.is_symlink() for path in admin.rglob("*"))
    assert ["deep"] == [path.name for path in (admin / "logs").iterdir() if path.is_dir()]


def test_the_index_comes_back_as_it_was(admin: Path) -> None:
    record = AdminRecord.of(str(admin))
    (admin / "index").write_text("another, and longer")
    record.restore(str(admin))
    assert "I" == (admin / "index").read_text()
