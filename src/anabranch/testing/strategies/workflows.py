"""Workflows: as values, as the text of files, and as files with something wrong in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any, Final, TypeAlias

from attrs import evolve, frozen
from hypothesis import strategies as st

from anabranch.expressions import check_shell
from anabranch.planning import (
    AGENTS,
    AgentTemplate,
    CircuitBreaker,
    Claim,
    Command,
    ErrorClass,
    ErrorMatcher,
    ErrorPattern,
    FailurePolicy,
    Limits,
    OnItemFailure,
    RateLimit,
    RetryPolicy,
    plan_work_assignments,
)
from anabranch.planning.captures import Capture, CaptureFormat
from anabranch.workflow import (
    History,
    InDoubt,
    MapPhase,
    MergePhase,
    Plan,
    Step,
    Workflow,
    make_plan,
    to_data,
    to_yaml,
)
from anabranch.workflow.checks import capture_name, inner_path
from anabranch.workflow.model import sound_steps
from anabranch.workflow.scopes import Phase, references_known_in

_CONDITIONS = ("severity == 'high'", "size > 10 and not draft", "name in [a, 'b c']")
_ORDERS = ("name", "severity DESC, name", "size ASC NULLS FIRST")
_PATHS = ("$[*]", "$.items[*]", "$..module", "$.a[0:2]")
_AGENTS = ("claude", "reviewer", "on", "a: b", "014")
_FIELDS = ("name", "item.path", "a.b[0]")


def texts(*, min_size: int = 1) -> st.SearchStrategy[str]:
    """Text that a process can be given: any characters but NUL and surrogates, not blank."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    nasty = st.sampled_from(
        ["\n", " ", "\t", "#", ":", "- ", "'", '"', "\\", "${x}", "|", "%", "~"]
    )
    parts = st.lists(nasty | st.text(characters, max_size=4), min_size=min_size, max_size=4)
    return parts.map("".join).filter(lambda text: bool(text.strip()))


def names() -> st.SearchStrategy[str]:
    """Names of workflows and steps: not blank, one line."""
    words = st.sampled_from(["build", "on", "014", "null", "a: b", "- x", "true", "1e3", "é"])
    return words | texts().filter(lambda text: len(text.splitlines()) == 1)


def durations() -> st.SearchStrategy[timedelta]:
    """Time limits: above zero, to the microsecond, up to a year."""
    return st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=366))


def agents() -> st.SearchStrategy[dict[str, AgentTemplate]]:
    """Templates of agents, with the prompt among the arguments and without."""
    words = texts().filter(lambda text: "$" not in text) | st.just("${prompt}")
    argv = st.tuples(names().filter(lambda name: "$" not in name), st.lists(words, max_size=3))
    made = argv.map(lambda parts: AgentTemplate((parts[0], *parts[1])))
    return st.dictionaries(st.sampled_from(_AGENTS), made, max_size=2)


def _values() -> st.SearchStrategy[str]:
    """Texts that no shell reads: every reference in them is known."""
    known = references_known_in(Phase.SETUP, shell=False, captured=())
    return texts().filter(lambda text: not known(text))


def _scripts() -> st.SearchStrategy[str]:
    """Texts that a shell reads: every quote in them is closed."""
    return texts().filter(lambda text: not check_shell(text, ()))


def resource_lists() -> st.SearchStrategy[frozenset[str] | None]:
    """What a step may declare that it reads or writes."""
    known = ["var:A", "file:src", "file:src/*.py", "file:a b/é", "workspace"]
    return st.none() | st.frozensets(st.sampled_from(known), max_size=2)


@cache
def commands() -> st.SearchStrategy[Command]:
    """Commands with any of the attributes that a file can give them, but for dependencies."""
    asked = st.builds(Command, agent=st.sampled_from([*AGENTS]), prompt=_values())
    said = st.tuples(st.none() | names(), resource_lists(), resource_lists(), st.booleans())
    return st.builds(_said, st.builds(Command, _scripts()) | asked, said)


