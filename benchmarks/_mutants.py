"""Planted bugs: a piece of our own source, and what to put in its place."""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen
class Mutant:
    """A bug.

    Attributes:
        name: what is wrong, in words.
        file: below `src/anabranch`.
        old: a text that occurs there exactly once.
        new: what takes its place.
    """

    name: str
    file: str
    old: str
    new: str


GROUPS, MACHINE = "interpreters/groups.py", "interpreters/machine.py"
VIRTUAL, SCHEDULES = "interpreters/virtual.py", "effects/schedules.py"
AGENTS, MERGING, STEPS = "program/agents.py", "program/merging.py", "program/steps.py"
RESOLVING = "program/resolving.py"
RUN, PAST = "program/run.py", "program/past.py"
STAMPING, COMMITS = "services/journal/stamping.py", "services/git/commits.py"
INTENTS, TIME = "lifecycle/intents.py", "effects/time.py"

MUTANTS: Final = (
    # --- the interpreter
    Mutant(
        "one more runs at a time than the limit says",
        GROUPS,
        "        self.short = self._active < self._limit\n        if self._resting",
        "        self.short = self._active <= self._limit\n        if self._resting",
    ),
    Mutant(
        "a slot that frees up is not refilled",
        GROUPS,
        "        if self.short and self.schedule.more:\n            self.grow()\n",
        "",
    ),
    Mutant(
        "jobs start after the first failure has stopped everything",
        GROUPS,
        "            self.next_job = _nothing\n            if self._cancel",
        "            if self._cancel",
    ),
    Mutant(
        "those who lost a race are not told to end",
        GROUPS,
        "            if self._cancel is not None:\n                self._cancel()\n",
        "",
    ),
    Mutant(
        "one defect among the siblings is forgotten",
        GROUPS,
        "        self._defects.append(defect)\n",
        "",
    ),
    Mutant(
        "a resource is not released after a success",
        MACHINE,
        "                return self._release(frame, OK, value)\n",
        "                pass\n",
    ),
    Mutant(
        "a resource is not released after a failure",
        MACHINE,
        "                    return self._release(frame, FAILED, error)\n",
        "                    pass\n",
    ),
    Mutant(
        "a resource is not released when its use is cancelled",
        MACHINE,
        "                    return self._release(frame, RAISED, error)\n",
        "                    pass\n",
    ),
    Mutant(
        "a resource may be lost while it is acquired",
        MACHINE,
        "            case Bracket():\n                self._shields += 1\n",
        "            case Bracket():\n                self._shields += 0\n",
    ),
    Mutant(
        "a release may be cancelled half way",
        MACHINE,
        "        self._shields += 1\n        self.stack.append(Released(mode, payload))\n",
        "        self._shields += 0\n        self.stack.append(Released(mode, payload))\n",
    ),
    Mutant(
        "a group is over when the first of its workers is",
        VIRTUAL,
        "            if not parent.children:\n",
        "            if parent.wait is INSIDE:\n",
    ),
    Mutant(
        "what is started inside something cancelled is not cancelled",
        VIRTUAL,
        "        child.cancelled = parent.cancelled and not parent.shielded\n",
        "",
    ),
    Mutant(
        "results come in the order of their ends",
        SCHEDULES,
        "        if key == len(values):\n",
        "        if key >= 0:\n",
    ),
    Mutant(
        "dependents run after a failure",
        SCHEDULES,
        "        self._errors[key] = error\n        reached = [key]\n",
        "        self._errors[key] = error\n        self.succeeded(key, error)\n        reached = [key]\n",
    ),
    Mutant(
        "only the first of those that depend on a failure are skipped",
        SCHEDULES,
        "                    reached.append(dependent)\n",
        "",
    ),
    Mutant(
        "a step starts when the first of its dependencies is done",
        SCHEDULES,
        "            if not left and dependent not in self._skipped:\n",
        "            if dependent not in self._skipped:\n",
    ),
    Mutant(
        "a retry too many",
        TIME,
        "decision = policy.decide(number,",
        "decision = policy.decide(max(1, number - 1),",
    ),
    # --- the program
    Mutant(
        "the worktree of an agent is left behind",
        AGENTS,
        "    yield from remove_worktree(tree).map_error(fatal)\n",
        "",
    ),
    Mutant(
        "an agent whose merge was told is merged again",
        MERGING,
        "    if known is not None and known.status is StepStatus.COMPLETED:\n        return succeed(True)\n",
        "",
    ),
    Mutant(
        "the branch of a merged agent is left behind",
        "testing/git/merges.py",
        "state.without_ref(ref) if dropped else state",
        "state",
    ),
    Mutant(
        "a conflict counts as a merge",
        MERGING,
        "note(*before, moved, letter(name, failed, agent.branch, herd.masker)).as_(False)",
        "note(*before, moved, letter(name, failed, agent.branch, herd.masker)).as_(True)",
    ),
    Mutant(
        "a step that failed is completed",
        STEPS,
        "    moved = Moved(subject=error.subject, to=error.status, message=error.message)\n",
        "    moved = Moved(subject=error.subject, to=StepStatus.COMPLETED)\n",
    ),
    Mutant(
        "those that depend on a failed step are forgotten",
        STEPS,
        "            for index, upstream in upstreams.items()\n",
        "            for index, upstream in list(upstreams.items())[1:]\n",
    ),
    Mutant(
        "an interrupted attempt counts as one more",
        PAST,
        "    return subject.attempt if same else subject.attempt + 1\n",
        "    return subject.attempt + 1\n",
    ),
    Mutant(
        "killed twice, an agent that was to be begun again is given up",
        PAST,
        "        case StepStatus.CANCELLED if _reason(subject) == INTERRUPTED:\n"
        "            return Standing.DOUBTFUL\n",
        "",
    ),
    Mutant(
        "a run that was delivered gets a new branch when it is taken up",
        RUN,
        "    if job.past.delivered is None:\n        start =",
        "    if True:\n        start =",
    ),
    Mutant(
        "a phase may be forgotten whose worktree is gone",
        INTENTS,
        "    RunMoved,\n    PhaseEnded,\n",
        "    RunMoved,\n",
    ),
    Mutant(
        "a conflict counts as resolved though a step failed to resolve it",
        RESOLVING,
        "    if isinstance(ran, Failure):\n",
        "    if isinstance(ran, Failure) and not case.error.conflicts:\n",
    ),
    Mutant(
        "what a kill leaves of a resolved conflict stays",
        MERGING,
        "        return put_away(agent, herd).and_then(lambda _: _recorded(agent, done))\n",
        "        return _recorded(agent, done)\n",
    ),
    Mutant(
        "a resolution that was interrupted is never given up",
        RESOLVING,
        "    yield from note(*given_up(before))\n",
        "",
    ),
    Mutant(
        "a step that broke its promise is done after a kill",
        "program/commands.py",
        "evolve(told, fault=UNMET) if refused else told",
        "told",
    ),
    Mutant(
        "a run forgets that a phase of it had failed",
        RUN,
        "        if phase.ok is False:\n",
        "        if phase.ok is False and phase.ended_at is None:\n",
    ),
    Mutant(
        "an agent that is called off leaves what it had begun",
        AGENTS,
        "        yield from _put_away(assignment, herd, [move",
        "        _ = (assignment, herd, [move",
    ),
    Mutant(
        "a conflict stops a run that is resumed",
        "program/oversight.py",
        "    failed = (agent.status in _FAILED and agent.work.conflict is None for agent in agents)\n",
        "    failed = (agent.status in _FAILED for agent in agents)\n",
    ),
    # --- the services
    Mutant(
        "two events with one number",
        STAMPING,
        "enumerate(payloads, start=sequence + 1)",
        "enumerate(payloads, start=sequence + len(payloads) - 1)",
    ),
    Mutant(
        "the journal forgets how far it had come",
        STAMPING,
        "self._last = events[-1] if events else self._last",
        "self._last = events[0] if events else self._last",
    ),
    Mutant(
        "a merge does not say whose it is",
        COMMITS,
        '    lines = [f"{name}: {_folded(value)}" for name, value in trailers]\n',
        '    lines = [f"{name}: {_folded(value)}" for name, value in trailers[:1]]\n',
    ),
)
