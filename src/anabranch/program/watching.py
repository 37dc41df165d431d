"""What a step does to its worktree, watched from before it starts until it has ended.

What was committed is always told: that costs a look at the head. What was left uncommitted is
looked at only where somebody asks: a later step that refers to `${step.…}`, or `auto_commit`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen
from returns.result import Failure

from anabranch.effects import Do, Effect, do, fail
from anabranch.effects.work import changes_in, committed_in, execute, head_of
from anabranch.environment import Changes, HasWorktrees, Invocation, MapEnv, Oid
from anabranch.expressions import parse_template
from anabranch.expressions.shell.filling import unfit
from anabranch.lifecycle import OutputRecorded, Payload
from anabranch.program.faults import fatal
from anabranch.program.git_state import GitState, committed, state_between
from anabranch.program.places import Place, StepError, StepFailed
from anabranch.program.slates import STATE
from anabranch.values import ConfigError, HostError
from anabranch.workflow import Step

# Unlike `git add` it takes paths that are gone already from the tree and from the index.
_STAGE = ("git", "update-index", "--add", "--remove", "--replace", "-z", "--stdin")


@frozen(kw_only=True)
class Before:
    """A worktree before a step: its head, and what was uncommitted, if anybody asks for it."""

    head: Oid
    uncommitted: Mapping[str, str] | None = None


@do
def look_before(step: Step, place: Place) -> Do[Before, HostError, MapEnv]:
    """Look at the worktree before a step starts."""
    head = yield from head_of(place.worktree).map_error(fatal)
    if not (place.slate.watched or step.auto_commit):
        return Before(head=head)
    known = place.slate.uncommitted
    if known is None:
        known = (yield from _since(head, place)).uncommitted
    return Before(head=head, uncommitted=known)


@do
def look_after(
    step: Step, subject: str, place: Place, before: Before
) -> Do[list[Payload], StepError, MapEnv]:
    """Look again after it succeeded, commit what it left if that is asked for; what to tell."""
    changes = yield from _changed(place, before)
    state = _state(before, changes)
    if step.auto_commit and (mine := _own(before, changes)):
        yield from _commit(step, subject, place, state, mine)
        changes = yield from _changed(place, before)
        state = _state(before, changes)
    if step.commit_required and changes.head == before.head:
        yield from fail(_uncommitted(subject))
    told: list[Payload] = [*committed(subject, state, changes.head)]
    if not place.slate.watched:
        return told
    place.slate.uncommitted = changes.uncommitted
    place.slate.leave({STATE: state.as_data()})
    return [*told, OutputRecorded(subject=subject, name=STATE, value=state.as_data())]


def _since(head: Oid, place: Place) -> Effect[Changes, HostError, HasWorktrees]:
    return changes_in(evolve(place.worktree, base=head)).map_error(fatal)


@do
def _changed(place: Place, before: Before) -> Do[Changes, HostError, MapEnv]:
    """What changed since; what was left uncommitted is looked at only if somebody asks."""
    if before.uncommitted is None:
        tree = evolve(place.worktree, base=before.head)
        return (yield from committed_in(tree).map_error(fatal))
    return (yield from _since(before.head, place))


def _state(before: Before, changes: Changes) -> GitState:
    return state_between(before.uncommitted or {}, changes)


def _own(before: Before, changes: Changes) -> list[str]:
    """What is uncommitted and was not so before the step."""
    known = before.uncommitted or {}
    return [path for path, mark in changes.uncommitted.items() if known.get(path) != mark]


def _uncommitted(subject: str) -> StepFailed:
    message = "the step was required to make a commit and made none"
    return StepFailed(subject=subject, message=message)


@do
def _commit(
    step: Step, subject: str, place: Place, state: GitState, paths: list[str]
) -> Do[None, StepFailed, MapEnv]:
    """Commit some paths, as the user's own `git commit` would: hooks and signing included."""
    message = yield from _message(step, subject, place, state)
    said = message.encode(errors="surrogateescape")
    bare = Invocation(argv=(), cwd=place.worktree.path, env=place.told(subject), label=subject)
    # A repository in a tree is told with a slash at its end, and not taken with it.
    named = (path.removesuffix("/") for path in paths)
    listed = b"\0".join(path.encode(errors="surrogateescape") for path in named)
    adding = evolve(bare, argv=_STAGE, stdin=listed)
    committing = evolve(bare, argv=("git", "commit", "--quiet", "--file=-"), stdin=said)
    for invocation in (adding, committing):
        ended = yield from execute(invocation).settled()
        if isinstance(ended, Failure):
            message = f"what it left could not be committed: {ended.failure()}"
            yield from fail(StepFailed(subject=subject, message=message))


@do
def _message(
    step: Step, subject: str, place: Place, state: GitState
) -> Do[str, StepFailed, object]:
    """The message of the commit, in which `${step.…}` is the state of this very step."""
    if step.commit_message is None:
        return step.name or subject
    names = {**place.names, STATE: state.as_data()}
    try:
        message = parse_template(step.commit_message).render(names)
    except ConfigError as error:
        return (yield from fail(StepFailed(subject=subject, message=str(error))))
    if problem := unfit(message, what="the message of the commit"):
        yield from fail(StepFailed(subject=subject, message=problem.message))
    return message
