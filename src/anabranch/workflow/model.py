"""A workflow, normalised: what the user wrote, as one immutable value.

Whatever it was written in (YAML, JSON, Python), it ends here, and everything behind this
point sees nothing else. Expressions and templates are kept as the text that the user wrote;
they were parsed once, to prove that they can be, before a value was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from attrs import evolve, field, frozen
from attrs.validators import optional as if_given

from anabranch.expressions import parse_condition
from anabranch.planning import (
    AGENTS,
    AgentTemplate,
    Claim,
    Command,
    ErrorMatcher,
    FailurePolicy,
    Limits,
    MapConfig,
    RetryPolicy,
    Strictness,
    claim_problems,
    merged_claims,
    validate_steps,
)
from anabranch.planning.captures import Capture
from anabranch.planning.checks import refuse
from anabranch.planning.work import DEFAULT_MAX_PARALLEL
from anabranch.values import Location, Problem, Severity, did_you_mean
from anabranch.workflow.checks import (
    Check,
    Problems,
    all_of,
    below,
    capture_name,
    checked,
    inner_path,
    lasting,
    not_blank,
    not_empty,
    one_line,
    parsed_by,
    require,
    variable_names,
    variables,
)
from anabranch.workflow.scopes import Phase, commands_safe_in, references_known_in
from anabranch.workflow.step_graphs import step_graph

AGENT_POOL: Final = "agents"
"""The pool of which every agent of a run holds one; `max_parallel` is how much of it there is."""


def _copy(variables: Mapping[str, str]) -> Mapping[str, str]:
    return dict(variables)


def _copy_templates(agents: Mapping[str, AgentTemplate]) -> Mapping[str, AgentTemplate]:
    return dict(agents)


class Mode(StrEnum):
    """The shape of a workflow."""

    MAPREDUCE = "mapreduce"


def no_captures(command: Command) -> Problems:
    """Refuse captures of a bare command: the step says what it captures, and how."""
    if not command.captures:
        return ()
    reason = "a step says what is captured: `Step(…, capture=Capture(name=…))`"
    return (
        Problem(code="unsupported-key", message=reason, value=", ".join(sorted(command.captures))),
    )


def bounded(policy: RetryPolicy | None) -> Problems:
    """Refuse a retry policy that may go on for ever: a step has to end."""
    if policy is None or not policy.unbounded:
        return ()
    return (
        Problem(
            code="unbounded-retry",
            message="these retries never end",
            expected="`max_attempts` or `budget`",
        ),
    )


class InDoubt(StrEnum):
    """What becomes of a step when nobody knows whether it was done: its process died meanwhile.

    `rerun`: it is run again. `ask`: somebody has to say. `dlq`: it counts as failed.
    """

    RERUN = "rerun"
    ASK = "ask"
    DLQ = "dlq"


@frozen
class Step:
    """One unit of work: a command, and what surrounds it.

    Attributes:
        command: what runs; its name is the step's name.
        when: a condition; the step is skipped unless it holds.
        timeout: after this the command's whole process tree is ended; `None` is no limit.
        env: added to the environment of the command; values may hold references.
        commit_required: the step fails unless it leaves a new commit.
        auto_commit: what it changed and left uncommitted is committed when it succeeds.
        capture: a variable that gets what it prints, for later steps.
        commit_message: of that commit; may hold references, `${step.files_changed}` too.
            `None` is the step's name.
        resources: what it holds while it runs.
        optional: the steps after it go on if it fails, and so does what it is part of.
        estimate: how long it is expected to take; `None` is not known.
        retry: when a failed attempt is made again; `None` is never.
        retry_on: the errors worth another attempt; empty is all.
        in_doubt: what becomes of it if nobody knows whether it was done; `None` is what the
            workflow says.
        probe: a command that tells whether it was done, instead of `in_doubt`.

    >>> Step(Command("make test", name="test"), timeout=timedelta(minutes=5)).name
    'test'
    """

    command: Command
    when: str | None = field(
        default=None, kw_only=True, validator=checked(parsed_by(parse_condition))
    )
    timeout: timedelta | None = field(default=None, kw_only=True, validator=checked(lasting))
    env: Mapping[str, str] = field(
        factory=dict[str, str],
        kw_only=True,
        converter=_copy,
        validator=checked(variables),
        hash=False,
    )
    commit_required: bool = field(default=False, kw_only=True)
    auto_commit: bool = field(default=False, kw_only=True)
    commit_message: str | None = field(default=None, kw_only=True)
    capture: Capture | None = field(default=None, kw_only=True)
    resources: tuple[Claim, ...] = field(default=(), kw_only=True, converter=merged_claims)
    optional: bool = field(default=False, kw_only=True)
    estimate: timedelta | None = field(default=None, kw_only=True, validator=checked(lasting))
    retry: RetryPolicy | None = field(default=None, kw_only=True, validator=checked(bounded))
    retry_on: tuple[ErrorMatcher, ...] = field(default=(), kw_only=True)
    in_doubt: InDoubt | None = field(default=None, kw_only=True)
    probe: str | None = field(default=None, kw_only=True, validator=if_given(checked(not_blank)))

    def __attrs_post_init__(self) -> None:
        require(_one_policy, self, "in_doubt")
        agent = self.command.agent is not None
        require(not_blank, self.command.text, "prompt" if agent else "shell")
        require(no_captures, self.command, "command")
        if self.capture is not None:
            require(capture_name, self.capture.name, "capture")
        if self.commit_message is not None:
            require(self._fit_message, self.commit_message, "commit_message")

    def _fit_message(self, message: str) -> Problems:
        if self.auto_commit:
            return not_blank(message)
        said, expected = "there is no commit for this message", "`auto_commit: true` beside it"
        return (Problem(code="useless-message", message=said, expected=expected),)

    @property
    def name(self) -> str | None:
        """What the step is called; `None` if it is only known by its place."""
        return self.command.name


def _one_policy(step: Step) -> Problems:
    if step.in_doubt is None or step.probe is None:
        return ()
    message = "has a `probe` too, which says the same"
    return (Problem(code="two-policies", message=message, expected="one of the two"),)


def sound_steps(value: Sequence[Step]) -> Problems:
    """Refuse steps that cannot be put in order: by their names, and by who waits for whom."""
    found = validate_steps(step_graph(value), strictness=Strictness.MINIMAL)
    return tuple(p for p in found if p.severity is Severity.ERROR and p.code not in _ELSEWHERE)


_ELSEWHERE: Final = frozenset({"claim-too-large", "shared-claim", "lock-amount"})
"""What is wrong with claims is known only where the resources are."""


def some_steps(value: Sequence[Step]) -> Problems:
    """Refuse a list of steps that is empty, or cannot be put in order."""
    return not_empty(value) or sound_steps(value)


def steps_of(phase: Phase) -> Check[Sequence[Step]]:
    """Refuse steps that cannot stand in a phase: its references are known, its values stay data.

    A prompt is read by no shell: nothing in it could be code.
    """
    apart = some_steps if phase is Phase.AGENT else sound_steps
    return lambda steps: (*apart(steps), *_unfit_texts(steps, phase))


def _unfit_texts(
    steps: Sequence[Step], phase: Phase, captured: Collection[str] | None = None
) -> Iterator[Problem]:
    safe = commands_safe_in(phase, captured or ())
    command = all_of(references_known_in(phase, captured=captured), safe)
    value = references_known_in(phase, shell=False, captured=captured)
    for at, step in enumerate(steps):
        if step.command.agent is None:
            yield from (below(f"[{at}].shell", p) for p in command(step.command.shell))
        else:
            yield from (below(f"[{at}].prompt", p) for p in value(step.command.prompt))
        if step.probe is not None:
            yield from (below(f"[{at}].probe", p) for p in command(step.probe))
        for name, text in step.env.items():
            yield from (below(f"[{at}].env.{name}", p) for p in value(text))
        message = value(step.commit_message or "")
        yield from (below(f"[{at}].commit_message", p) for p in message)


@frozen(kw_only=True)
class MapPhase:
    """The items, and what an agent does with each.

    They are taken in this order: `input`, `json_path`, `filter`, `sort_by`, `distinct`,
    `offset`, `max_items`.

    Attributes:
        input: the file with the items, a path from the top of the worktree; its suffix tells
            the format (`anabranch.planning.format_of`).
        json_path: where in the document they are (RFC 9535). A single match that is an
            array stands for its elements.
        filter: a condition on an item; those that do not meet it are left out.
        sort_by: fields to sort by, `severity DESC, path`.
        distinct: a field; of items with an equal value there, the first stays.
        offset: how many items to leave out at the start.
        max_items: how many items to take at most; `None` is all.
        max_parallel: how many agents run at once at most.
        agent_template: the steps of every agent, in order.
        failure_policy: what to do about items that fail.
    """

    input: str = field(validator=checked(inner_path))
    json_path: str = "$"
    filter: str | None = None
    sort_by: str | None = None
    distinct: str | None = None
    offset: int = 0
    max_items: int | None = None
    max_parallel: int = DEFAULT_MAX_PARALLEL
    agent_template: tuple[Step, ...] = field(validator=checked(steps_of(Phase.AGENT)))
    failure_policy: FailurePolicy = field(factory=FailurePolicy)

    def __attrs_post_init__(self) -> None:
        _ = self.config

    @cached_property
    def config(self) -> MapConfig:
        """How to choose the items, read from the texts."""
        return MapConfig(
            json_path=self.json_path,
            filter=self.filter,
            sort_by=self.sort_by or (),
            distinct=self.distinct,
            offset=self.offset,
            max_items=self.max_items,
            max_parallel=self.max_parallel,
        )


class History(StrEnum):
    """What the history of the result looks like."""

    MERGES = "merges"
    LINEAR = "linear"


@frozen(kw_only=True)
class MergePhase:
    """How the work of agents comes together.

    Attributes:
        history: a merge commit for each agent, or the agents' commits made anew in one line.
        resolve: steps that run where an agent's work is in conflict with what was merged
            before: in a worktree with the conflict in it. None: the agent fails.
    """

    history: History = History.MERGES
    resolve: tuple[Step, ...] = field(default=(), validator=checked(steps_of(Phase.RESOLVE)))


@frozen(kw_only=True)
class Workflow:
    """What the user wrote, normalised.

    Attributes:
        name: what people call it; one line.
        mode: its shape.
        setup: steps that run first, in the run's own worktree.
        setup_timeout: a limit on all of `setup` together; `None` is no limit.
        map: the items, and what is done with each.
        merge: how the work of agents comes together.
        reduce: steps that run after every agent that succeeded was merged.
        agents: how command-line agents are called, by name, in addition to those that are
            known (`anabranch.planning.AGENTS`), or instead of them.
        resources: what there is of each resource that steps hold, in the whole run.
        in_doubt: what becomes of steps of which nobody knows whether they were done.
        secrets: names of environment variables whose values are kept out of everything that is
            shown or stored.
    """

    name: str = field(validator=checked(one_line))
    mode: Mode = Mode.MAPREDUCE
    setup: tuple[Step, ...] = field(default=(), validator=checked(steps_of(Phase.SETUP)))
    setup_timeout: timedelta | None = field(default=None, validator=checked(lasting))
    map: MapPhase
    merge: MergePhase = field(factory=MergePhase)
    reduce: tuple[Step, ...] = field(default=(), validator=checked(steps_of(Phase.REDUCE)))
    agents: Mapping[str, AgentTemplate] = field(
        factory=dict[str, AgentTemplate], converter=_copy_templates, hash=False
    )
    resources: Limits = field(factory=Limits)
    in_doubt: InDoubt = InDoubt.RERUN
    secrets: tuple[str, ...] = field(default=(), validator=checked(variable_names))

    def __attrs_post_init__(self) -> None:
        refuse(
            [
                *self._unknown_agents(),
                *self._taken_names(),
                *self._bad_claims(),
                *self._unknown_names(),
            ]
        )

    def template(self, agent: str) -> AgentTemplate:
        """How an agent is called."""
        return self.agents[agent] if agent in self.agents else AGENTS[agent]

    @property
    def phases(self) -> tuple[tuple[Phase, tuple[Step, ...]], ...]:
        """The lists of steps, in the order in which they run."""
        return (
            (Phase.SETUP, self.setup),
            (Phase.AGENT, self.map.agent_template),
            (Phase.RESOLVE, self.merge.resolve),
            (Phase.REDUCE, self.reduce),
        )

    def _unknown_agents(self) -> Iterator[Problem]:
        known = {**AGENTS, **self.agents}
        for path, step in self._steps():
            name = step.command.agent
            if name is not None and name not in known:
                yield Problem(
                    code="unknown-agent",
                    message="there is no agent of this name",
                    where=Location(path=f"{path}.agent.use"),
                    value=name,
                    expected=f"a name under `agents`, or one of `{'`, `'.join(AGENTS)}`",
                    hint=did_you_mean(name, known),
                )

    def _taken_names(self) -> Iterator[Problem]:
        if AGENT_POOL in self.resources.pools:
            yield Problem(
                code="taken-name",
                message="is the name of something else",
                where=Location(path=f"resources.{AGENT_POOL}"),
                value=AGENT_POOL,
                hint="`max_parallel` says how many agents run at once",
            )

    def _unknown_names(self) -> Iterator[Problem]:
        """References that could be to a capture, and are to none."""
        for phase, steps in self.phases:
            captured = {step.capture.variable for step in (*self.setup, *steps) if step.capture}
            found = _unfit_texts(steps, phase, captured)
            yield from (
                evolve(p, where=evolve(p.where, path=f"{phase.value}{p.where.path}")) for p in found
            )

    def _bad_claims(self) -> Iterator[Problem]:
        for path, step in self._steps():
            where = Location(path=f"{path}.resources")
            found = claim_problems(self.resources, step.resources, where)
            yield from (p for p in found if p.severity is Severity.ERROR)

    def _steps(self) -> Iterator[tuple[str, Step]]:
        """All steps, each with its path."""
        for phase, steps in self.phases:
            yield from ((f"{phase.value}[{at}]", step) for at, step in enumerate(steps))
