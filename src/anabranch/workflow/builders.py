"""Workflows written in Python: the same values, with the shorthands that files have.

A step may be a plain text, a duration may be text or seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, TypedDict, Unpack

from attrs import evolve

from anabranch.planning import (
    AgentTemplate,
    Claim,
    Command,
    Duration,
    ErrorMatcher,
    FailurePolicy,
    Limits,
    RetryPolicy,
)
from anabranch.planning.captures import Capture
from anabranch.planning.work import DEFAULT_MAX_PARALLEL
from anabranch.values import parse_duration
from anabranch.workflow.model import InDoubt, MapPhase, MergePhase, Step, Workflow


class StepOptions(TypedDict, total=False):
    """What surrounds the command of a step, of whatever kind the command is.

    Attributes:
        name: what the step is called in messages, and by other steps.
        when: a condition; the step is skipped unless it holds.
        timeout: text such as `1m 30s`, or seconds; `None` is no limit.
        env: environment variables, added to those inherited.
        commit_required: the step fails unless it leaves a new commit.
        auto_commit: what it changed and left uncommitted is committed.
        commit_message: of that commit; `None` is the step's name.
        capture: a variable that gets what it prints, for later steps.
        depends_on: names of steps of the same list that come first.
        reads: all that it reads, such as `file:src`; `None` is not known.
        writes: all that it writes, likewise.
        parallel_safe: it touches no file that another step touches.
        resources: what it holds while it runs; a name alone is held exclusively.
        optional: the steps after it go on if it fails.
        estimate: how long it is expected to take.
        retry: when a failed attempt is made again.
        retry_on: the errors worth another attempt; empty is all.
        in_doubt: what becomes of it if nobody knows whether it was done.
        probe: a command that tells whether it was done, instead of `in_doubt`.
    """

    name: str | None
    when: str | None
    timeout: Duration | None
    env: Mapping[str, str] | None
    commit_required: bool
    auto_commit: bool
    commit_message: str | None
    capture: str | Capture | None
    depends_on: Iterable[str]
    reads: Iterable[str] | None
    writes: Iterable[str] | None
    parallel_safe: bool
    resources: Iterable[Claim | str]
    optional: bool
    estimate: Duration | None
    retry: RetryPolicy | None
    retry_on: Iterable[ErrorMatcher]
    in_doubt: InDoubt | None
    probe: str | None


def step(shell: str, **options: Unpack[StepOptions]) -> Step:
    """Make a step that runs a shell command.

    Args:
        shell: what `sh -c` runs; may hold references such as `${item.path}`.
        options: as `StepOptions` says.

    Raises:
        ConfigError: one of them cannot be what it is.

    >>> step("make test", timeout="5m").timeout
    datetime.timedelta(seconds=300)
    """
    return _step(Command(shell), options)


def prompt(text: str, *, agent: str = "claude", **options: Unpack[StepOptions]) -> Step:
    """Make a step that gives a prompt to a coding agent.

    Args:
        text: what it is to do; may hold references such as `${item.path}`.
        agent: which, by its name.
        options: as `StepOptions` says.

    Raises:
        ConfigError: one of them cannot be what it is.

    >>> prompt("Mend ${item.path}", agent="codex", resources=["gpu"]).command.agent
    'codex'
    """
    return _step(Command(agent=agent, prompt=text), options)


def _step(command: Command, options: StepOptions) -> Step:
    """Put options where they belong, in the form that is kept."""
    given = {name: _KEPT_AS.get(name, _as_it_is)(value) for name, value in options.items()}
    inner = {name: given.pop(name) for name in _OF_THE_COMMAND & given.keys()}
    return Step(evolve(command, **inner), **given)


def _as_it_is(value: Any) -> Any:
    return value


def _known(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _capture(capture: str | Capture | None) -> Capture | None:
    return Capture(name=capture) if isinstance(capture, str) else capture


def _claims(claims: Iterable[Claim | str]) -> list[Claim]:
    return [Claim(one) if isinstance(one, str) else one for one in claims]


def map_phase(
    input: str,  # noqa: A002  (the word that workflow files use)
    agent_template: Iterable[str | Step],
    *,
    json_path: str = "$",
    filter: str | None = None,  # noqa: A002
    sort_by: str | None = None,
    distinct: str | None = None,
    offset: int = 0,
    max_items: int | None = None,
    max_parallel: int = DEFAULT_MAX_PARALLEL,
    failure_policy: FailurePolicy | None = None,
) -> MapPhase:
    """Make a map phase: the items of a document, and the steps of every agent.

    The arguments are the attributes of `MapPhase`; a step may be a plain text.

    Raises:
        ConfigError: one of them cannot be what it is.

    >>> len(map_phase("items.json", ["make ${item.name}", step("make test")]).agent_template)
    2
    """
    return MapPhase(
        input=input,
        json_path=json_path,
        filter=filter,
        sort_by=sort_by,
        distinct=distinct,
        offset=offset,
        max_items=max_items,
        max_parallel=max_parallel,
        agent_template=_steps(agent_template),
        failure_policy=failure_policy or FailurePolicy(),
    )


def map_reduce(
    name: str,
    *,
    setup: Iterable[str | Step] = (),
    setup_timeout: Duration | None = None,
    map: MapPhase,  # noqa: A002
    merge: MergePhase | None = None,
    reduce: Iterable[str | Step] = (),
    agents: Mapping[str, AgentTemplate] | None = None,
    resources: Limits | None = None,
    in_doubt: InDoubt = InDoubt.RERUN,
    secrets: Iterable[str] = (),
) -> Workflow:
    """Make a map-reduce workflow.

    The arguments are the attributes of `Workflow`; a step may be a plain text.

    Raises:
        ConfigError: one of them cannot be what it is.

    >>> map_reduce("tidy", map=map_phase("items.json", ["make"]), reduce=["make report"]).name
    'tidy'
    """
    return Workflow(
        name=name,
        setup=_steps(setup),
        setup_timeout=_duration(setup_timeout),
        map=map,
        merge=merge or MergePhase(),
        reduce=_steps(reduce),
        agents=agents or {},
        resources=resources or Limits(),
        in_doubt=in_doubt,
        secrets=tuple(secrets),
    )


def _steps(steps: Iterable[str | Step]) -> tuple[Step, ...]:
    return tuple(step(one) if isinstance(one, str) else one for one in steps)


def _duration(value: Duration | None) -> timedelta | None:
    return None if value is None else parse_duration(value)


def _environment(env: Mapping[str, str] | None) -> Mapping[str, str]:
    return env or {}


_OF_THE_COMMAND: Final = frozenset({"name", "reads", "writes", "depends_on", "parallel_safe"})
"""What is said of the command inside; the rest is said of the step."""

_KEPT_AS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "timeout": _duration,
    "estimate": _duration,
    "env": _environment,
    "capture": _capture,
    "depends_on": tuple,
    "reads": _known,
    "writes": _known,
    "resources": _claims,
    "retry_on": tuple,
}
"""How the shorthands are kept."""
