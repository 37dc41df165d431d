"""The grammar of workflow files: every key there is, its shape and what it means."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from anabranch.planning.commands import Command
from anabranch.workflow.checks import at_least, not_blank, not_empty, one_line, well
from anabranch.workflow.model import MapPhase, Mode, Step, Workflow
from anabranch.workflow.shapes import (
    Key,
    Shape,
    choice,
    duration,
    either,
    flag,
    list_of,
    table,
    text,
    variables,
    whole,
)

# What Prodigy 0.4 reads at each place and this grammar does not.
_STEP_ELSEWHERE: Final = frozenset(
    [
        "agent_id",
        "analyze",
        "auto_commit",
        "aws",
        "capture",
        "capture_format",
        "capture_output",
        "capture_streams",
        "claude",
        "commit_config",
        "commit_message",
        "cwd",
        "env_file",
        "foreach",
        "goal_seek",
        "handler",
        "id",
        "on_exit_code",
        "on_failure",
        "on_success",
        "output_file",
        "outputs",
        "retry",
        "step_validate",
        "test",
        "validate",
        "working_dir",
        "write_file",
    ]
)
_MAP_ELSEWHERE: Final = frozenset(
    ["agent_timeout_secs", "retry_on_failure", "timeout_config", "timeout_per_agent"]
)
_TOP_ELSEWHERE: Final = frozenset(
    [
        "agent_timeout_secs",
        "circuit_breaker",
        "commands",
        "continue_on_failure",
        "env",
        "env_files",
        "error_collection",
        "error_policy",
        "failure_threshold",
        "max_failures",
        "merge",
        "on_item_failure",
        "profiles",
        "retry_config",
        "secrets",
        "storage_quota",
        "timeout_config",
        "workflow_env",
    ]
)


def _step(*, shell: str, name: str | None = None, **more: Any) -> Step:
    return Step(Command(shell, name=name), **more)


_SHELL: Final = text("a shell command", check=not_blank, pattern=r"\S")
_NAME: Final = text("a name of one line", check=one_line, pattern=r"\S")

_STEP: Final[Shape[Step]] = either(
    scalar=_SHELL.map(lambda shell: _step(shell=shell)),
    entries=table(
        _step,
        Key("shell", _SHELL, "What `sh -c` runs; may hold references.", required=True),
        Key("name", _NAME, "What the step is called in messages."),
        Key("when", text("a condition"), "The step is skipped unless this condition holds."),
        Key("timeout", duration(), "After this the step's whole process tree is ended."),
        Key("env", variables(), "Environment variables, added to those inherited."),
        Key("commit_required", flag(), "The step fails unless it leaves a new commit."),
        expected="a step with `shell:`",
        elsewhere=_STEP_ELSEWHERE,
    ),
)

STEP_SCHEMA: Final = _STEP.schema
"""What `#/$defs/step` stands for in the schemas of this grammar."""

STEP: Final = evolve(_STEP, schema={"$ref": "#/$defs/step"})

_STEPS: Final = list_of(STEP, "a list of steps", check=well)
_TEMPLATE: Final = list_of(STEP, "a list of steps", check=not_empty, minItems=1)


def _commands(steps: Shape[tuple[Step, ...]], *more: Key, elsewhere: str = "") -> Shape[Any]:
    """The form of a phase that Prodigy also reads: its steps under `commands:`."""
    return table(
        dict,
        Key("commands", steps, "The steps, in order.", required=True),
        *more,
        expected="a mapping with `commands:`",
        elsewhere=frozenset(elsewhere.split()),
    )


def _steps_or_commands(steps: Shape[tuple[Step, ...]]) -> Shape[tuple[Step, ...]]:
    return either(items=steps, entries=_commands(steps).map(lambda found: found["commands"]))


_SETUP: Final[Shape[dict[str, Any]]] = either(
    items=_STEPS.map(lambda steps: {"commands": steps}),
    entries=_commands(
        _STEPS,
        Key("timeout", duration(), "A limit on all steps of the phase together."),
        elsewhere="capture_outputs",
    ),
)

MAP: Final = table(
    MapPhase,
    Key(
        "input",
        text("a path", check=one_line, pattern=r"\S"),
        "The JSON document with the items: a path from the top of the worktree.",
        required=True,
    ),
    Key("json_path", text("a JSONPath", check=not_blank), "Where in it they are (RFC 9535)."),
    Key("filter", text("a condition"), "Items that do not meet this condition are left out."),
    Key("sort_by", text("fields to sort by"), "Such as `severity DESC, path`."),
    Key("distinct", text("a field"), "Of items with an equal value here, the first stays."),
    Key("offset", whole(0, at_least(0)), "How many items to leave out at the start."),
    Key("max_items", whole(0, at_least(0)), "How many items to take at most."),
    Key("max_parallel", whole(1, at_least(1)), "How many agents run at once at most."),
    Key(
        "agent_template",
        _steps_or_commands(_TEMPLATE),
        "The steps of every agent, in order.",
        required=True,
    ),
    expected="a mapping with `input:` and `agent_template:`",
    elsewhere=_MAP_ELSEWHERE,
)


def _workflow(*, setup: dict[str, Any] | None = None, **more: Any) -> Workflow:
    found = setup or {}
    return Workflow(setup=found.get("commands", ()), setup_timeout=found.get("timeout"), **more)


WORKFLOW: Final = table(
    _workflow,
    Key("name", _NAME, "What people call it.", required=True),
    Key("mode", choice(Mode), "The shape of the workflow.", required=True),
    Key("setup", _SETUP, "Steps that run first, in the run's own worktree."),
    Key("map", MAP, "The items, and what an agent does with each.", required=True),
    Key(
        "reduce",
        _steps_or_commands(_STEPS),
        "Steps that run after every agent that succeeded was merged.",
    ),
    expected="a workflow: a mapping with `name:`, `mode:` and `map:`",
    elsewhere=_TOP_ELSEWHERE,
)