def _said(command: Command, said: tuple[str | None, _Resources, _Resources, bool]) -> Command:
    name, reads, writes, parallel_safe = said
    return evolve(command, name=name, reads=reads, writes=writes, parallel_safe=parallel_safe)


_Resources: TypeAlias = frozenset[str] | None


def step_claims() -> st.SearchStrategy[list[Claim]]:
    """Claims that the resources of `workflows` can always meet."""
    known = [
        Claim("gpu"),
        Claim("gpu", amount=2),
        Claim("api"),
        Claim("db"),
        Claim("db", shared=True),
    ]
    return st.lists(st.sampled_from(known), max_size=2, unique_by=lambda claim: claim.name)


def resources() -> st.SearchStrategy[Limits]:
    """What there is of the resources that `step_claims` speaks of."""
    rates = st.builds(RateLimit, starts=st.integers(1, 5), per=durations())
    return st.builds(
        Limits,
        pools=st.fixed_dictionaries({"gpu": st.integers(2, 4)}),
        rates=st.dictionaries(st.just("api"), rates),
    )


@cache
def steps() -> st.SearchStrategy[Step]:
    """Steps with any of the attributes that a file can give them."""
    values = st.just("") | _values()
    variables = st.dictionaries(
        st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z"), values, max_size=3
    )
    step = st.builds(
        Step,
        commands(),
        when=st.none() | st.sampled_from(_CONDITIONS),
        timeout=st.none() | durations(),
        env=variables,
        commit_required=st.booleans(),
        resources=step_claims(),
        optional=st.booleans(),
        estimate=st.none() | durations(),
    )
    errors = st.lists(st.sampled_from(_ERRORS), max_size=2).map(tuple)
    capturing = st.builds(_capturing, step, captures())
    committing = st.builds(_committing, step, st.none() | _values())
    retries = st.none() | st.sampled_from(_RETRIES)
    retried = st.builds(_retried, step | committing | capturing, retries, errors)
    return st.builds(_doubted, retried, st.none() | st.sampled_from([*InDoubt, "test -e done"]))


def captures() -> st.SearchStrategy[Capture]:
    """Captures under any name that may be one, but for `x`, which texts refer to."""
    names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}(\.output)?\Z")
    free = names.filter(lambda name: name[0] != "x" and not capture_name(name))
    return st.builds(Capture, name=free, format=st.sampled_from(CaptureFormat))


def _capturing(step: Step, capture: Capture) -> Step:
    return evolve(step, capture=capture)


def _committing(step: Step, message: str | None) -> Step:
    return evolve(step, auto_commit=True, commit_message=message)


def _doubted(step: Step, policy: InDoubt | str | None) -> Step:
    if policy is None or isinstance(policy, InDoubt):
        return evolve(step, in_doubt=policy)
    return evolve(step, probe=policy)


def _retried(step: Step, retry: RetryPolicy | None, errors: tuple[ErrorMatcher, ...]) -> Step:
    return step if retry is None else evolve(step, retry=retry, retry_on=errors)


_RETRIES = (
    RetryPolicy.exponential("1s", max_attempts=3, cap="30s"),
    RetryPolicy.fixed("1500ms", budget="1m", max_attempts=1),
    RetryPolicy.custom(["1s", 0, "90s"], max_attempts=7, jitter=0.25),
)
_POLICIES = (
    FailurePolicy(),
    FailurePolicy(on_item_failure=OnItemFailure.SKIP, max_failures=3, retry=_RETRIES[0]),
    FailurePolicy(continue_on_failure=False, circuit_breaker=CircuitBreaker()),
    FailurePolicy(on_item_failure=OnItemFailure.RETRY, failure_threshold=0.5),
)
_ERRORS = (ErrorClass.NETWORK, ErrorClass.TIMEOUT, ErrorPattern("E[0-9]+"))


def map_phases() -> st.SearchStrategy[MapPhase]:
    """Map phases with any of their attributes."""
    return st.builds(
        MapPhase,
        input=names().filter(lambda name: not inner_path(name)),
        json_path=st.sampled_from(["$", *_PATHS]),
        filter=st.none() | st.sampled_from(_CONDITIONS),
        sort_by=st.none() | st.sampled_from(_ORDERS),
        distinct=st.none() | st.sampled_from(_FIELDS),
        offset=st.integers(0, 100),
        max_items=st.none() | st.integers(0, 1000),
        max_parallel=st.integers(1, 100),
        agent_template=_some_steps(min_size=1),
        failure_policy=st.sampled_from(_POLICIES),
    )


