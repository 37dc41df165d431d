"""The floor: the least that slots and merges in memory cost, written by hand and for nothing else.

A slot is a worktree that is made once. After each agent its files are compared with what they
were by `lstat`, what is new is deleted, and `HEAD` and the index are put back. Commits are merged
by one `git merge-tree --stdin`, merge commits written as loose objects, and the branch moved by one
`git update-ref --stdin`. Nothing is locked, checked, recorded, contained or made durable: it is a
bound to compare with, not a way to work.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO

Stamps = dict[str, tuple[int, int, int]]


def stamps(top: str) -> Stamps:
    found: Stamps = {}
    pending = [top]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    seen = entry.stat(follow_symlinks=False)
                    found[entry.path] = seen.st_ino, seen.st_ctime_ns, seen.st_size
    return found


class Slot:
    def __init__(self, path: Path, base: str) -> None:
        self.path = str(path)
        self.admin = Path((path / ".git").read_text().removeprefix("gitdir: ").strip())
        self.index = (self.admin / "index").read_bytes()
        self.files = stamps(self.path)
        self.base = base

    def recycle(self) -> None:
        now = stamps(self.path)
        for path in now.keys() - self.files.keys():
            Path(path).unlink()
        assert all(now[path] == seen for path, seen in self.files.items())
        for name, data in (("index", self.index), ("HEAD", self.base.encode() + b"\n")):
            new = self.admin / f"{name}.new"
            new.write_bytes(data)
            new.rename(self.admin / name)


class Helper:
    def __init__(self, repo: Path, environ: Mapping[str, str], *command: str) -> None:
        self.process = subprocess.Popen(
            command, cwd=repo, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, question: str) -> IO[bytes]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(question.encode())
        self.process.stdin.flush()
        return self.process.stdout

    def close(self) -> None:
        self.process.communicate()


class Target:
    """A branch that commits are merged into, one after the other."""

    def __init__(self, repo: Path, environ: Mapping[str, str], ref: str, base: str) -> None:
        self.repo, self.ref, self.tip = repo, ref, base
        buffered = ("stdbuf", "-o0") if shutil.which("stdbuf") else ()
        self.trees = Helper(repo, environ, *buffered, "git", "merge-tree", "--stdin")
        self.refs = Helper(repo, environ, "git", "update-ref", "--stdin")
        self.lock = threading.Lock()

    def merge(self, commit: str) -> None:
        with self.lock:
            answer = self.trees.ask(f"{self.tip} {commit}\n")
            clean, tree, _ = (field(answer) for _ in range(3))
            assert clean == "1", commit
            merged = self.written(tree, self.tip, commit)
            told = self.refs.ask(f"start\nupdate {self.ref} {merged} {self.tip}\nprepare\ncommit\n")
            while (line := told.readline()) != b"commit: ok\n":
                assert line, "git update-ref ended"
            self.tip = merged

    def written(self, tree: str, *parents: str) -> str:
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        who = "Floor <floor@example.org> 981173106 +0000"
        text = "\n".join([*lines, f"author {who}", f"committer {who}", "", "merge", ""]).encode()
        data = b"commit %d\0%s" % (len(text), text)
        oid = hashlib.sha1(data).hexdigest()
        path = self.repo / ".git" / "objects" / oid[:2] / oid[2:]
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".tmp").write_bytes(zlib.compress(data, 1))
        path.with_suffix(".tmp").rename(path)
        return oid

    def close(self) -> None:
        self.trees.close()
        self.refs.close()


def field(stream: IO[bytes]) -> str:
    found = bytearray()
    while (byte := stream.read(1)) != b"\0":
        assert byte, "git merge-tree ended"
        found += byte
    return found.decode()


def by_hand(
    repo: Path, environ: Mapping[str, str], slots: list[Path], *, work: str, agents: int
) -> None:
    """Run as many agents in turns, as many at once as there are slots, and merge each.

    Args:
        repo: the repository.
        environ: of every process.
        slots: worktrees that are there already, with a detached `HEAD` at the branch `floor`.
        work: what an agent does, in bash, with its number in `N`.
        agents: how many.

    Raises what went wrong in an agent, or in what is done for it.
    """
    ref = "refs/heads/floor"
    base = (repo / ".git" / ref).read_text().strip()
    target = Target(repo, environ, ref, base)
    numbers: Iterator[int] = iter(range(agents))
    turn = threading.Lock()

    def worker(slot: Slot) -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            env = {**environ, "N": str(number)}
            subprocess.run(["bash", "-c", work], cwd=slot.path, env=env, check=True)
            commit = (slot.admin / "HEAD").read_text().strip()
            slot.recycle()
            target.merge(commit)

    with closing(target), ThreadPoolExecutor(len(slots)) as pool:
        list(pool.map(worker, [Slot(path, base) for path in slots]))
