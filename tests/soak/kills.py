"""Runs that are killed at random moments and resumed, and what must hold of each afterwards.

    python -m tests.soak.kills --moments 200 --agents 64 --signals KILL,TERM,INT --seed 1

Each round begins `anabranch run` in a repository of its own, ends it at a random moment, resumes
it, ends that again, and so on; then lets it come to its end and looks at what there is. SIGKILL
goes to the whole process group, in every other round to all that the run has started as well.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import field, frozen

from anabranch.lifecycle import verify
from anabranch.services.journal import read_segments
from anabranch.testing.repositories import git_repo

SOURCE = str(Path(__file__).parents[2] / "src")

FLOW = """
name: kills
mode: mapreduce
setup:
  - shell: |
      python3 -c 'import json; json.dump([{"id": n} for n in range(AGENTS)], open("items.json", "w"))'
  - shell: echo prepared > prepared && git add prepared
  - shell: git diff --cached --quiet || git commit --quiet --message Prepared
map:
  input: items.json
  max_parallel: 8
  agent_template:
    - shell: mkdir -p made && echo "item ${item.id}" > made/${item.id}
    - shell: git add made && git commit --quiet --message "Item ${item.id}"
      commit_required: true
reduce:
  - shell: ls made | sort -n > SUMMARY && git add SUMMARY
  - shell: git diff --cached --quiet || git commit --quiet --message Summary