@cache
def _apart(min_size: int) -> st.SearchStrategy[list[Step]]:
    some = st.lists(steps(), min_size=min_size, max_size=3)
    return some.filter(lambda made: not sound_steps(made))


@st.composite
def _some_steps(draw: st.DrawFn, *, min_size: int = 0) -> tuple[Step, ...]:
    """Steps with names of their own, of which some depend on earlier ones."""
    found = draw(_apart(min_size))
    known = [step.name or str(at) for at, step in enumerate(found)]
    for at, step in enumerate(found[1:], start=1):
        before = draw(st.lists(st.sampled_from(known[:at]), max_size=2, unique=True))
        found[at] = evolve(step, command=evolve(step.command, depends_on=tuple(before)))
    return tuple(found)


def workflows() -> st.SearchStrategy[Workflow]:
    """Workflows as values."""
    return st.builds(
        Workflow,
        name=names(),
        setup=_some_steps(),
        setup_timeout=st.none() | durations(),
        map=map_phases(),
        merge=st.builds(MergePhase, history=st.sampled_from(History), resolve=_some_steps()),
        reduce=_some_steps(),
        agents=agents(),
        resources=resources(),
        in_doubt=st.sampled_from(InDoubt),
        secrets=st.lists(st.sampled_from(["TOKEN", "_KEY"]), max_size=2).map(tuple),
    )


def plans() -> st.SearchStrategy[Plan]:
    """Plans of workflows, with items and without."""
    values = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    items = values | st.dictionaries(st.sampled_from(["name", "size"]), values)
    documents = st.lists(items, max_size=5)
    assignments = documents.map(plan_work_assignments)
    return st.builds(make_plan, workflows(), st.none() | assignments)


_LAYOUTS: list[Callable[[Workflow], str]] = [
    to_yaml,
    lambda workflow: json.dumps(to_data(workflow)),
    lambda workflow: json.dumps(to_data(workflow), indent="\t"),
    lambda workflow: json.dumps(to_data(workflow), indent=2, separators=(",", ":")),
]


def workflow_texts() -> st.SearchStrategy[str]:
    """Files that load: workflows in YAML, and in JSON in several layouts."""
    return st.one_of(*(workflows().map(layout) for layout in _LAYOUTS))


# --- what is wrong -----------------------------------------------------------------------------

_SMALL: dict[str, Any] = {
    "name": "small",
    "mode": "mapreduce",
    "setup": [{"shell": "make items", "timeout": 5, "env": {"A": "1"}}],
    "map": {
        "input": "items.json",
        "offset": 0,
        "max_items": 9,
        "max_parallel": 2,
        "agent_template": [{"name": "one", "shell": "make", "commit_required": True}],
    },
    "reduce": ["make report"],
}

_Path = Sequence[str | int]

