"""Real git repositories for tests: made in a moment, independent of the machine's settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import field, frozen

_ENVIRON: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2001-02-03T04:05:06Z",
    "GIT_COMMITTER_DATE": "2001-02-03T04:05:06Z",
    "HOME": os.devnull,
    "LC_ALL": "C",
}


@frozen(kw_only=True)
class ScratchRepository:
    """A repository, or a working tree of one, to prepare and to look into.

    Attributes:
        path: the working tree, or the directory of a bare repository.
        environ: the variables that its git commands see, and nothing else but `PATH`.
    """

    path: Path
    environ: Mapping[str, str] = field(factory=lambda: {"PATH": os.environ["PATH"], **_ENVIRON})

    def output(self, *arguments: str | bytes | Path, stdin: bytes | None = None) -> bytes:
        """Run git there; its standard output.

        Raises:
            AssertionError: git failed; the text is what it said.
        """
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "-c", "gc.auto=0", *arguments],
            cwd=self.path,
            env=self.environ,
            input=stdin or b"",
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(os.fsdecode(done.stderr or done.stdout))
        return done.stdout

    def git(self, *arguments: str | bytes | Path, stdin: bytes | None = None) -> str:
        """Run git there; its standard output as text, without the last newline."""
        return os.fsdecode(self.output(*arguments, stdin=stdin).removesuffix(b"\n"))

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files by their path in the tree; `None` deletes one."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else os.fsencode(content)
            target.write_bytes(data)

    def commit(
        self, files: Mapping[str, str | bytes | None] | None = None, message: str = "work"
    ) -> str:
        """Write files, commit everything in the tree, and answer the commit."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def files(self, revision: str = "HEAD") -> dict[str, bytes]:
        """Every file of a commit, by path."""
        listed = self.output("ls-tree", "-r", "-z", "--full-tree", revision).split(b"\0")[:-1]
        entries = [record.split(b"\t", 1) for record in listed]
        blobs = [(os.fsdecode(name), head.split(b" ")[2]) for head, name in entries]
        data = self.output("cat-file", "--batch", stdin=b"".join(oid + b"\n" for _, oid in blobs))
        found: dict[str, bytes] = {}
        for name, _ in blobs:
            head, _, data = data.partition(b"\n")
            size = int(head.split(b" ")[2])
            found[name], data = data[:size], data[size + 1 :]
        return found

    def bare(self, path: Path) -> ScratchRepository:
        """A bare clone at a path."""
        self.git("clone", "--quiet", "--bare", "--template=", ".", path)
        return self.at(path)

    def at(self, path: str | Path) -> ScratchRepository:
        """The same git in another working tree."""
        return ScratchRepository(path=Path(path), environ=self.environ)


def git_repo(path: Path, files: Mapping[str, str | bytes] | None = None) -> ScratchRepository:
    """Make a repository with one commit on `main`.

    Arguments:
        path: its directory, which is made.
        files: what the commit holds; a `README` unless given.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as above:
    ...     git_repo(Path(above, "repo"), {"a.txt": "hello"}).files()
    {'a.txt': b'hello'}
    """
    path.mkdir(parents=True)
    repository = ScratchRepository(path=path)
    repository.git("init", "--quiet", "--template=")
    repository.commit(files or {"README": "hello\n"}, "start")
    return repository
