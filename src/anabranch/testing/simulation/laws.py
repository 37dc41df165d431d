"""What has to hold of every simulated run of a workflow, whatever the schedule and the faults.

The laws of a run (semantics: status and transitions) are checked by `verify`, on what the
processes of anabranch told and on what is left on the disk. The laws of git are checked on the
repository in memory, at every call and at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from anabranch.environment import Oid
from anabranch.lifecycle import (
    RUN_TERMINAL,
    Merged,
    RunState,
    SubjectKind,
    fold,
    verify,
)
from anabranch.services.git.replaying import ORIGINAL
from anabranch.testing.git.history import ancestors
from anabranch.testing.git.trailers import trailers_of
from anabranch.testing.simulation.running import Run
from anabranch.testing.simulation.world import Living
from anabranch.values import RunStatus, StepStatus


def laws(run: Run) -> str:
    """Everything that breaks a law, a line each; empty if all is well."""
    world = run.env
    assert isinstance(world, Living), "the laws are about worlds"
    return "\n".join(broken_laws(world))


def broken_laws(world: Living) -> Iterator[str]:
    """Everything in a world that breaks a law."""
    yield from world.broken
    yield from _processes(world)
    yield from _user(world)
    for run in world.journals:
        yield from _journal(world, run)
        state = fold(world.disks[run].read()[0])
        yield from _merged(world, run, state)
        if state.status in RUN_TERMINAL:
            yield from _delivery(world, state)
        if not world.obstructed:
            yield from _left_behind(world, run, state)


def _journal(world: Living, run: str) -> Iterator[str]:
    world.disks[run].sync()
    events, _ = world.disks[run].read()
    journal = world.journals[run][-1]
    yield from map(str, verify(events, state=journal.state if journal.whole else None))


def _processes(world: Living) -> Iterator[str]:
    for what in world.commands.alive.values():
        yield f"a process was left running: {what}"


def _user(world: Living) -> Iterator[str]:
    files = world.repository.home.files
    for path, text in world.world.uncommitted.items():
        if files.get(path) != text.encode():
            yield f"the user's {path} was not committed, and is lost"


def _merged(world: Living, run: str, state: RunState) -> Iterator[str]:
    """At most one merge of each agent, none of one that failed, and none that is lost."""
    tip = _tip(world, run, state)
    held = ancestors(world.repository.state.objects, tip) if tip is not None else frozenset[Oid]()
    made = Counter((_agent(world, commit, run), _original(world, commit)) for commit in held)
    for (agent, _), count in made.items():
        if agent is not None and count > 1:
            yield f"{agent} was merged {count} times"
        subject = state.subjects.get(agent or "")
        if subject is not None and subject.status in {StepStatus.FAILED, StepStatus.TIMED_OUT}:
            yield f"{agent} is {subject.status}, and its work is in the result"
    if tip is not None:
        yield from _lost(world, run, state, held)


def _lost(world: Living, run: str, state: RunState, held: frozenset[Oid]) -> Iterator[str]:
    """Every merge that was told is in the result, and says whose it is."""
    for name, subject in state.subjects.items():
        merges = [e.payload for e in subject.story if isinstance(e.payload, Merged)]
        for merged in merges:
            commit = Oid(merged.commit)
            if commit not in held:
                yield f"{name} was merged, and its work is not in the result"
            elif merged.commit != merged.before and _agent(world, commit, run) != name:
                yield f"the merge of {name} does not say whose it is"


def _tip(world: Living, run: str, state: RunState) -> Oid | None:
    """Where the result of a run is."""
    if state.delivered is not None and state.delivered.delivered:
        return world.repository.commit_at("HEAD")
    return world.repository.branches.get(_result(run))


def _agent(world: Living, commit: Oid, run: str) -> str | None:
    """The agent whose merge a commit is, if it is one of this run."""
    message = world.repository.state.objects.commits[commit].message
    trailers = dict(trailers_of(message))
    return trailers.get("Anabranch-Agent") if trailers.get("Anabranch-Run") == run else None


def _original(world: Living, commit: Oid) -> str | None:
    """The commit of an agent that this one is in another form, where the history is linear."""
    message = world.repository.state.objects.commits[commit].message
    return dict(trailers_of(message)).get(ORIGINAL)


def _left_behind(world: Living, run: str, state: RunState) -> Iterator[str]:
    if state.status in RUN_TERMINAL or state.status is RunStatus.INTERRUPTED:
        yield from _worktrees(world, run, state)
    if state.status in RUN_TERMINAL:
        yield from _branches(world, run, state)


def _worktrees(world: Living, run: str, state: RunState) -> Iterator[str]:
    """No worktree is left, but that of a run which can be resumed."""
    for path, checkout in world.repository.state.trees_of(run):
        if state.status in RUN_TERMINAL or checkout.name != "run":
            yield f"a worktree was left behind: {path}"


def _branches(world: Living, run: str, state: RunState) -> Iterator[str]:
    """Every branch that is left holds work that is nowhere else, and somebody was told."""
    prefix = f"anabranch/{run}/"
    told = None if state.delivered is None else state.delivered.branch
    for branch in world.repository.branches:
        name = branch.removeprefix(prefix)
        if not branch.startswith(prefix) or branch == told:
            continue
        subject = state.subjects.get(name)
        agent = subject is not None and subject.declared.kind is SubjectKind.AGENT
        if not agent or (subject is not None and subject.status is StepStatus.COMPLETED):
            yield f"a branch was left behind: {branch}"


def _delivery(world: Living, state: RunState) -> Iterator[str]:
    delivered = state.delivered
    if delivered is None:
        if state.status in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
            yield f"the run is {state.status}, and nobody was told where the result is"
        return
    home = world.repository.commit_at("HEAD")
    assert home is not None, "there is always a commit"
    held = ancestors(world.repository.state.objects, home)
    if delivered.delivered and delivered.commit not in held:
        yield "the result was said to be delivered, and is not"
    kept = world.repository.branches.get(delivered.branch or "")
    if not delivered.delivered and delivered.branch is not None and kept != delivered.commit:
        yield f"the result was said to be on {delivered.branch}, and is not"


def _result(run: str) -> str:
    return f"anabranch/{run}/result"
