"""A whole run against a script: 100 agents at 8 at once, 300 files, every tenth agent fails.

    python -m benchmarks.whole_run [AGENTS] [AT_ONCE] [FILES]

Both do the same work: a worktree and a branch for each agent, one command that writes a file and
commits it, a merge of what succeeded, the removal of everything. The script is bash under
`xargs -P` with a lock around the commands of git that share metadata, as it must. `anabranch run`
is started as its users start it, so its figures include the start of Python, the journal on disk
(with fsync) and the ending of process trees. CPU is that of all processes. Set `TMPDIR` to choose
the file system: ext4 without a journal is slow at making files after others were deleted.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from anabranch.testing.repositories import ScratchRepository, git_repo

SCRIPT = r"""
export N=$1
tree=$TREES/agent-$N
cd "$REPO"
flock "$TREES/lock" git worktree add -q -b "agent-$N" "$tree" main || exit 1
cd "$tree"
sh -c 'test $((N % 10)) -ne 3 && echo $N > made-$N && git add made-$N && git commit -q -m "Item $N"'
ended=$?
cd "$REPO"
[ $ended -ne 0 ] || flock "$TREES/lock" git -C "$TREES/target" merge -q --no-ff -m "merge $N" "agent-$N"
flock "$TREES/lock" git worktree remove --force "$tree"
flock "$TREES/lock" git branch -q -D "agent-$N"
"""

WORKFLOW = """
name: whole-run
mode: mapreduce
map:
  input: items.json
  json_path: $[*]
  max_parallel: AT_ONCE
  agent_template:
    - shell: |
        N=${item.id}
        test $((N % 10)) -ne 3 && echo $N > made-$N && git add made-$N && git commit -q -m "Item $N"
"""


def prepared(place: Path, agents: int, files: int) -> ScratchRepository:
    items = json.dumps([{"id": number} for number in range(agents)])
    contents = {f"src/file-{number}.txt": f"{number}\n" * 20 for number in range(files)}
    return git_repo(place, {**contents, "items.json": items})


def cost(command: list[str], directory: Path, environ: dict[str, str]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds of all processes, exit code."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used, done.returncode


def merged(repository: ScratchRepository, revision: str) -> int:
    return sum(name.startswith("made-") for name in repository.files(revision))


def by_script(place: Path, agents: int, at_once: int, files: int) -> tuple[float, float, int]:
    repository = prepared(place / "bash", agents, files)
    trees = place / "trees"
    trees.mkdir()
    repository.git("worktree", "add", "-q", "-b", "target", trees / "target")
    environ = {
        **os.environ,
        **repository.environ,
        "TREES": str(trees),
        "REPO": str(repository.path),
    }
    numbers = " ".join(map(str, range(agents)))
    line = f"printf '%s\\n' {numbers} | xargs -P {at_once} -n 1 bash -c \"$SCRIPT\" script"
    wall, cpu, _ = cost(["bash", "-c", line], repository.path, {**environ, "SCRIPT": SCRIPT})
    return wall, cpu, merged(repository, "target")


def by_anabranch(place: Path, agents: int, at_once: int, files: int) -> tuple[float, float, int]:
    repository = prepared(place / "anabranch", agents, files)
    file = place / "whole-run.yml"
    file.write_text(WORKFLOW.replace("AT_ONCE", str(at_once)))
    source = str(Path(__file__).parents[1] / "src")
    environ = {**os.environ, **repository.environ, "PYTHONPATH": source}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "anabranch", "run", str(file)]
    wall, cpu, code = cost(command, repository.path, environ)
    if code != 1:
        raise AssertionError(f"exit code {code}")
    return wall, cpu, merged(repository, "HEAD")


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    agents, at_once, files = [*given, *(100, 8, 300)[len(given) :]]
    print(f"{agents} agents, {at_once} at once, {files} files; ms an agent")
    rows: dict[str, tuple[float, float, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(3):
            for name, measure in (("bash", by_script), ("anabranch run", by_anabranch)):
                place = Path(scratch, f"{name.split()[0]}-{turn}")
                place.mkdir()
                found = measure(place, agents, at_once, files)
                rows[name] = min(rows.get(name, found), found)
    for name, (wall, cpu, count) in rows.items():
        ratio = cpu / rows["bash"][1], wall / rows["bash"][0]
        print(
            f"{name:14} wall {wall / agents * 1000:6.1f} (x{ratio[1]:.2f})"
            f"  cpu {cpu / agents * 1000:6.1f} (x{ratio[0]:.2f})  merged {count}"
        )


if __name__ == "__main__":
    main()