"""

MARK = "ANABRANCH_SOAK"

_PATIENCE_SECONDS = 60.0
"""For how long a process that does not end is waited for."""


class Broken(AssertionError):  # noqa: N818 (what it is: a promise)
    """A promise that did not hold."""


@frozen(kw_only=True)
class Round:
    """One run in a repository of its own, from its beginning to its end.

    Attributes:
        place: an empty directory.
        agents: how many items there are.
        seed: of the moments.
        kills: how often it is ended at most before it may come to its end.
        number: the signal; SIGKILL goes to the process group.
        all_of_it: whether SIGKILL goes to everything that was started, too.
        lasts: about how many seconds an undisturbed run takes.
        killed: when it was ended.
        took: the seconds of a run that was at its end before it was ended.
    """

    place: Path
    agents: int
    seed: int
    kills: int
    number: signal.Signals
    all_of_it: bool = False
    lasts: float = 3.0
    killed: list[str] = field(factory=list[str])
    took: list[float] = field(factory=list[float])

    @property
    def repository(self) -> Path:
        """The repository."""
        return self.place / "project"

    @property
    def environ(self) -> dict[str, str]:
        """What anabranch is started with."""
        hidden = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "ANABRANCH"))}
        identity = {
            f"GIT_{who}_{what}": "soak@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        mine = {
            "HOME": str(self.place),
            "PYTHONPATH": SOURCE,
            "NO_COLOR": "1",
            MARK: str(self.place),
        }
        return {**hidden, **identity, **mine}

    def play(self) -> str:
        """Run, end and resume until it is done; the tree of the result.

        Raises:
            Broken: something does not hold.
        """
        git_repo(self.repository, {"README": "hello\n"})
        (self.place / "flow.yml").write_text(FLOW.replace("AGENTS", str(self.agents)))
        chance = random.Random(self.seed)
        for _ in range(self.kills):
            ended = self._ended_at(chance.uniform(0.02, 1.05) * self.lasts)
            if ended:
                break
            if self._run_of() and self._status() == "completed":
                # It was at its end, but had not put everything away.
                self._put_away()
                break
        while not self._run_of() or self._status() != "completed":
            done = self._call(self._next())
            self._require(done.returncode == 0, f"exit {done.returncode}: {done.stderr}")
        self._check()
        return self.git("rev-parse", "HEAD^{tree}")

    # --- running and ending ------------------------------------------------------------------

    def _next(self) -> list[str]:
        run = self._run_of()
        if run is None:
            return ["run", str(self.place / "flow.yml"), "--json"]
        return ["resume", run, "--json"]

    def _put_away(self) -> None:
        """Resume a run that is at its end: all is put away, or nothing was left of it to do."""
        done = self._call(self._next())
        fine = done.returncode == 0 or '"run-ended"' in done.stdout
        self._require(fine, f"exit {done.returncode}: {done.stderr}")

    def _call(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "anabranch", *arguments],
            cwd=self.repository,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def _ended_at(self, moment: float) -> bool:
        """Start what is next and end it at a moment; whether it was at its end before."""
        arguments, began = self._next(), time.monotonic()
        with (self.place / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "anabranch", *arguments],
                cwd=self.repository,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        if process.returncode is not None:
            said = (self.place / "log").read_text()
            self._require(process.returncode == 0, f"exit {process.returncode}: {said}")
            if arguments[0] == "run":
                self.took.append(time.monotonic() - began)
            return True
        self.killed.append(f"{arguments[0]}@{moment:.3f}")
        if self.number is signal.SIGKILL:
            os.killpg(process.pid, signal.SIGKILL)
            if self.all_of_it:
                for pid in self._processes():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            process.wait()
        else:
            process.send_signal(self.number)
            code = process.wait(60)
            said = (self.place / "log").read_text()
            # Before it listens, while Python starts, it dies of a signal and has done nothing but to
            # ask git where it is, which ends by itself.
            early = code == -self.number
            fine = code in (130, 0) or early
            self._require(fine, f"exit {code} after {self.number.name}: {said}")
            left = _ended(self._processes()) if early else self._processes()
            self._require(not left, f"processes outlived an orderly end: {[*map(_called, left)]}")
            if self._run_of() and code and self._status() != "completed":
                self._require(self._status() in ("interrupted", "pending"), f"is {self._status()}")
        return False

    # --- looking -----------------------------------------------------------------------------

    def git(self, *arguments: str) -> str:
        """Call git in the repository."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.repository, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def _runs(self) -> Iterator[Path]:
        """The directories of runs that were created."""
        for journal in sorted(self.repository.glob(".git/anabranch/runs/*/journal.jsonl")):
            if b'"run_created"' in journal.read_bytes():
                yield journal.parent

    def _run_of(self) -> str | None:
        found = [path.name for path in self._runs()]
        self._require(len(found) < 2, f"several runs: {found}")
        return found[0] if found else None

    def _events(self) -> list[dict[str, object]]:
        (directory,) = self._runs()
        lines = (directory / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _status(self) -> str:
        moves = [str(e["to"]) for e in self._events() if e["type"] == "run_moved"]
        return moves[-1] if moves else "pending"

    def _processes(self) -> list[int]:
        mark = f"{MARK}={self.place}".encode()
        return [pid for pid in _living() if mark in _environment(pid)]

    def _check(self) -> None:
        merged = Counter(
            filter(
                None,
                self.git(
                    "log", "--format=%(trailers:key=Anabranch-Agent,valueonly,separator=%x2C)"
                ).splitlines(),
            )
        )
        expected = Counter({f"agent-{n}": 1 for n in range(self.agents)})
        self._require(
            merged == expected, f"merged otherwise: {merged - expected} {expected - merged}"
        )
        (directory,) = self._runs()
        found = verify(read_segments(directory).events)
        self._require(not found, "\n".join(map(str, found)))
        fsck = subprocess.run(
            ["git", "fsck", "--strict", "--no-dangling"],
            cwd=self.repository,
            capture_output=True,
            text=True,
            check=False,
        )
        self._require(fsck.returncode == 0 and not fsck.stdout, f"fsck: {fsck.stdout}{fsck.stderr}")
        self._require(
            self.git("worktree", "list", "--porcelain").count("worktree ") == 1,
            "a worktree is left",
        )
        branches = self.git("branch", "--format=%(refname:short)").split()
        self._require(branches == ["main"], f"branches are left: {branches}")
        self._require(not self.git("status", "--porcelain"), "the checkout is not clean")
        trees = self.place / "project.anabranch"
        self._require(
            not trees.exists(), f"left: {list(trees.rglob('*'))[:5] if trees.exists() else ''}"
        )
        locks = [
            str(p)
            for p in (self.repository / ".git").rglob("*.lock")
            if directory in p.parents or "runs" not in p.parts
        ]
        locks += [str(directory / "owner")] * (directory / "owner").exists()
        self._require(not locks, f"locks are left: {locks}")
        left = _ended(self._processes())
        self._require(not left, f"processes are left: {left}")

    def _require(self, holds: bool, told: str) -> None:
        if not holds:
            raise Broken(
                f"seed {self.seed}, {self.number.name}, all={self.all_of_it}, {self.killed}: {told}"
            )


def _living() -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        if process.name != str(os.getpid()):
            with suppress(OSError):
                state = (process / "stat").read_bytes().rpartition(b")")[2].split()[0]
                if state not in b"ZXx":
                    yield int(process.name)


def _ended(pids: Sequence[int]) -> list[int]:
    """Wait for the end of processes that are on their way out; those that are not."""
    return [pid for pid in pids if not _has_ended(pid)]


def _called(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return f"process {pid}"


def _has_ended(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process, "rb") as opened:
        return bool(select.select([opened], [], [], _PATIENCE_SECONDS)[0])


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []


def undisturbed(place: Path, agents: int) -> tuple[str, float]:
    """The tree of a run that nobody disturbs, and how many seconds it took."""
    began = time.monotonic()
    tree = Round(place=place, agents=agents, seed=0, kills=0, number=signal.SIGKILL).play()
    return tree, time.monotonic() - began


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _told(moments: Counter[str], runs: int, broken: int, began: float) -> str:
    each = ", ".join(f"{count} {name}" for name, count in sorted(moments.items()))
    return f"{each}; {runs} runs, {broken} broken, {time.monotonic() - began:.0f} s"


def main() -> int:
    """Play rounds until there were enough moments; tell what did not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--agents", type=int, default=64)
    parser.add_argument("--kills", type=int, default=5, help="at most so many in one run")
    parser.add_argument("--signals", default="KILL,KILL,TERM,INT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", action="store_true", help="keep repositories in which something broke"
    )
    given = parser.parse_args()
    numbers = [signal.Signals[f"SIG{name}"] for name in given.signals.split(",")]
    top, began = Path(tempfile.mkdtemp(prefix="anabranch-kills-")), time.monotonic()
    tree, lasts = undisturbed(top / "undisturbed", given.agents)
    _say(f"undisturbed: {lasts:.2f} s, tree {tree[:12]}")
    moments, broken, number = Counter[str](), 0, 0
    while moments.total() < given.moments:
        number += 1
        seed = given.seed * 100_000 + number
        a_round = Round(
            place=top / str(number),
            agents=given.agents,
            seed=seed,
            kills=given.kills,
            number=numbers[number % len(numbers)],
            all_of_it=number % 8 > 3,
            lasts=lasts,
        )
        try:
            found = a_round.play()
            if found != tree:
                raise Broken(f"seed {seed}: another tree: {found}")
            shutil.rmtree(a_round.place)
        except (Broken, subprocess.SubprocessError, OSError) as error:
            broken += 1
            _say(f"BROKEN {a_round.place if given.keep else ''} {error}")
        moments[a_round.number.name] += len(a_round.killed)
        # The machine is faster or slower than it was: the moments follow.
        lasts = sum((lasts, *a_round.took)) / (1 + len(a_round.took))
        if number % 10 == 0:
            _say(_told(moments, number, broken, began))
    _say(_told(moments, number, broken, began))
    if not (broken and given.keep):
        shutil.rmtree(top)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
