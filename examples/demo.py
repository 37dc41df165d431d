"""The main job on real input: tidy modules of this Python's standard library, one agent each.

It puts them under git in `.demo/`, runs `tidy-modules.yml` there, and leaves the result on the
branch to look at. Every run begins anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent / ".demo" / "repository"
MODULES = 40


def make_repository() -> None:
    """Put the first modules of the standard library under git, as one commit."""
    library = Path(sysconfig.get_path("stdlib"))
    shutil.rmtree(REPOSITORY.parent, ignore_errors=True)
    (REPOSITORY / "library").mkdir(parents=True)
    for module in sorted(library.glob("[a-z]*.py"))[:MODULES]:
        shutil.copyfile(module, REPOSITORY / "library" / module.name)
    (REPOSITORY / ".gitignore").write_text("__pycache__/\n")
    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.name", "Demo")
    git("config", "user.email", "demo@example.org")
    git("add", ".")
    git("commit", "--quiet", "--message", "Modules as the standard library has them")


def git(*arguments: str) -> None:
    """Run git in the demo's repository."""
    subprocess.run(["git", "-C", str(REPOSITORY), *arguments], check=True)


def run_workflow() -> int:
    """Run the workflow with the tools of this virtual environment; give back its exit code."""
    tools = Path(sys.executable).parent
    search = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
    command = [str(tools / "anabranch"), "run", str(HERE / "tidy-modules.yml")]
    return subprocess.run(
        [*command, "--repo", str(REPOSITORY)], check=False, env=os.environ | {"PATH": search}
    ).returncode


if __name__ == "__main__":
    make_repository()
    sys.exit(run_workflow())
