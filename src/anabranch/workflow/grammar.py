"""The grammar of workflow files: every key there is, its shape and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from anabranch.expressions import parse_condition, parse_path
from anabranch.planning import Command, JsonPath, parse_resource, parse_sort
from anabranch.values import ConfigError, Json, Location, Problem
from anabranch.workflow.agents import FORMS, AgentForm, agent_in, prompt_in, templates_of
from anabranch.workflow.capturing import CAPTURE_KEYS, CAPTURING, captured_by
from anabranch.workflow.checks import (
    Check,
    all_of,
    inner_path,
    not_blank,
    one_line,
    parsed_by,
    variable_name,
)
from anabranch.workflow.model import (
    History,
    InDoubt,
    MapPhase,
    MergePhase,
    Mode,
    Step,
    Workflow,
    some_steps,
    sound_steps,
)
from anabranch.workflow.scopes import Phase, commands_safe_in, references_known_in
from anabranch.workflow.settings import (
    CLAIMS,
    ERROR_POLICY,
    FAILURE_KEYS,
    RESOURCES,
    RETRY,
    failure_policy,
    given_once,
)
from anabranch.workflow.shapes import (
    Key,
    Shape,
    choice,
    duration,
    either,
    flag,
    list_of,
    one_or_many,
    printed,
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
        "aws",
        "capture_streams",
        "commit_config",
        "cwd",
        "env_file",
        "foreach",
        "goal_seek",
        "handler",
        "on_exit_code",
        "on_failure",
        "on_success",
        "output_file",
        "outputs",
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
        "commands",
        "env",
        "env_files",
        "error_collection",
        "profiles",
        "storage_quota",
        "timeout_config",
        "workflow_env",
    ]
)


_NAME: Final = text("a name of one line", check=one_line, pattern=r"\S")
_CONDITION: Final = text("a condition", check=parsed_by(parse_condition))


_COMMAND: Final = frozenset(["reads", "writes", "depends_on", "parallel_safe"])


def _step(
    *,
    shell: str = "",
    claude: str | None = None,
    agent: Command | None = None,
    name: str | None = None,
    id: str | None = None,  # noqa: A002 (the word of the file)
    **more: Any,
) -> Step:
    if name is not None and id is not None:
        where = Location(path="id")
        raise ConfigError(Problem(code="two-names", message="has a `name` too", where=where))
    asked = agent if claude is None else Command(agent="claude", prompt=claude)
    kind = "shell" if asked is None else asked.agent or ""
    captured = captured_by(kind, **{key: more.pop(key) for key in CAPTURING & more.keys()})
    said = {key: more.pop(key) for key in _COMMAND & more.keys()}
    retry = more.pop("retry", {})
    command = evolve(asked or Command(shell), name=name or id, **said)
    return Step(command, capture=captured, **retry, **more)


_RESOURCES: Final = one_or_many(
    text("a resource", check=parsed_by(parse_resource)), "a list of resources"
).map(frozenset[str])
_SECRETS: Final = one_or_many(
    text("the name of an environment variable", check=variable_name),
    "a list of names of environment variables",
)
_STEP_NAMES: Final = one_or_many(printed(one_line), "a list of names of steps")


def _step_of(phase: Phase) -> Shape[Step]:
    command = all_of(not_blank, references_known_in(phase), commands_safe_in(phase))
    shell = text("a shell command", check=command, pattern=r"\S")
    value = references_known_in(phase, shell=False)
    message = text("a message", check=all_of(not_blank, value), pattern=r"\S")
    mapping = table(
        _step,
        Key("shell", shell, "What `sh -c` runs; may hold references."),
        Key("claude", prompt_in(phase), "What Claude Code is to do; may hold references."),
        Key("agent", agent_in(phase), "A coding agent, and what it is to do."),
        Key("name", _NAME, "What the step is called in messages, and by other steps."),
        Key("id", _NAME, "Another word for `name`."),
        Key("when", _CONDITION, "The step is skipped unless this condition holds."),
        Key("timeout", duration(), "After this the step's whole process tree is ended."),
        Key("env", variables(value), "Environment variables, added to those inherited."),
        Key("commit_required", flag(), "The step fails unless it leaves a new commit."),
        Key("auto_commit", flag(), "What it leaves uncommitted is committed."),
        Key("commit_message", message, "Of that commit; may hold references."),
        *CAPTURE_KEYS,
        Key("depends_on", _STEP_NAMES, "Steps of the same list that come first."),
        Key("reads", _RESOURCES, "All that it reads: `var:NAME`, `file:PATH`, `workspace`."),
        Key("writes", _RESOURCES, "All that it writes; writing anything else is an error."),
        Key("parallel_safe", flag(), "It touches no file that another step touches."),
        Key("resources", CLAIMS, "What it holds while it runs."),
        Key("optional", flag(), "The steps after it go on if it fails."),
        Key("estimate", duration(), "How long it is expected to take."),
        Key("retry", RETRY, "When a failed attempt is made again."),
        Key("in_doubt", choice(InDoubt), "What becomes of it if nobody knows whether it was done."),
        Key("probe", shell, "A command that tells whether it was done, instead of `in_doubt`."),
        expected="a step with `shell:`, `claude:` or `agent:`",
        one_of=("shell", "claude", "agent"),
        elsewhere=_STEP_ELSEWHERE,
    )
    return either(scalar=shell.map(lambda command: _step(shell=command)), entries=mapping)


STEP_SCHEMA: Final = _step_of(Phase.AGENT).schema
"""What `#/$defs/step` stands for in the schemas of this grammar."""


def _steps_of(
    phase: Phase, check: Check[Sequence[Step]] = sound_steps, **schema: Json
) -> Shape[tuple[Step, ...]]:
    step = evolve(_step_of(phase), schema={"$ref": "#/$defs/step"})
    return list_of(step, "a list of steps", check=check, **schema)


_SETUP_STEPS: Final = _steps_of(Phase.SETUP)
_AGENT_STEPS: Final = _steps_of(Phase.AGENT, some_steps, minItems=1)
_RESOLVE_STEPS: Final = _steps_of(Phase.RESOLVE)
_REDUCE_STEPS: Final = _steps_of(Phase.REDUCE)


def _commands(
    steps: Shape[tuple[Step, ...]], *more: Key, elsewhere: frozenset[str] = frozenset()
) -> Shape[Any]:
    """The form of a phase that Prodigy also reads: its steps under `commands:`."""
    return table(
        dict,
        Key("commands", steps, "The steps, in order.", required=True),
        *more,
        expected="a mapping with `commands:`",
        elsewhere=elsewhere,
    )


def _steps_or_commands(steps: Shape[tuple[Step, ...]]) -> Shape[tuple[Step, ...]]:
    return either(items=steps, entries=_commands(steps).map(lambda found: found["commands"]))


_SETUP: Final[Shape[dict[str, Any]]] = either(
    items=_SETUP_STEPS.map(lambda steps: {"commands": steps}),
    entries=_commands(
        _SETUP_STEPS,
        Key("timeout", duration(), "A limit on all steps of the phase together."),
        elsewhere=frozenset(["capture_outputs"]),
    ),
)

MAP: Final = table(
    MapPhase,
    Key(
        "input",
        text("a path", check=inner_path, pattern=r"\S"),
        "The file with the items (JSON, JSONL, CSV, YAML, lines): a path in the worktree.",
        required=True,
    ),
    Key(
        "json_path",
        text("a JSONPath", check=parsed_by(JsonPath)),
        "Where in it they are (RFC 9535).",
    ),
    Key("filter", _CONDITION, "Items that do not meet this condition are left out."),
    Key(
        "sort_by",
        text("fields to sort by", check=parsed_by(parse_sort)),
        "Such as `severity DESC, path`.",
    ),
    Key(
        "distinct",
        text("a field", check=parsed_by(parse_path)),
        "Of items with an equal value here, the first stays.",
    ),
    Key("offset", whole(0), "How many items to leave out at the start."),
    Key("max_items", whole(0), "How many items to take at most."),
    Key("max_parallel", whole(1, code="limit-zero"), "How many agents run at once at most."),
    Key(
        "agent_template",
        _steps_or_commands(_AGENT_STEPS),
        "The steps of every agent, in order.",
        required=True,
    ),
    expected="a mapping with `input:` and `agent_template:`",
    elsewhere=_MAP_ELSEWHERE,
)


MERGE: Final = table(
    MergePhase,
    Key("history", choice(History), "A merge commit for each agent, or one line of commits."),
    Key("resolve", _RESOLVE_STEPS, "Steps that run in a worktree with a conflict in it."),
    expected="a mapping with `history:` and `resolve:`",
    elsewhere=frozenset(["commands", "timeout"]),
)


_POLICY_KEYS: Final = frozenset(key.name for key in FAILURE_KEYS)


def _workflow(
    *,
    setup: dict[str, Any] | None = None,
    map: MapPhase,  # noqa: A002 (the word of the file)
    agents: Mapping[str, AgentForm] | None = None,
    error_policy: dict[str, Any] | None = None,
    **more: Any,
) -> Workflow:
    found = setup or {}
    top = {key: more.pop(key) for key in _POLICY_KEYS & more.keys()}
    policy = failure_policy(**given_once(top, error_policy or {}, within="error_policy"))
    return Workflow(
        setup=found.get("commands", ()),
        setup_timeout=found.get("timeout"),
        map=evolve(map, failure_policy=policy),
        agents=templates_of(agents or {}),
        **more,
    )


WORKFLOW: Final = table(
    _workflow,
    Key("name", _NAME, "What people call it.", required=True),
    Key("mode", choice(Mode), "The shape of the workflow.", required=True),
    Key("setup", _SETUP, "Steps that run first, in the run's own worktree."),
    Key("map", MAP, "The items, and what an agent does with each.", required=True),
    Key("merge", MERGE, "How the work of agents comes together."),
    Key(
        "reduce",
        _steps_or_commands(_REDUCE_STEPS),
        "Steps that run after every agent that succeeded was merged.",
    ),
    Key("agents", FORMS, "How coding agents are called, by name."),
    Key("resources", RESOURCES, "What there is of each resource that steps hold."),
    Key("in_doubt", choice(InDoubt), "What becomes of steps in doubt when a run is resumed."),
    Key("secrets", _SECRETS, "Environment variables whose values are shown nowhere."),
    Key("error_policy", ERROR_POLICY, "What to do about items that fail."),
    *FAILURE_KEYS,
    expected="a workflow: a mapping with `name:`, `mode:` and `map:`",
    elsewhere=_TOP_ELSEWHERE,
)
