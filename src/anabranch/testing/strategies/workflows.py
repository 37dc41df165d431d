"""Workflows: as values, as the text of files, and as files with something wrong in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from attrs import frozen
from hypothesis import strategies as st

from anabranch.planning import AGENTS, AgentTemplate, Command, plan_work_assignments
from anabranch.workflow import MapPhase, Plan, Step, Workflow, make_plan, to_data, to_yaml
from anabranch.workflow.checks import inner_path
from anabranch.workflow.model import distinct_steps
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


def _commands() -> st.SearchStrategy[Command]:
    shell = st.builds(Command, texts(), name=st.none() | names())
    asked = st.builds(
        Command, agent=st.sampled_from([*AGENTS]), prompt=_values(), name=st.none() | names()
    )
    return shell | asked


def _values() -> st.SearchStrategy[str]:
    """Texts that no shell reads: every reference in them is known."""
    known = references_known_in(Phase.SETUP, shell=False)
    return texts().filter(lambda text: not known(text))


def steps() -> st.SearchStrategy[Step]:
    """Steps with any of the attributes that a file can give them."""
    values = st.just("") | _values()
    variables = st.dictionaries(
        st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z"), values, max_size=3
    )
    return st.builds(
        Step,
        _commands(),
        when=st.none() | st.sampled_from(_CONDITIONS),
        timeout=st.none() | durations(),
        env=variables,
        commit_required=st.booleans(),
    )


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
    )


def _some_steps(*, min_size: int = 0) -> st.SearchStrategy[tuple[Step, ...]]:
    some = st.lists(steps(), min_size=min_size, max_size=3).map(tuple)
    return some.filter(lambda found: not distinct_steps(found))


def workflows() -> st.SearchStrategy[Workflow]:
    """Workflows as values."""
    return st.builds(
        Workflow,
        name=names(),
        setup=_some_steps(),
        setup_timeout=st.none() | durations(),
        map=map_phases(),
        reduce=_some_steps(),
        agents=agents(),
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
