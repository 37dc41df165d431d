"""A mock environment: the ports with functions inside, and a record of what was asked.

Nothing here touches git, starts a process or waits. Worktrees have made-up paths, commits
have ids that follow from what made them, and commands answer as the test says. What was
asked for is in `calls`: the frozen requests themselves, in order, to be compared with `==`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from hashlib import sha1
from typing import TypeAlias

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Advance,
    Captured,
    Changes,
    CommandError,
    CommandOutput,
    Conflict,
    Delivery,
    FileError,
    Invocation,
    Merge,
    MergeError,
    MergeFault,
    MergeRequest,
    Oid,
    OutputListener,
    Trace,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.services.journal import MemoryJournal
from anabranch.values import lines_of

Answer: TypeAlias = CommandOutput | CommandError
Answering: TypeAlias = Answer | Callable[[Invocation], Answer]
Call: TypeAlias = tuple[str, object]


def printed(
    stdout: str = "", *, stderr: str = "", exit_code: int = 0, takes: float = 0
) -> CommandOutput:
    """What a command answers.

    Args:
        stdout: what it printed.
        stderr: what it complained of.
        exit_code: how it ended.
        takes: how long it took, in seconds.

    >>> printed("hello").stdout.text
    'hello'
    """
    return CommandOutput(
        exit_code=exit_code,
        stdout=Captured.of(stdout.encode()),
        stderr=Captured.of(stderr.encode()),
        duration=timedelta(seconds=takes),
    )


def said(
    result: str = "done",
    *,
    cost_usd: float | None = None,
    input_tokens: int = 0,
    output_tokens: int = 0,
    session: str = "mock",
    failed: bool = False,
    takes: float = 0,
) -> CommandOutput:
    """What a coding agent answers, in the words of Claude Code.

    Args:
        result: its last word.
        cost_usd: what it says that it cost, in US dollars.
        input_tokens: how many it says that it read.
        output_tokens: how many it says that it wrote.
        session: what to resume it by.
        failed: whether it says that it failed.
        takes: how long it took, in seconds.

    >>> from anabranch.planning import read_report
    >>> read_report(said("mended", cost_usd=0.25).stdout.head).cost_usd
    0.25
    """
    message = {
        "type": "result",
        "result": result,
        "is_error": failed,
        "session_id": session,
        "total_cost_usd": cost_usd,
        "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens},
    }
    return printed(f"{json.dumps(message)}\n", takes=takes)


def text_of(invocation: Invocation) -> str:
    """What was asked for, as one text: the script of a shell, or the words of a command line.

    What it reads comes last, after `<<<`.

    >>> text_of(Invocation(argv=("sh", "-c", "make all"), cwd="/"))
    'make all'
    >>> text_of(Invocation(argv=("codex", "exec", "mend it"), cwd="/"))
    'codex exec mend it'
    """
    match invocation.argv:
        case ("sh", "-c", script):
            text = script
        case words:
            text = " ".join(words)
    if invocation.stdin is None:
        return text
    return f"{text} <<< {invocation.stdin.decode(errors='backslashreplace')}"


class UnexpectedCommand(AssertionError):  # noqa: N818 (what it is: the text says the rest)
    """A command came that the test did not foresee."""


@frozen
class MockCommands:
    """Commands that answer by pattern: their text against shell-style wildcards."""

    answers: Mapping[str, Answering]
    calls: list[Call]

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Answer as the first pattern that fits says, and tell the listener."""
        self.calls.append(("run", invocation))
        answer = self._answer(invocation)
        if isinstance(answer, CommandError):
            return Failure(answer)
        if listener is not None:
            for name, stream in (("stdout", answer.stdout), ("stderr", answer.stderr)):
                if lines := lines_of(stream.head):
                    listener(name, lines)
        return Success(answer)

    def _answer(self, invocation: Invocation) -> Answer:
        asked = text_of(invocation)
        for pattern, answer in self.answers.items():
            if fnmatchcase(asked, pattern):
                return answer(invocation) if callable(answer) else answer
        known = "\n".join(f"    {pattern}" for pattern in self.answers) or "    (nothing)"
        raise UnexpectedCommand(
            f"unexpected command\n  came:\n    {asked}\n  expected one of:\n{known}"
        )


