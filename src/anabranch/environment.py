"""Ports: small protocols over plain data, and the environments made of them.

An effect asks for no more than it uses: one that only runs commands needs `HasCommands`,
and any object with a `commands` attribute of that shape will do. `MapEnv` and `PhaseEnv`
name the combinations that the phases of a run use. Python has no intersection of two
protocols, so a combination is a named protocol that inherits its parts.

Every port method is `async`, takes one frozen request and returns a `returns` `Result`:
what can go wrong in a known way is a value, and an exception is a defect.
A mock is the same port with a function inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NewType, Protocol

from attrs import field, frozen
from returns.result import Result

from anabranch.lifecycle import Event, Payload

Oid = NewType("Oid", str)
"""A full object id of git, in hexadecimal."""


# --- worktrees ---------------------------------------------------------------------------------


@frozen(kw_only=True)
class WorktreeRequest:
    """A worktree to make.

    Attributes:
        name: unique among those alive in one run, such as `agent-0`.
        parent: the branch that the work leaves and will rejoin.
        base: the commit to check out; `None` is the parent's commit at that moment.
        branch: a branch to make at `base` and check out; `None` is a detached HEAD.
        carry: a directory whose untracked, not ignored files are copied into the new tree.
    """

    name: str
    parent: str
    base: Oid | None = None
    branch: str | None = None
    carry: str | None = None


@frozen(kw_only=True)
class Worktree:
    """A working tree of its own. `path` is absolute; `base` is what was checked out."""

    name: str
    path: str
    parent: str
    base: Oid
    branch: str | None = None


@frozen(kw_only=True)
class Changes:
    """What happened in a worktree since its base: git state of a step (row G4).

    Attributes:
        head: the commit the tree stands on now.
        commits: what was committed since the base, oldest first.
        added, modified, deleted: paths with `/`, sorted, from base to head.
        renamed: pairs of old and new path.
        dirty: paths with changes that were not committed.
    """

    head: Oid
    commits: tuple[Oid, ...] = ()
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    insertions: int = 0
    deletions: int = 0
    dirty: tuple[str, ...] = ()


@frozen(kw_only=True)
class Advance:
    """A worktree that was brought forward.

    Attributes:
        worktree: the same tree, whose base is now the commit asked for.
        saved: pairs of a path that was in the way and the path, beside it, that holds it now.
    """

    worktree: Worktree
    saved: tuple[tuple[str, str], ...] = ()


class WorktreeFault(StrEnum):
    """Why a worktree operation failed."""

    EXISTS = "exists"
    UNKNOWN_PARENT = "unknown_parent"
    NO_SPACE = "no_space"
    LOCKED = "locked"
    DIVERGED = "diverged"
    NOT_OURS = "not_ours"
    UNSUPPORTED = "unsupported"
    GIT = "git"


@frozen(kw_only=True)
class WorktreeError:
    """A worktree operation that failed in a known way."""

    fault: WorktreeFault
    name: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return f"worktree {self.name}: {self.message}"


class Worktrees(Protocol):
    """Working trees: made, looked at, and taken away again."""

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Make a working tree."""
        ...

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What changed since the worktree's base."""
        ...

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """Bring a tree forward to a later commit.

        Nothing in the tree is lost: what was changed and is not touched by the way to `commit`
        stays; an untracked or changed file that differs from what lands there is saved beside.
        A tree with commits that `commit` does not hold is left alone, which is a failure.
        """
        ...

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Take the tree away. Its branch, if it has one, stays. Twice is once."""
        ...


# --- commands ----------------------------------------------------------------------------------


@frozen(kw_only=True)
class Invocation:
    """A process to run.

    Attributes:
        argv: the program and its arguments; no shell is involved unless it says so.
        cwd: absolute path of the working directory.
        env: added to the inherited environment, never replacing it as a whole.
        stdin: what it reads; `None` is an empty input.
        timeout: after this the whole process tree is ended; `None` is no limit.
        grace: between asking the tree to end and killing it.
        label: where its output belongs, such as `agent-0/2`.
        files: what does not fit into the environment, by name: written into a private directory
            of its own, which is gone when the process has ended.
        files_variable: the variable that says where that directory is.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(factory=dict[str, str])
    stdin: bytes | None = None
    timeout: timedelta | None = None
    grace: timedelta = timedelta(seconds=5)
    label: str = ""
    files: Mapping[str, bytes] = field(factory=dict[str, bytes])
    files_variable: str = ""


