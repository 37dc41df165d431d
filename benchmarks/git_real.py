"""A real run in a repository that is not ours: the source archive of a project, imported.

    python -m benchmarks.git_real ARCHIVE... [--agents N] [--at-once N]

Get archives with `pip download --no-binary :all: --no-deps sympy`. Each is imported under git as
it is. A workflow gives each of its largest Python files to an agent, which compiles the file,
appends a line, and commits; half of them also change a file that all share, so that some meet a
conflict. What the run delivers is compared with what the agents did, and nothing may be left over.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from anabranch.services.git import GitRepository, find_worktrees
from anabranch.testing.repositories import ScratchRepository

FLOW = """
name: real
mode: mapreduce
setup:
  - shell: |
      git ls-files -z '*.py' | xargs -0 ls -S | head -n AGENTS |
        python3 -c 'import json, sys; print(json.dumps(sys.stdin.read().splitlines()))' >.items.json
map:
  input: .items.json
  max_parallel: AT_ONCE
  agent_template:
    - shell: python3 -m py_compile ${item} && echo '# seen' >>${item}
    - shell: |
        test $((${agent.id} % 10)) != 9 || echo ${agent.id} >SHARED
        git add --all ':!.items.json' ':!*.pyc' && git commit --quiet --message "See ${item}"
reduce:
  - shell: git log --oneline --merges | wc -l >MERGED; git add MERGED; git commit --quiet -m Sum
"""


def imported(archive: Path, above: Path) -> ScratchRepository:
    """The archive as a repository with one commit."""
    shutil.unpack_archive(archive, above, filter="data")
    (top,) = (path for path in above.iterdir() if path.is_dir())
    repo = ScratchRepository(path=top)
    repo.git("init", "--quiet", "--template=")
    repo.write({".gitignore": "__pycache__/\n"})
    repo.git("add", "--all", "--force")
    repo.commit()
    return repo


def run(repo: ScratchRepository, agents: int, at_once: int) -> dict[str, Any]:
    """What `anabranch run --json` says."""
    flow = repo.path.parent / "real.yml"
    flow.write_text(FLOW.replace("AGENTS", str(agents)).replace("AT_ONCE", str(at_once)))
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [sys.executable, "-m", "anabranch", "run", str(flow), "--json"],
        cwd=repo.path,
        env={**hidden, **repo.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        stdout=subprocess.PIPE,
        check=False,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def tell(archive: Path, agents: int, at_once: int) -> None:
    """Import an archive, run in it, and look at what came of it."""
    with tempfile.TemporaryDirectory() as above:
        repo = imported(archive, Path(above, "source"))
        before = repo.files()
        began = time.perf_counter()
        said = run(repo, agents, at_once)
        seconds = time.perf_counter() - began
        after = repo.files()
        changed = {path for path in after if before.get(path) != after[path]}
        seen = {path for path in changed if path.endswith(".py")}
        assert all(after[path] == before[path] + b"# seen\n" for path in seen)
        assert len(seen) == said["merged"], (len(seen), said["merged"])
        assert before.keys() - after.keys() == set()
        assert changed - seen <= {"SHARED", "MERGED"}, changed - seen
        repo.git("fsck", "--no-dangling")
        opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
        assert find_worktrees(opened) == ()
        conflicts = sum("conflict" in failure["message"] for failure in said["failed"])
        print(
            f"{archive.name}: {len(before)} files, {agents} agents, {at_once} at once: "
            f"{seconds:.1f} s, {said['merged']} merged, {conflicts} conflicts, nothing left over"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--agents", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=16)
    given = parser.parse_args()
    for archive in given.archives:
        tell(archive, given.agents, given.at_once)


if __name__ == "__main__":
    main()
