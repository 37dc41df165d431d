"""Hypothesis strategies for workflows that run: each with the world that its commands work in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from hypothesis import strategies as st

from anabranch.environment import Invocation
from anabranch.program.places import KEY_VARIABLE
from anabranch.testing.git import MemoryTree
from anabranch.testing.simulation import Process, Script, World
from anabranch.workflow import Workflow, load_workflow

_Data = dict[str, Any]


@frozen(kw_only=True)
class Runnable:
    """A workflow, and a world to run it in.

    Attributes:
        workflow: what runs.
        world: where; nothing goes wrong there but what commands do.
        exact: whether it ends alike however often its process dies. It does not where what
            nobody knows counts as failed, or where a failure stops what has not begun yet.
    """

    workflow: Workflow
    world: World
    exact: bool


def runnable_workflows(*, max_items: int = 3, max_steps: int = 2) -> st.SearchStrategy[Runnable]:
    """Small workflows of all shapes, with commands that commit, fail, clash, hang and retry.

    They have setup, agents and reduce, retries, failure policies, policies for what is in doubt,
    resources, optional steps, coding agents, resolvers of conflicts, and a linear history or not.
    They shrink to one agent with one command that does nothing.

    Args:
        max_items: how many agents there are at most.
        max_steps: how many steps each list of them has at most.

    >>> from anabranch.testing.simulation import simulate
    >>> from hypothesis import find
    >>> found = find(runnable_workflows(), lambda made: True)
    >>> simulate(found.workflow, found.world, schedules=1).runs
    1
    """
    return st.builds(
        _runnable,
        items=st.integers(1, max_items),
        limit=st.integers(1, 3),
        template=_steps(max_steps, min_size=1),
        setup=_steps(max_steps),
        reduce=_steps(max_steps),
        merge=st.sampled_from(_MERGES),
        policy=st.sampled_from(_POLICIES),
        in_doubt=st.sampled_from(["rerun", "rerun", "dlq"]),
        notes=st.booleans(),
    )


def _runnable(
    *,
    items: int,
    limit: int,
    template: list[_Data],
    setup: list[_Data],
    reduce: list[_Data],
    merge: _Data,
    policy: _Data,
    in_doubt: str,
    notes: bool,
) -> Runnable:
    phases = {"setup": setup, "reduce": reduce, "merge": merge, "error_policy": policy}
    data: _Data = {
        "name": "made",
        "mode": "mapreduce",
        "agents": {"mine": ["mine", "${prompt}"]},
        "resources": {"gpu": 2},
        "in_doubt": in_doubt,
        "map": {"input": "items.json", "max_parallel": limit, "agent_template": template},
        **{name: phase for name, phase in phases.items() if phase},
    }
    world = World(
        files={"items.json": json.dumps([{"id": n} for n in range(items)])},
        uncommitted={"notes.txt": "mine"} if notes else {},
        commands=COMMANDS,
    )
    exact = _ends_alike([setup, template, reduce], policy, in_doubt)
    text = json.dumps(data)
    return Runnable(workflow=load_workflow(text, file="made.json"), world=world, exact=exact)


def _ends_alike(phases: list[list[_Data]], policy: _Data, in_doubt: str) -> bool:
    doubts = {step.get("in_doubt", in_doubt) for steps in phases for step in steps}
    early = policy.get("on_item_failure") == "stop" or len(policy) >= _MANY
    return "dlq" not in doubts and not early and not any(map(_races, phases))


def _races(steps: list[_Data]) -> bool:
    """Whether one step may commit what another, beside it, leaves."""
    leaves = any(step.get("shell") == "leave" for step in steps)
    return leaves and any("parallel_safe" in step for step in steps)


# --- steps -------------------------------------------------------------------------------------

_PLAIN: Final[tuple[_Data, ...]] = (
    {"shell": "nothing"},
    {"shell": "commit"},
    {"shell": "fail"},
    {"shell": "fail-second"},
    {"shell": "clash"},
    {"shell": "leave"},
    {"shell": "commit slowly"},
    {"agent": {"use": "mine", "prompt": "commit"}},
    {"shell": "commit", "commit_required": True},
    {"shell": "nothing", "commit_required": True},
    {"shell": "leave", "auto_commit": True},
    {"shell": "hang", "timeout": "5s"},
    {"shell": "say", "capture": "said"},
    {"shell": "flaky", "retry": {"max_attempts": 2, "backoff": "fixed"}},
    {"shell": "fail-second", "retry": {"max_attempts": 3, "backoff": "fixed"}},
    {"shell": "hang", "timeout": "5s", "retry": {"max_attempts": 2}},
)
_MORE: Final[tuple[_Data, ...]] = (
    {},
    {"optional": True},
    {"parallel_safe": True},
    {"resources": {"gpu": 1}},
    {"resources": ["lock"]},
    {"when": "missing == 1"},
    {"in_doubt": "dlq"},
    {"in_doubt": "rerun"},
    {"probe": "probe"},
)
_MERGES: Final[tuple[_Data, ...]] = (
    {},
    {"history": "linear"},
    {"resolve": [{"shell": "resolve"}]},
    {"history": "linear", "resolve": [{"shell": "resolve"}, {"shell": "nothing"}]},
    {"resolve": [{"shell": "resolve", "retry": {"max_attempts": 2}}, {"shell": "fail"}]},
    {"resolve": [{"shell": "nothing"}]},
)
_POLICIES: Final[tuple[_Data, ...]] = (
    {},
    {"on_item_failure": "skip"},
    {"on_item_failure": "retry", "retry_config": {"max_attempts": 2, "backoff": "fixed"}},
    {"on_item_failure": "stop"},
    {"on_item_failure": "dlq", "max_failures": 1, "continue_on_failure": False},
)
_MANY: Final = 3
"""A policy that says so much stops the run early."""


@st.composite
def _steps(draw: st.DrawFn, most: int, *, min_size: int = 0) -> list[_Data]:
    """A few steps with names of their own, of which some depend on others."""
    plain, more = st.sampled_from(_PLAIN), st.sampled_from(_MORE)
    pairs = draw(st.lists(st.tuples(plain, more), min_size=min_size, max_size=most))
    steps = [{**one, **other, "name": f"s{at}"} for at, (one, other) in enumerate(pairs)]
    names = set[str]()
    for step in steps:
        if "capture" in step and step["capture"] in names:
            del step["capture"]
        names.add(step.get("capture", ""))
    if len(steps) > 1 and draw(st.booleans()):
        steps[1] = {**steps[1], "depends_on": ["s0"]}
    return steps


# --- what commands do --------------------------------------------------------------------------


def _path(invocation: Invocation) -> str:
    """A file that is the command's own, however often it is run."""
    key = invocation.env[KEY_VARIABLE]
    return f"made/{key.replace('/', '-').replace('[', '-').rstrip(']')}.txt"