_MAPPINGS: list[_Path] = [(), ("setup", 0), ("map",), ("map", "agent_template", 0)]
_REQUIRED: list[_Path] = [
    ("name",),
    ("mode",),
    ("map",),
    ("map", "input"),
    ("map", "agent_template"),
    ("setup", 0, "shell"),
]
_WRONG: list[tuple[_Path, list[Any]]] = [
    (("name",), [None, 1, "", " ", "a\nb", [], {}]),
    (("mode",), [None, "sequential", 3, []]),
    (("setup",), [None, "make", 1, {}, {"commands": []} | {"x": 1}, [[]], [None]]),
    (("setup", 0, "timeout"), [0, -1, "soon", True, None, []]),
    (("setup", 0, "env"), [None, [], "A=1", {"1": "x"}, {"A": None}, {"A": []}]),
    (("map",), [None, [], "x"]),
    (("map", "offset"), [-1, 0.5, "0", True, None]),
    (("map", "max_items"), [-1, 1.0, "9", []]),
    (("map", "max_parallel"), [0, -1, "2", False, 1e3, None]),
    (("map", "agent_template"), [[], None, "make", {}, {"commands": []}]),
    (("map", "agent_template", 0), [None, 1, "", [], {}, {"name": "x"}]),
    (("map", "agent_template", 0, "commit_required"), ["yes", 1, None]),
    (("setup", 0, "depends_on"), [None, {}, [[]], "x", ["0"], [0, 0]]),
    (("setup", 0, "writes"), [None, 1, "src", ["var:"], {}]),
    (("setup", 0, "parallel_safe"), ["yes", None]),
    (("setup", 0, "resources"), [None, 1, {"gpu": 0}, {"gpu": "some"}, [[]], {"": 1}]),
    (("setup", 0, "estimate"), [0, "soon", None]),
    (("setup", 0, "retry"), [None, 3, {}, {"max_attempts": 0}, {"max_attempts": 2, "jitter": 2}]),
    (("resources",), [None, [], {"gpu": 0}, {"gpu": {"starts": 1}}, {"gpu": {"per": 1}}]),
    (("error_policy",), [None, [], {"on_item_failure": "fail"}, {"failure_threshold": 2}]),
    (("max_failures",), [0, "2", None]),
    (("circuit_breaker",), [None, {"timeout": -1}, {"half_open_requests": 0}]),
    (("retry_config",), [{"budget": 5, "backoff": "fast"}, {"budget": 5, "backoff": {}}]),
    (("reduce",), [None, "make", [""], [[]]]),
    (("reduce", 0), [{"claude": ""}, {"claude": "x", "shell": "y"}, {"claude": "${item.x}"}]),
    (("reduce", 0), [{"agent": "x"}, {"agent": {"use": "nobody", "prompt": "x"}}]),
    (("agents",), [None, [], {"mine": []}, {"mine": {}}, {"mine": ["x", "${y}"]}]),
]


def invalid_workflow_texts() -> st.SearchStrategy[str]:
    """Files that are YAML but no workflow: a key misspelt or missing, or a value that is wrong."""
    mistakes = st.lists(st.sampled_from(_MISTAKES), min_size=1, max_size=3)
    return mistakes.map(_with_mistakes)


@frozen
class _Mistake:
    """Another value at a place, or nothing there at all."""

    path: _Path
    value: Any = None
    gone: bool = False


_STRANGE: Final = ("nmae", "max_paralel", "shel", "agents", "on", "<<", "é", "")
_MISTAKES: Final = (
    *(_Mistake((*path, key), "x") for path in _MAPPINGS for key in _STRANGE),
    *(_Mistake(path, gone=True) for path in _REQUIRED),
    *(_Mistake(path, value) for path, values in _WRONG for value in values),
)


def _with_mistakes(mistakes: list[_Mistake]) -> str:
    data = copy.deepcopy(_SMALL)
    for mistake in mistakes:
        # An earlier mistake may have taken away the place of a later one.
        with suppress(KeyError, IndexError, TypeError):
            _make(mistake, data)
    return json.dumps(data, indent=2)


def _make(mistake: _Mistake, data: Any) -> None:
    *above, last = mistake.path
    for key in above:
        data = data[key]
    if mistake.gone:
        del data[last]
    else:
        data[last] = mistake.value


def damaged_texts() -> st.SearchStrategy[str]:
    """Files that loaded until a few characters were cut out of them or put into them."""
    pieces = st.sampled_from(
        [
            "\t",
            " ",
            "\n",
            ":",
            "- ",
            "'",
            '"',
            "{",
            "]",
            "&a ",
            "*a",
            "!x ",
            "|",
            "%",
            "\0",
            "\ud800",
        ]
    )
    cuts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), pieces | st.just("")), max_size=4)
    return st.builds(_damaged, workflow_texts(), cuts)


def _damaged(text: str, cuts: list[tuple[float, int, str]]) -> str:
    for share, count, piece in cuts:
        at = int(share * len(text))
        text = text[:at] + piece + text[at + count :]
    return text
