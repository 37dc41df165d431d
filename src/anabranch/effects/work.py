"""The domain's own effects: worktrees, commands, merges, files and the journal, described.

Each asks for the one port it uses and does what that port does; nothing is decided here
but what counts as a failure. Each has a label and, where its answer can be foreseen, a
preview, so a dry run can walk past it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta

from returns.result import Failure, Result, Success

from anabranch.effects.constructors import Do, do, from_async
from anabranch.effects.core import Effect
from anabranch.effects.parallel import traverse
from anabranch.environment import (
    Advance,
    Changes,
    CommandError,
    CommandFault,
    CommandOutput,
    Conflict,
    Delivery,
    FileError,
    HasCommands,
    HasFiles,
    HasGit,
    HasJournal,
    HasMerges,
    HasWorktrees,
    Invocation,
    JournalError,
    Merge,
    MergeError,
    MergeRequest,
    Oid,
    OutputListener,
    Trace,
    Worktree,
    WorktreeError,
    WorktreeRequest,
)
from anabranch.lifecycle import Event, Payload
from anabranch.planning.commands import Command

_UNKNOWN = Oid("0" * 40)


# --- worktrees ---------------------------------------------------------------------------------


def create_worktree(
    name: str,
    *,
    parent: str,
    branch: str | None = None,
    base: Oid | None = None,
    carry: str | None = None,
) -> Effect[Worktree, WorktreeError, HasWorktrees]:
    """Make a working tree that leaves the branch `parent`, to be merged back into it.

    Args:
        name: unique among those alive in one run.
        parent: the branch that the work leaves and will rejoin.
        branch: a new branch to check out; `None` is a detached HEAD.
        base: the commit to check out; `None` is the parent's at that moment.
        carry: a directory whose untracked, not ignored files come along.
    """
    request = WorktreeRequest(name=name, parent=parent, base=base, branch=branch, carry=carry)

    def call(env: HasWorktrees) -> Awaitable[Result[Worktree, WorktreeError]]:
        return env.worktrees.create(request)

    foreseen = Worktree(
        name=name, path=f"/<{name}>", parent=parent, base=base or _UNKNOWN, branch=branch
    )
    return from_async(call, label=f"create worktree {name}", preview=Success(foreseen))


def reopen_worktree(
    name: str, *, parent: str, base: Oid | None = None, branch: str | None = None
) -> Effect[Worktree | None, WorktreeError, HasWorktrees]:
    """The working tree that an earlier process of this run made; `None` if it is gone.

    Args:
        name: as it was made.
        parent: as it was made.
        branch: as it was made.
        base: what it was made at; `None` is the parent's commit at that moment.
    """
    request = WorktreeRequest(name=name, parent=parent, base=base, branch=branch)

    def call(env: HasWorktrees) -> Awaitable[Result[Worktree | None, WorktreeError]]:
        return env.worktrees.reopen(request)

    return from_async(call, label=f"reopen worktree {name}", preview=Success(None))


def remove_worktree(worktree: Worktree) -> Effect[None, WorktreeError, HasWorktrees]:
    """Take a working tree away. Its branch stays."""

    def call(env: HasWorktrees) -> Awaitable[Result[None, WorktreeError]]:
        return env.worktrees.remove(worktree)

    return from_async(call, label=f"remove worktree {worktree.name}", preview=Success(None))


def head_of(worktree: Worktree) -> Effect[Oid, WorktreeError, HasWorktrees]:
    """The commit that a worktree stands on."""

    def call(env: HasWorktrees) -> Awaitable[Result[Oid, WorktreeError]]:
        return env.worktrees.head(worktree)

    label = f"look at the head of {worktree.name}"
    return from_async(call, label=label, preview=Success(worktree.base))


def committed_in(worktree: Worktree) -> Effect[Changes, WorktreeError, HasWorktrees]:
    """What was committed in a worktree since its base; nobody looks at its files."""

    def call(env: HasWorktrees) -> Awaitable[Result[Changes, WorktreeError]]:
        return env.worktrees.committed(worktree)

    label = f"look at the commits of {worktree.name}"
    return from_async(call, label=label, preview=Success(Changes(head=worktree.base)))


def changes_in(worktree: Worktree) -> Effect[Changes, WorktreeError, HasWorktrees]:
    """What was committed in a worktree since its base, and what was not."""

    def call(env: HasWorktrees) -> Awaitable[Result[Changes, WorktreeError]]:
        return env.worktrees.changes(worktree)

    foreseen = Changes(head=worktree.base)
    return from_async(call, label=f"look at worktree {worktree.name}", preview=Success(foreseen))


def advance_worktree(
    worktree: Worktree, commit: Oid
) -> Effect[Advance, WorktreeError, HasWorktrees]:
    """Bring a worktree forward to a later commit; what is in the way is saved beside."""

    def call(env: HasWorktrees) -> Awaitable[Result[Advance, WorktreeError]]:
        return env.worktrees.advance(worktree, commit)

    foreseen = Advance(worktree=worktree)
    return from_async(call, label=f"bring {worktree.name} forward", preview=Success(foreseen))


# --- commands ----------------------------------------------------------------------------------


def execute(
    invocation: Invocation, listener: OutputListener | None = None
) -> Effect[CommandOutput, CommandError, HasCommands]:
    """Run one process; an exit code other than 0 is a failure."""

    async def call(env: HasCommands) -> Result[CommandOutput, CommandError]:
        result = await env.commands.run(invocation, listener)
        return _judged(invocation, result.unwrap()) if isinstance(result, Success) else result

    shown = " ".join(invocation.argv)
    return from_async(call, label=f"run {shown}", preview=Success(CommandOutput(exit_code=0)))


def _judged(invocation: Invocation, output: CommandOutput) -> Result[CommandOutput, CommandError]:
    if output.exit_code == 0:
        return Success(output)
    *words, last = invocation.argv
    called = last if words == ["sh", "-c"] else " ".join(invocation.argv)
    message = f"`{called}` ended with {ending(output)}"
    fault = CommandFault.EXIT
    return Failure(CommandError(fault=fault, invocation=invocation, message=message, output=output))


def ending(output: CommandOutput) -> str:
    """How a process ended, in words: its exit code, or the signal that ended it."""
    if output.exit_code < 0:
        return f"signal {-output.exit_code}"
    return f"exit code {output.exit_code}"


def execute_commands(
    worktree: Worktree,
    commands: Sequence[Command | str],
    *,
    env: Mapping[str, str] | None = None,
    timeout: timedelta | None = None,
) -> Effect[list[CommandOutput], CommandError, HasCommands]:
    """Run shell commands in a worktree, one after the other; the first failure ends it.

    Args:
        worktree: where.
        commands: text for `sh -c`, or commands.
        env: added to the environment of each.
        timeout: a limit for each; `None` is none.

    Returns:
        What each of them printed, in order.
    """

    def one(command: Command | str) -> Effect[CommandOutput, CommandError, HasCommands]:
        shell = command if isinstance(command, str) else command.shell
        argv = ("sh", "-c", shell)
        return execute(
            Invocation(
                argv=argv, cwd=worktree.path, env=env or {}, timeout=timeout, label=worktree.name
            )
        )

    return traverse(tuple(commands), one)


# --- merges ------------------------------------------------------------------------------------


@do
def merge_to_parent(
    worktree: Worktree,
    *,
    message: str | None = None,
    trailers: Sequence[tuple[str, str]] = (),
    linear: bool = False,
) -> Do[Merge, WorktreeError | MergeError, HasGit]:
    """Merge what was committed in a worktree into the branch that it left.

    The merge happens in memory and the branch moves by compare-and-swap: nothing is
    checked out, and a conflict moves nothing.

    Args:
        worktree: made by `create_worktree`.
        message: of the merge commit.
        trailers: added to the message.
        linear: replay the commits instead of making a merge commit.
    """
    head = yield from head_of(worktree)
    request = MergeRequest(
        target=worktree.parent,
        source=head,
        base=worktree.base,
        message=message or f"Merge {worktree.name}",
        trailers=tuple(trailers),
        linear=linear,
    )
    return (yield from merge(request))


def merge(request: MergeRequest) -> Effect[Merge, MergeError, HasMerges]:
    """Merge a commit into a branch that nobody has checked out."""

    def call(env: HasMerges) -> Awaitable[Result[Merge, MergeError]]:
        return env.merges.merge(request)

    dropped = request.drops is not None
    foreseen = Merge(
        target=request.target, before=request.base, commit=request.source, dropped=dropped
    )
    label = f"merge {request.source} into {request.target}"
    return from_async(call, label=label, preview=Success(foreseen))


def start_branch(branch: str, base: str = "HEAD") -> Effect[Oid, MergeError, HasMerges]:
    """Make a branch at a revision; if it is there already, its commit is the answer."""

    def call(env: HasMerges) -> Awaitable[Result[Oid, MergeError]]:
        return env.merges.start(branch, base)

    return from_async(call, label=f"start branch {branch}", preview=Success(_UNKNOWN))


def traces_on(branch: str, since: str) -> Effect[tuple[Trace, ...], MergeError, HasMerges]:
    """The commits with trailers that a branch went through since a revision, oldest first."""

    def call(env: HasMerges) -> Awaitable[Result[tuple[Trace, ...], MergeError]]:
        return env.merges.traces(branch, since)

    return from_async(call, label=f"look for merges on {branch}", preview=Success(()))


def lay_out_conflict(
    request: MergeRequest, worktree: Worktree
) -> Effect[tuple[str, ...], MergeError, HasMerges]:
    """Merge in a worktree that is at the target, and leave the conflicts there for somebody."""

    def call(env: HasMerges) -> Awaitable[Result[tuple[str, ...], MergeError]]:
        return env.merges.lay_out(request, worktree)

    label = f"lay out the conflict of {request.source} in {worktree.name}"
    return from_async(call, label=label, preview=Success(()))


def conclude_merge(
    request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
) -> Effect[Merge, MergeError, HasMerges]:
    """Make what was left in the worktree the merge, if every conflict was resolved."""

    def call(env: HasMerges) -> Awaitable[Result[Merge, MergeError]]:
        return env.merges.conclude(request, worktree, conflicts)

    foreseen = Merge(target=request.target, before=worktree.base, commit=request.source)
    label = f"conclude the merge of {request.source} in {worktree.name}"
    return from_async(call, label=label, preview=Success(foreseen))


def drop_branch(branch: str) -> Effect[None, MergeError, HasMerges]:
    """Delete a branch of ours."""

    def call(env: HasMerges) -> Awaitable[Result[None, MergeError]]:
        return env.merges.drop(branch)

    return from_async(call, label=f"drop branch {branch}", preview=Success(None))


def deliver(branch: str) -> Effect[Delivery, MergeError, HasMerges]:
    """Bring the user's checkout forward to a branch, all at once or not at all."""

    def call(env: HasMerges) -> Awaitable[Result[Delivery, MergeError]]:
        return env.merges.deliver(branch)

    foreseen = Delivery(commit=_UNKNOWN, delivered=True)
    return from_async(call, label=f"deliver {branch}", preview=Success(foreseen))


# --- files and the journal ---------------------------------------------------------------------


def read_file(path: str) -> Effect[bytes, FileError, HasFiles]:
    """The bytes of a file, by absolute path."""

    def call(env: HasFiles) -> Awaitable[Result[bytes, FileError]]:
        return env.files.read(path)

    return from_async(call, label=f"read {path}")


def write_file(path: str, data: bytes) -> Effect[None, FileError, HasFiles]:
    """Replace a file as a whole, by absolute path; its directory is made if need be."""

    def call(env: HasFiles) -> Awaitable[Result[None, FileError]]:
        return env.files.write(path, data)

    return from_async(call, label=f"write {path}", preview=Success(None))


def record(
    *payloads: Payload, cause: int | None = None
) -> Effect[tuple[Event, ...], JournalError, HasJournal]:
    """Write what happened to the journal; what announces an act is durable when the effect ends."""

    def call(env: HasJournal) -> Awaitable[Result[tuple[Event, ...], JournalError]]:
        return env.journal.append(*payloads, cause=cause)

    return from_async(call, label="record", preview=Success(()))