@frozen
class MockWorktrees:
    """Worktrees that are names. Each has one made-up commit since its base."""

    calls: list[Call]
    alive: dict[str, Worktree]
    branches: dict[str, Oid]

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Note the request; a name that is alive already is refused."""
        self.calls.append(("create", request))
        if request.name in self.alive:
            message = "there is one of that name"
            fault = WorktreeFault.EXISTS
            return Failure(WorktreeError(fault=fault, name=request.name, message=message))
        base = request.base or self.branches.get(request.parent) or _oid(request.parent)
        tree = Worktree(
            name=request.name,
            path=f"/mock/{request.name}",
            parent=request.parent,
            base=base,
            branch=request.branch,
        )
        self.alive[request.name] = tree
        return Success(tree)

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        """The tree of that name, if it was made and not removed."""
        self.calls.append(("reopen", request))
        return Success(self.alive.get(request.name))

    async def head(self, worktree: Worktree) -> Result[Oid, WorktreeError]:
        """The one commit."""
        return Success(_oid(worktree.name, worktree.base))

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """One commit, which follows from the worktree's name and base."""
        head = _oid(worktree.name, worktree.base)
        return Success(Changes(head=head, commits=(head,)))

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """The same tree on another base."""
        self.calls.append(("advance", worktree.name))
        return Success(Advance(worktree=evolve(worktree, base=commit)))

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Forget it."""
        self.calls.append(("remove", worktree.name))
        self.alive.pop(worktree.name, None)
        return Success(None)


@frozen
class MockMerges:
    """Branches that are names of commits; merges succeed unless the test says otherwise."""

    calls: list[Call]
    branches: dict[str, Oid]
    conflicts: Mapping[str, tuple[str, ...]]
    made: list[tuple[MergeRequest, Trace]] = field(factory=list[tuple[MergeRequest, Trace]])

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch, if it is not there."""
        return Success(self.branches.setdefault(branch, _oid(base)))

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Move the branch to a commit that follows from both sides."""
        self.calls.append(("merge", request))
        agent = dict(request.trailers).get("Anabranch-Agent", "")
        if agent in self.conflicts:
            conflicts = tuple(Conflict(path=path) for path in self.conflicts[agent])
            message = f"conflict in {', '.join(self.conflicts[agent])}"
            fault = MergeFault.CONFLICT
            return Failure(MergeError(fault=fault, message=message, conflicts=conflicts))
        before = self.branches.get(request.target, request.base)
        commit = _oid(before, request.source)
        self.branches[request.target] = commit
        self.made.append((request, Trace(commit=commit, before=before, trailers=request.trailers)))
        return Success(Merge(target=request.target, before=before, commit=commit))

    async def traces(self, branch: str, since: str) -> Result[tuple[Trace, ...], MergeError]:
        """Every merge into the branch that has trailers."""
        self.calls.append(("traces", (branch, since)))
        made = (trace for request, trace in self.made if request.target == branch)
        return Success(tuple(trace for trace in made if trace.trailers))

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Forget a branch."""
        self.calls.append(("drop", branch))
        self.branches.pop(branch, None)
        return Success(None)

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Deliver, always."""
        self.calls.append(("deliver", branch))
        return Success(Delivery(commit=self.branches[branch], delivered=True))


@frozen
class MockFiles:
    """Files in a dictionary, by path, or by the end of one."""

    calls: list[Call]
    contents: dict[str, bytes]

    async def read(self, path: str) -> Result[bytes, FileError]:
        """The bytes of the file whose path is this, or ends in this."""
        self.calls.append(("read", path))
        for name, data in self.contents.items():
            if path == name or path.endswith(f"/{name}"):
                return Success(data)
        return Failure(FileError(path=path, message="no such file"))

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        """Keep the bytes."""
        self.calls.append(("write", path))
        self.contents[path] = data
        return Success(None)


@frozen(kw_only=True)
class MockEnvironment:
    """A `MapEnv` and a `PhaseEnv` without a world.

    Attributes:
        calls: what was asked for: the name of the port's method and its request, in order.
        worktrees, commands, merges, files, journal: the ports.
    """

    calls: list[Call]
    worktrees: MockWorktrees
    commands: MockCommands
    merges: MockMerges
    files: MockFiles
    journal: MemoryJournal

    def asked(self, name: str) -> list[object]:
        """The requests to one method, in order."""
        return [request for called, request in self.calls if called == name]

    @property
    def commands_run(self) -> list[tuple[str, str]]:
        """Each command that ran: the name of its directory, and its text."""
        ran = (request for request in self.asked("run") if isinstance(request, Invocation))
        return [(run.cwd.rpartition("/")[2], text_of(run)) for run in ran]


def mock_env(
    *,
    commands: Mapping[str, Answering] | None = None,
    files: Mapping[str, bytes | str] | None = None,
    conflicts: Mapping[str, tuple[str, ...]] | None = None,
) -> MockEnvironment:
    """A mock environment.

    Args:
        commands: what commands answer, by pattern (`*` is any text) on their text (`text_of`);
            the first that fits. A command that none fits fails the test. By default every
            command succeeds and prints nothing.
        files: what can be read, by path or end of path.
        conflicts: agents whose merge is in conflict, each with the files.

    >>> from anabranch import execute_commands, create_worktree, run
    >>> env = mock_env(commands={"make *": printed("ok")})
    >>> tree = run(create_worktree("one", parent="main"), env).unwrap()
    >>> run(execute_commands(tree, ["make all"]), env).unwrap()[0].stdout.text
    'ok'
    >>> env.commands_run
    [('one', 'make all')]
    """
    calls: list[Call] = []
    branches: dict[str, Oid] = {}
    contents = {
        path: data if isinstance(data, bytes) else data.encode()
        for path, data in (files or {}).items()
    }
    return MockEnvironment(
        calls=calls,
        worktrees=MockWorktrees(calls, {}, branches),
        commands=MockCommands(commands if commands is not None else {"*": printed()}, calls),
        merges=MockMerges(calls, branches, conflicts or {}),
        files=MockFiles(calls, contents),
        journal=MemoryJournal(),
    )


def _oid(*parts: str) -> Oid:
    """An id that follows from what made it."""
    return Oid(sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest())
