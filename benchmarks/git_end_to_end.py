"""What one agent costs from its worktree to its merge: a bash script, the floor, and anabranch.

    python -m benchmarks.git_end_to_end [AGENTS] [AT_ONCE] [FILES | ARCHIVE]

Each agent gets a worktree on a branch of its own, writes one file, adds and commits it, is
merged, and its worktree and branch are removed. Ours also keeps a journal on disk, with the events
of a run, and waits for it where a run does. The bash script does so with git's own commands
under `xargs -P`, with a lock around those that touch what worktrees share, as it must. The floor
is the least that slots and merges in memory cost (`_slots.py`). The agent's own work is that and
nothing else, in worktrees that are there already.

The repository has so many small files, or is the source archive of a project, imported.

CPU is that of all processes, and the figure to trust on a busy machine. Set `TMPDIR` to choose
the file system.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
from attrs import frozen

from anabranch.environment import Invocation, MergeRequest, Oid, WorktreeRequest
from anabranch.lifecycle import (
    CommandEnded,
    CommandStarted,
    Declared,
    Merged,
    MergeStarted,
    Moved,
    Payload,
    RunCreated,
    SubjectKind,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.services.git import GitRepository, GitRun, git_run
from anabranch.services.journal import FileJournal, open_journal
from anabranch.services.processes import GroupContainment, LocalCommands
from anabranch.testing.repositories import ScratchRepository, git_repo
from anabranch.values import StepStatus
from benchmarks._slots import by_hand
from benchmarks.git_real import imported

WORK = 'printf %s "$N" >"file-$N" && git add "file-$N" && git commit -q -m "work $N"'

BASELINE = r"""
set -eu
export N=$1
tree=$TREES/agent-$N
cd "$REPO"
flock "$TREES/lock" git worktree add -q -b "agent-$N" "$tree" main
cd "$tree"
{work}
cd "$REPO"
flock "$TREES/lock" git -C "$TREES/target" merge -q --no-ff -m "merge $N" "agent-$N"
flock "$TREES/lock" git worktree remove --force "$tree"
flock "$TREES/lock" git branch -q -D "agent-$N"
"""

OWN_WORK = r"""
set -eu
export N=$1
cd "$TREES/own-$SLOT"
{work}
"""


@frozen
class Cost:
    wall: float
    cpu: float

    def per(self, agents: int) -> str:
        return f"{self.wall / agents * 1e3:8.2f} {self.cpu / agents * 1e3:8.2f}"


def cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in used)


def measured(action: Callable[[], object]) -> Cost:
    wall, used = time.perf_counter(), cpu()
    action()
    return Cost(time.perf_counter() - wall, cpu() - used)


def xargs(repo: ScratchRepository, trees: Path, script: str, agents: int, at_once: int) -> None:
    subprocess.run(
        [
            "xargs",
            "-P",
            str(at_once),
            "-n",
            "1",
            "--process-slot-var=SLOT",
            "bash",
            "-c",
            script.replace("{work}", WORK),
            "agent",
        ],
        cwd=repo.path,
        env={**repo.environ, "REPO": str(repo.path), "TREES": str(trees)},
        input="\n".join(map(str, range(agents))).encode(),
        check=True,
    )


def by_bash(repo: ScratchRepository, trees: Path, agents: int, at_once: int) -> Cost:
    repo.git("worktree", "add", "--quiet", "-b", "target", trees / "target")
    return measured(lambda: xargs(repo, trees, BASELINE, agents, at_once))


def own_work(repo: ScratchRepository, trees: Path, agents: int, at_once: int) -> Cost:
    with slots(repo, trees, "own", at_once):
        return measured(lambda: xargs(repo, trees, OWN_WORK, agents, at_once))


def floor(repo: ScratchRepository, trees: Path, agents: int, at_once: int) -> Cost:
    repo.git("branch", "floor")
    environ = {**os.environ, **repo.environ}
    with slots(repo, trees, "floor", at_once) as made:
        return measured(lambda: by_hand(repo.path, environ, made, work=WORK, agents=agents))


@contextmanager
def slots(repo: ScratchRepository, trees: Path, name: str, at_once: int) -> Generator[list[Path]]:
    """Worktrees, taken away at the end: git is the slower the more there are."""
    with ExitStack() as made:
        paths = [trees / f"{name}-{number}" for number in range(at_once)]
        for path in paths:
            repo.git("worktree", "add", "--quiet", "--detach", path)
            made.callback(repo.git, "worktree", "remove", "--force", path)
        yield paths


def by_anabranch(repo: ScratchRepository, agents: int, at_once: int) -> Cost:
    repository = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    environ = repository.command_environment(repo.environ)
    # Under the containment of this machine's best kind, another process reaps the agents' own
    # processes, and their CPU would be missing from the sum.
    commands = LocalCommands(environ=environ, containment=GroupContainment())

    async def agent(git: GitRun, journal: FileJournal, number: int, base: Oid) -> None:
        name = f"agent-{number}"
        step = f"{name}/step[0]"
        branch = f"anabranch/bench/{name}"

        async def tell(*payloads: Payload) -> None:
            (await journal.append(*payloads)).unwrap()

        await tell(*_started(name))
        request = WorktreeRequest(
            name=name, parent="anabranch/bench/result", base=base, branch=branch
        )
        tree = (await git.worktrees.create(request)).unwrap()
        await tell(
            WorktreeCreated(subject=name, path=tree.path, base=base, branch=branch),
            Declared(subject=step, label=WORK, phase="map", parent=name),
            *_started(step),
            CommandStarted(subject=step, command=WORK),
        )
        argv = ("bash", "-c", WORK)
        invocation = Invocation(argv=argv, cwd=tree.path, env={"N": str(number)})
        output = (await commands.run(invocation)).unwrap()
        assert output.exit_code == 0, output
        await tell(
            CommandEnded(subject=step, exit_code=output.exit_code),
            Moved(subject=step, to=StepStatus.VALIDATING),
            Moved(subject=step, to=StepStatus.COMPLETED),
            Moved(subject=name, to=StepStatus.VALIDATING),
        )
        changes = (await git.worktrees.committed(tree)).unwrap()
        (await git.worktrees.remove(tree)).unwrap()
        await tell(
            WorktreeRemoved(subject=name, path=tree.path),
            MergeStarted(subject=name, source=changes.head, target="anabranch/bench/result"),
        )
        merge = MergeRequest(
            target="anabranch/bench/result",
            source=changes.head,
            base=base,
            message=f"Merge {name}",
            trailers=(("Anabranch-Agent", name),),
            drops=branch,
        )
        done = (await git.merges.merge(merge)).unwrap()
        assert done.dropped
        await tell(
            Merged(subject=name, target=done.target, before=done.before, commit=done.commit),
            Moved(subject=name, to=StepStatus.COMPLETED),
        )

    async def main() -> None:
        numbers = iter(range(agents))
        place = Path(repository.state, "runs", "bench")
        kept = open_journal(place, now=lambda: datetime.now(UTC))
        async with git_run(repository, "bench") as git, kept as journal:
            base = (await git.merges.start("anabranch/bench/result")).unwrap()
            created = RunCreated(run="bench", workflow="bench", digest="")
            declared = (_agent(f"agent-{number}") for number in range(agents))
            (await journal.append(created, *declared)).unwrap()

            async def worker() -> None:
                for number in numbers:
                    await agent(git, journal, number, base)

            async with anyio.create_task_group() as group:
                for _ in range(at_once):
                    group.start_soon(worker)

    return measured(lambda: anyio.run(main))


def _agent(name: str) -> Declared:
    return Declared(subject=name, kind=SubjectKind.AGENT, phase="map", merges=True)


def _started(subject: str) -> tuple[Moved, ...]:
    return (
        Moved(subject=subject, to=StepStatus.QUEUED),
        Moved(subject=subject, to=StepStatus.RUNNING, attempt=1, worker="w"),
    )


def repository_of(above: Path, what: str) -> ScratchRepository:
    if not what.isdecimal():
        return imported(Path(what), above / "source")
    lines = "".join(f"line {n}\n" for n in range(200))
    names = [f"package{n % 40}/module{n}.py" for n in range(int(what))]
    return git_repo(above / "repo", {name: f"{name}\n{lines}" for name in names})


def main(given_agents: str = "200", given_at_once: str = "16", what: str = "2") -> None:
    agents, at_once = int(given_agents), int(given_at_once)
    with tempfile.TemporaryDirectory() as above:
        repo = repository_of(Path(above), what)
        files = len(repo.files())
        trees = Path(above, "trees")
        trees.mkdir()
        few = agents if files < 500 else max(at_once, agents // 5)
        own = own_work(repo, trees, agents, at_once)
        least = floor(repo, trees, agents, at_once)
        ours = by_anabranch(repo, agents, at_once)
        bash = by_bash(repo, trees, few, at_once)
        merged = {f"file-{n}" for n in range(agents)}
        assert merged < set(repo.files("anabranch/bench/result"))
        assert merged < set(repo.files("floor"))
        print(f"{files} files, {agents} agents, {at_once} at once, load {os.getloadavg()[0]:.1f}")
        print("                     wall ms   CPU ms   an agent")
        print(f"the agent's own    {own.per(agents)}")
        print(f"floor              {least.per(agents)}")
        print(f"anabranch          {ours.per(agents)}")
        print(f"bash with a lock   {bash.per(few)}   ({few} agents)")
        wall, used = bash.wall / few * agents, bash.cpu / few * agents
        print(f"anabranch / bash   {ours.wall / wall:8.2f} {ours.cpu / used:8.2f}")
        print(f"anabranch / floor  {ours.wall / least.wall:8.2f} {ours.cpu / least.cpu:8.2f}")
        print(f"anabranch / own    {ours.wall / own.wall:8.2f} {ours.cpu / own.cpu:8.2f}")


if __name__ == "__main__":
    assert "GIT_DIR" not in os.environ
    main(*sys.argv[1:])