@frozen(kw_only=True)
class Captured:
    """One output stream, of which memory holds the head and the tail only.

    Attributes:
        head: the first bytes; all of them if the stream was short.
        tail: the last bytes, not overlapping the head; empty if the head holds all.
        size: how many bytes came in all.
        log: the file that holds everything, if there is one.
    """

    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    log: str | None = None

    @classmethod
    def of(cls, data: bytes) -> Captured:
        """A short stream, held whole."""
        return cls(head=data, size=len(data))

    @property
    def complete(self) -> bool:
        """Whether head and tail are the whole stream."""
        return len(self.head) + len(self.tail) == self.size

    @property
    def text(self) -> str:
        """The stream as text: undecodable bytes are visible, a gap says how long it is."""
        gap = self.size - len(self.head) - len(self.tail)
        middle = f"\n… {gap} bytes left out …\n".encode() if gap else b""
        return (self.head + middle + self.tail).decode(errors="backslashreplace")


@frozen(kw_only=True)
class Usage:
    """What a process used, together with the children that it waited for.

    Attributes:
        user: processor time in its own code.
        system: processor time in the kernel.
        memory: the peak resident memory of the largest of them, in bytes.
    """

    user: timedelta
    system: timedelta
    memory: int


@frozen(kw_only=True)
class CommandOutput:
    """A process that ended by itself. `exit_code` is negative for a signal, as in `subprocess`."""

    exit_code: int
    stdout: Captured = field(factory=Captured)
    stderr: Captured = field(factory=Captured)
    duration: timedelta = timedelta()
    usage: Usage | None = None


class CommandFault(StrEnum):
    """Why a command is a failure."""

    EXIT = "exit"
    NOT_FOUND = "not_found"
    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"


@frozen(kw_only=True)
class CommandError:
    """A command that failed: what was asked for, why, and what it had printed by then."""

    fault: CommandFault
    invocation: Invocation
    message: str
    output: CommandOutput | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """The message, then the end of what the command printed."""
        printed = "" if self.output is None else self.output.stderr.text or self.output.stdout.text
        return f"{self.message}\n{printed.rstrip()}" if printed.strip() else self.message


OutputListener = Callable[[str, Sequence[bytes]], None]
"""Called with `stdout` or `stderr` and a list of lines, as they come; it must not block."""


class CommandRunner(Protocol):
    """Processes. An exit code is data: a failure here is a process that could not do its work."""

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run it to its end. On timeout and cancellation the whole process tree is ended."""
        ...


# --- merges ------------------------------------------------------------------------------------


@frozen(kw_only=True)
class MergeRequest:
    """Bring commits into a branch that nobody has checked out.

    Attributes:
        target: the branch that moves, by compare-and-swap.
        source: the commit to merge.
        base: where the work began; needed for a linear history.
        message: the subject and body of the merge commit.
        trailers: pairs added to the message, such as `("Anabranch-Agent", "agent-0")`.
        linear: replay the commits on the target instead of making a merge commit.
        fast_forward: if the target has not moved since `base`, let it move to the source.
    """

    target: str
    source: Oid
    base: Oid
    message: str
    trailers: tuple[tuple[str, str], ...] = ()
    linear: bool = False
    fast_forward: bool = False


@frozen(kw_only=True)
class Merge:
    """A merge that is done. `commit == before` when there was nothing new to merge."""

    target: str
    before: Oid
    commit: Oid


@frozen(kw_only=True)
class Conflict:
    """One file that both sides changed. A side that is `None` deleted it."""

    path: str
    kind: str = "content"
    ours: bytes | None = None
    theirs: bytes | None = None


class MergeFault(StrEnum):
    """Why a merge failed."""

    CONFLICT = "conflict"
    MOVED = "moved"
    CHECKED_OUT = "checked_out"
    UNKNOWN_REVISION = "unknown_revision"
    GIT = "git"


@frozen(kw_only=True)
class MergeError:
    """A merge that did not happen; nothing has moved."""

    fault: MergeFault
    message: str
    conflicts: tuple[Conflict, ...] = ()
    hint: str | None = None

    def __str__(self) -> str:
        """The message, then one line for each conflicting file."""
        return "\n".join([self.message, *(f"  {c.kind}: {c.path}" for c in self.conflicts)])


@frozen(kw_only=True)
class Delivery:
    """How the result reached the user.

    Attributes:
        branch: the run's branch, which holds the result; `None` once it is no longer needed.
        commit: the result.
        delivered: whether the user's branch and checkout now hold it.
        reason: why not, if not.
        hint: what to type to take it.
    """

    commit: Oid
    delivered: bool
    branch: str | None = None
    reason: str | None = None
    hint: str | None = None


class Merges(Protocol):
    """Branches that nobody has checked out, and the one step that touches the user's checkout."""

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch at a revision; if it is there already, its commit is the answer."""
        ...

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Merge in memory, then move the target. All or nothing."""
        ...

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Delete a branch of ours. Twice is once."""
        ...

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Bring the user's checkout forward to the branch, all at once or not at all."""
        ...


