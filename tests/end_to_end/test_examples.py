"""The example that is a project of its own, as its user has it: with the wheel, and nothing else of us."""

from __future__ import annotations

import ensurepip
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PIP: Final = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert code == done.returncode, done.stdout + done.stderr
    return done.stdout


def install(wheel: Path, above: Path) -> Path:
    """A new environment with the wheel and what it depends on; its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", above / "venv", cwd=above)
    python = above / "venv" / "bin" / "python"
    run(python, PIP[-1] / "pip", "install", "--no-index", "--no-deps", wheel, cwd=above)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=above)
    # What the wheel depends on is here already; the tree that it was built from is not on the path.
    Path(site.strip(), "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.mark.skipif(not PIP, reason="this Python came without pip")
def test_a_project_of_its_own_finds_its_race_with_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=ROOT)
    python = install(next(tmp_path.glob("*.whl")), tmp_path)
    project = tmp_path / "race"
    shutil.copytree(ROOT / "examples" / "race", project, ignore=shutil.ignore_patterns("_*"))
    where = run(python, "-c", "import anabranch; print(anabranch.__file__)", cwd=project)
    assert (tmp_path / "venv") in Path(where.strip()).parents
    told = run(python, "-m", "pytest", "-p", "no:asyncio", cwd=project, code=1)
    assert "1 failed, 1 passed" in told
    for line in console_of(project / "README.md"):
        assert line in told, line


def console_of(page: Path) -> list[str]:
    """What a README shows of the output of pytest."""
    shown = page.read_text().partition("```text\n")[2].partition("```")[0]
    return [line.strip() for line in shown.splitlines() if line.strip()]
