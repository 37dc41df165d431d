"""A workflow as plain data and as YAML text: the way back from the value to the file.

`load_workflow(to_yaml(w)) == w`, for every workflow that a file can say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import fields

from anabranch.planning import Command
from anabranch.planning.captures import Capture, CaptureFormat
from anabranch.values import Json
from anabranch.workflow.model import History, InDoubt, MapPhase, MergePhase, Step, Workflow
from anabranch.workflow.printing_settings import (
    given,
    written_claims,
    written_duration,
    written_limits,
    written_policy,
    written_retry,
)
from anabranch.workflow.yaml_writer import write_yaml


def to_yaml(workflow: Workflow) -> str:
    """Write a workflow as a person would, without what is default anyway.

    >>> from anabranch.workflow import map_phase, map_reduce
    >>> print(to_yaml(map_reduce("tidy", map=map_phase("items.json", ["ruff format ${item}"]))))
    name: tidy
    mode: mapreduce
    map:
      input: items.json
      agent_template:
        - shell: ruff format ${item}
    <BLANKLINE>
    """
    return write_yaml(to_data(workflow))


def digest(workflow: Workflow) -> str:
    """Name what a workflow says: SHA-256 of its canonical form, in hexadecimal.

    Comments, layout, the order of keys and the language it was written in do not count.
    """
    canonical = json.dumps(to_data(workflow), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_data(workflow: Workflow) -> dict[str, Json]:
    """Write a workflow as data that JSON can say; what is default is left out."""
    return given(
        name=workflow.name,
        mode=workflow.mode.value,
        setup=_setup(workflow),
        map=_map(workflow.map),
        merge=_merge(workflow.merge) or None,
        reduce=_steps(workflow.reduce) or None,
        agents={name: list(one.argv) for name, one in workflow.agents.items()} or None,
        resources=written_limits(workflow.resources),
        in_doubt=None if workflow.in_doubt is InDoubt.RERUN else workflow.in_doubt.value,
        secrets=list(workflow.secrets) or None,
        error_policy=written_policy(workflow.map.failure_policy),
    )


def _setup(workflow: Workflow) -> Json:
    steps = _steps(workflow.setup)
    if workflow.setup_timeout is None:
        return steps or None
    return {"timeout": written_duration(workflow.setup_timeout), "commands": steps}


_CHOSEN: Final = (
    "json_path",
    "filter",
    "sort_by",
    "distinct",
    "offset",
    "max_items",
    "max_parallel",
)
_PLAIN: Final[Mapping[str, Json]] = {one.name: one.default for one in fields(MapPhase)}


def _map(phase: MapPhase) -> Mapping[str, Json]:
    changed = {n: getattr(phase, n) for n in _CHOSEN if getattr(phase, n) != _PLAIN[n]}
    return {"input": phase.input, **changed, "agent_template": _steps(phase.agent_template)}


def _merge(phase: MergePhase) -> dict[str, Json]:
    history = None if phase.history is History.MERGES else phase.history.value
    return given(history=history, resolve=_steps(phase.resolve) or None)


def _steps(steps: Iterable[Step]) -> list[Json]:
    return [_step(step) for step in steps]


def _step(step: Step) -> dict[str, Json]:
    return given(
        name=step.name,
        **_work(step.command),
        when=step.when,
        timeout=written_duration(step.timeout),
        env=dict(step.env) or None,
        commit_required=step.commit_required or None,
        auto_commit=step.auto_commit or None,
        commit_message=step.commit_message,
        **_captured(step.capture),
        **_declared(step.command),
        resources=written_claims(step.resources),
        optional=step.optional or None,
        estimate=written_duration(step.estimate),
        retry=written_retry(step.retry, step.retry_on),
        in_doubt=step.in_doubt and step.in_doubt.value,
        probe=step.probe,
    )


def _captured(capture: Capture | None) -> dict[str, Json]:
    if capture is None:
        return {}
    plain = capture.format is CaptureFormat.STRING
    return given(capture=capture.name, capture_format=None if plain else capture.format.value)


def _work(command: Command) -> dict[str, Json]:
    match command.agent:
        case None:
            return {"shell": command.shell}
        case "claude":
            return {"claude": command.prompt}
        case name:
            return {"agent": {"use": name, "prompt": command.prompt}}


def _declared(command: Command) -> dict[str, Json]:
    return given(
        reads=_sorted(command.reads),
        writes=_sorted(command.writes),
        depends_on=list(command.depends_on) or None,
        parallel_safe=command.parallel_safe or None,
    )


def _sorted(names: frozenset[str] | None) -> Json:
    return None if names is None else sorted(names)
