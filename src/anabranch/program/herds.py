"""What the agents of a map phase have in common, and what is left of one that has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from attrs import field, frozen

from anabranch.effects import Desk
from anabranch.environment import Oid
from anabranch.lifecycle import DeadLettered, Masker, Subject, failure_signature
from anabranch.planning import AgentTemplate, WorkAssignment
from anabranch.program.oversight import Oversight
from anabranch.program.past import by_parent
from anabranch.program.places import StepFailed
from anabranch.program.step_lists import StepList, listed
from anabranch.values import HostError, Json, Masked, in_one_line
from anabranch.workflow import SHOWN, InDoubt, Step

AgentError: TypeAlias = StepFailed | HostError


@frozen(kw_only=True)
class Herd:
    """What all agents of a map phase have in common.

    Attributes:
        run: the run's id, part of the name of every branch.
        parent: the branch that agents leave and are merged into.
        carry: the directory whose untracked files they see.
        template: the steps of each.
        scope: names that all of them know; `item` and `agent` are added.
        templates: how a coding agent is called, by its name.
        past: what an earlier process of the run had done, by subject.
        resumed: whether there was an earlier process of the run.
        in_doubt: what becomes of steps of which nobody knows whether they were done.
        linear: whether their commits are made anew in one line.
        resolve: the steps that resolve a conflict; without any, the agent fails.
        desk: where their steps get the resources that they hold.
        oversight: what is known of all of them, and what to do about failures.
        masker: what is secret.
    """

    run: str
    parent: str
    carry: str
    template: tuple[Step, ...]
    scope: Mapping[str, Json]
    templates: Callable[[str], AgentTemplate]
    past: Mapping[str, Subject] = field(factory=dict[str, Subject])
    resumed: bool = False
    in_doubt: InDoubt = InDoubt.RERUN
    linear: bool = False
    resolve: tuple[Step, ...] = ()
    desk: Desk
    oversight: Oversight
    masker: Masker = field(factory=Masker)

    @cached_property
    def _inside(self) -> Mapping[str, Sequence[Subject]]:
        return by_parent(self.past)

    def inside(self, agent: str) -> Sequence[Subject]:
        """The steps that an earlier process of the run had declared inside of an agent."""
        return self._inside.get(agent, ())

    @cached_property
    def steps(self) -> StepList:
        """The steps of each, worked out."""
        return listed(self.template, self.masker)

    @cached_property
    def resolving(self) -> StepList:
        """The steps that resolve a conflict, worked out."""
        return listed(self.resolve, self.masker)

    def label_of(self, assignment: WorkAssignment) -> Masked:
        """What to call an agent for people, in one line."""
        label = in_one_line(self.masker.text(label_of(assignment)), SHOWN)
        return label or Masked(assignment.agent_name)  # a name that the plan made

    def branch(self, assignment: WorkAssignment) -> str:
        """The branch of an agent, which follows from the run and the assignment alone."""
        return f"anabranch/{self.run}/{assignment.agent_name}"


@frozen(kw_only=True)
class Finished:
    """An agent that did its work; what is left to do is the merge.

    Attributes:
        assignment: what it did.
        branch: where its commits are.
        base: what it began from.
        head: its last commit, or its base.
    """

    assignment: WorkAssignment
    branch: str
    base: Oid
    head: Oid


def label_of(assignment: WorkAssignment) -> str:
    """What to call an agent for people: its item, or a field of it that tells most."""
    match assignment.item:
        case str(text) | {"path": str(text)} | {"name": str(text)} | {"id": str(text)}:
            return text
        case {"id": int(number)}:
            return f"item {number}"
        case item:
            return json.dumps(item, ensure_ascii=False)


def letter(agent: str, error: AgentError, branch: str | None, masker: Masker) -> DeadLettered:
    """What is put aside of an agent that failed, and where its work is kept, if there is any."""
    failed = error.subject if isinstance(error, StepFailed) else agent
    at = failed.rpartition("/")[2] if failed != agent else ""
    ended = error.ended if isinstance(error, StepFailed) else None
    message = masker.text(str(error))
    signature = failure_signature(at, message, ended)
    return DeadLettered(subject=agent, signature=signature, message=message, branch=branch)