# --- files -------------------------------------------------------------------------------------


@frozen(kw_only=True)
class FileError:
    """A file that could not be read or written."""

    path: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self.message}"


class Files(Protocol):
    """Whole files, by absolute path."""

    async def read(self, path: str) -> Result[bytes, FileError]:
        """The file's bytes."""
        ...

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        """Replace the file atomically, making its directory if need be."""
        ...


# --- the journal ---------------------------------------------------------------------------------


class JournalFault(StrEnum):
    """Why the journal could not be written."""

    NO_SPACE = "no_space"
    READ_ONLY = "read_only"
    CLOSED = "closed"
    IO = "io"


@frozen(kw_only=True)
class JournalError:
    """Events that are not in the journal. What was written before them is safe."""

    fault: JournalFault
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return self.message


class Journal(Protocol):
    """The history of a run, append-only. It puts sequence numbers and times on what happens."""

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Write what happened, in order, all of it or nothing.

        What announces an act (`lifecycle.is_announcement`) is durable when this returns, and
        with it everything before it. What reports one is durable soon.

        Args:
            payloads: what happened, in order.
            cause: the sequence number of the event that led to all of them.

        Returns:
            The events, in the same order.

        Raises:
            InvalidTransition: the tables do not allow it. A defect of the caller; nothing
                was written.
        """
        ...


# --- environments ------------------------------------------------------------------------------


class HasWorktrees(Protocol):
    """An environment with worktrees."""

    @property
    def worktrees(self) -> Worktrees:
        """The worktrees port."""
        ...


class HasCommands(Protocol):
    """An environment with commands."""

    @property
    def commands(self) -> CommandRunner:
        """The commands port."""
        ...


class HasMerges(Protocol):
    """An environment with merges."""

    @property
    def merges(self) -> Merges:
        """The merges port."""
        ...


class HasFiles(Protocol):
    """An environment with files."""

    @property
    def files(self) -> Files:
        """The files port."""
        ...


class HasJournal(Protocol):
    """An environment with a journal."""

    @property
    def journal(self) -> Journal:
        """The journal port."""
        ...


class HasGit(HasWorktrees, HasMerges, Protocol):
    """An environment with worktrees and merges."""


class PhaseEnv(HasCommands, HasFiles, HasJournal, Protocol):
    """What a phase without worktrees of its own needs: setup, reduce."""


class MapEnv(HasGit, PhaseEnv, Protocol):
    """What a map phase needs: a tree for each agent, commands in it, a merge of it."""


@frozen(kw_only=True)
class Environment:
    """The ports, gathered. It is a `MapEnv` and a `PhaseEnv`."""

    worktrees: Worktrees
    commands: CommandRunner
    merges: Merges
    files: Files
    journal: Journal