def _writing(*, commit: bool, path: str | None = None, takes: float = 0) -> Script:
    def script(invocation: Invocation) -> Process:
        mine, key = path or _path(invocation), invocation.env[KEY_VARIABLE]

        def work(tree: MemoryTree) -> None:
            tree.write(mine, key)
            if commit:
                tree.commit()

        return Process(work=work, takes=takes, flaky=int("flaky" in invocation.argv[-1]))

    return script


def _second_fails(invocation: Invocation) -> Process:
    return Process(exit_code=int("agent-1" in invocation.cwd), stderr="no\n")


def _probing(invocation: Invocation) -> Process:
    path = _path(invocation)
    return Process(exit_code=lambda tree: int(path not in tree.files))


COMMANDS: Final[Mapping[str, Script]] = {
    "nothing": Process(),
    "commit slowly": _writing(commit=True, takes=3),
    "commit": _writing(commit=True),
    "flaky": _writing(commit=True),
    "clash": _writing(commit=True, path="same.txt"),
    "leave": _writing(commit=False),
    "resolve": Process(work=lambda tree: tree.write("same.txt", "resolved")),
    "fail": Process(exit_code=1, stderr="no\n"),
    "fail-second": _second_fails,
    "hang": Process(hangs=True, stubborn=True),
    "say": Process(stdout="said\n"),
    "probe": _probing,
}
"""What the commands of `runnable_workflows` do, by their texts."""
