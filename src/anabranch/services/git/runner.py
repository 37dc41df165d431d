"""How git is called: one process, bytes in and out, nothing of the caller's git state let in.

A call blocks; the ports hand whole operations, made of several calls, to one worker thread.
Starting processes from threads is twice as fast as through an event loop's child watcher, and
an operation that is cancelled from outside runs to its end instead of stopping in the middle.

Git runs in a process group of its own: a Ctrl-C in the terminal ends anabranch, which then
winds down, but never a git command half way through writing a worktree.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve, field, frozen

from anabranch.services.git.threads import step_aside

_LOCAL: Final = frozenset(
    [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIFF_OPTS",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INDEX_VERSION",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    ]
)
"""Variables that say which repository is meant, or change what a command means."""

QUIET: Final = (("gc.auto", "0"), ("maintenance.auto", "false"))
"""No background collection: it is slow, and unsafe beside fresh, unreferenced objects."""

_PLAIN_IDS: Final = ("core.warnAmbiguousRefs", "false")
"""An object id is that of an object: git need not look for refs of that name, twelve for each."""

PLAIN_INDEX: Final = (
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.splitIndex", "false"),
)
"""No helpers of the index in a short-lived tree: a monitor for each would be left behind."""


def configured(environ: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The environment with git configuration added, beside what `GIT_CONFIG_COUNT` brought.

    >>> configured({}, [("gc.auto", "0")])
    {'GIT_CONFIG_KEY_0': 'gc.auto', 'GIT_CONFIG_VALUE_0': '0', 'GIT_CONFIG_COUNT': '1'}
    """
    result = dict(environ)
    count = environ.get("GIT_CONFIG_COUNT", "")
    number = int(count) if count.isdecimal() else 0
    for number, (key, value) in enumerate(pairs, start=number):  # noqa: B020 - counts on from there
        result[f"GIT_CONFIG_KEY_{number}"] = key
        result[f"GIT_CONFIG_VALUE_{number}"] = value
        result["GIT_CONFIG_COUNT"] = str(number + 1)
    return result


def anywhere(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what git tells its hooks, and users git, of one repository.

    >>> anywhere({"GIT_DIR": "/src/shop/.git", "HOME": "/home/ada"})
    {'HOME': '/home/ada'}
    """
    return {name: value for name, value in environ.items() if name not in _LOCAL}


def git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for our own git processes, made from the caller's."""
    fixed = {
        "GIT_EDITOR": ":",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LANGUAGE": "",
        "LC_ALL": "C",
    }
    ours = (*QUIET, _PLAIN_IDS, ("i18n.commitEncoding", "UTF-8"))
    return configured(anywhere(environ) | fixed, ours)


_NO_SPACE: Final = (b"No space left on device", b"unable to write file")


@frozen(kw_only=True)
class GitOutput:
    """A git process that has ended."""

    arguments: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output without its last newline; a path's own bytes survive."""
        return os.fsdecode(self.stdout.removesuffix(b"\n"))

    @property
    def complaint(self) -> str:
        """What git said on standard error, for people."""
        said = self.stderr.decode(errors="backslashreplace").strip()
        return said or f"`git {self.arguments[0]}` ended with exit code {self.code}"


class GitError(Exception):
    """A git command that failed. It never leaves the service: ports turn it into values."""

    def __init__(self, output: GitOutput) -> None:
        super().__init__(output.complaint)
        self.output = output

    @property
    def no_space(self) -> bool:
        """Whether the disk is full; of a file that it checks out git does not say why."""
        return any(text in self.output.stderr for text in _NO_SPACE)


@frozen(kw_only=True)
class Git:
    """The git program, a directory to run it in, and its environment.

    Attributes:
        held: file descriptors that git inherits: locks that last until it ends, even if this
            process ends before.
    """

    directory: str
    environ: Mapping[str, str] = field(repr=False)
    program: str = "git"
    held: tuple[int, ...] = ()

    def at(self, directory: str) -> Git:
        """The same git in another directory."""
        return evolve(self, directory=directory)

    def inside(self, common: str) -> Git:
        """The same git in a git directory, which it is told: it may not look for one by itself."""
        return self.at(common).with_environ({"GIT_DIR": common})

    def with_environ(self, more: Mapping[str, str]) -> Git:
        """The same git with more environment variables."""
        return evolve(self, environ={**self.environ, **more})

    def with_config(self, *pairs: tuple[str, str]) -> Git:
        """The same git with more configuration."""
        return evolve(self, environ=configured(self.environ, pairs))

    def holding(self, lock: int) -> Git:
        """The same git, which holds a lock together with us."""
        return evolve(self, held=(*self.held, lock))

    def attempt(self, *arguments: str, stdin: bytes = b"") -> GitOutput:
        """Run to the end; an exit code is data."""
        step_aside()
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.directory,
            env=self.environ,
            input=stdin,
            capture_output=True,
            check=False,
            process_group=0,
            pass_fds=self.held,
        )
        return GitOutput(
            arguments=arguments, code=done.returncode, stdout=done.stdout, stderr=done.stderr
        )

    def run(self, *arguments: str, stdin: bytes = b"") -> GitOutput:
        """Run to the end.

        Raises:
            GitError: the exit code is not zero.
        """
        output = self.attempt(*arguments, stdin=stdin)
        if output.code != 0:
            raise GitError(output)
        return output


def paths(data: bytes) -> list[str]:
    r"""The fields of a `-z` output.

    >>> paths(b"a b\0c\0")
    ['a b', 'c']
    """
    return [os.fsdecode(part) for part in data.split(b"\0")[:-1]]
