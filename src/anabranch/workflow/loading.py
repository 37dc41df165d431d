"""Text of a workflow file → `Workflow`, or everything that is wrong with it."""

from __future__ import annotations

from typing import Final

from returns.result import Failure

from anabranch.planning import Strictness
from anabranch.values import ConfigError, Problem
from anabranch.values.yaml import Node, Place, Spot, read_yaml
from anabranch.workflow.grammar import WORKFLOW
from anabranch.workflow.model import Workflow
from anabranch.workflow.shapes import placed
from anabranch.workflow.validation import validate_workflow

MAX_SIZE: Final = 1_000_000
"""How many bytes or characters a workflow file may hold."""


def load_workflow(source: str | bytes, *, file: str | None = None) -> Workflow:
    r"""Read a workflow from the text of a YAML 1.2 or JSON file.

    Args:
        source: the file's content; bytes are UTF-8.
        file: the name to show in problems.

    Raises:
        ConfigError: with every problem that could be found, in the order of the file, each
            with line, column and path. Text that is not YAML at all ends the search.

    >>> flow = load_workflow("{name: tidy, mode: mapreduce, map: {input: i, agent_template: [ls]}}")
    >>> flow.map.agent_template[0].command.shell
    'ls'
    >>> load_workflow("name: tidy\nmode: mapreduce\nmap: {input: i, max_paralel: 4}", file="flow.yml")
    Traceback (most recent call last):
    ...
    anabranch.values.errors.ConfigError: flow.yml:3:6 (map): a key is missing: agent_template
      expected: a list of steps, or a mapping with `commands:`
    flow.yml:3:17 (map.max_paralel): unknown key: max_paralel
      hint: did you mean `max_parallel`?
    """
    return _read(source, Spot(file))[0]


def check_workflow(
    source: str | bytes,
    *,
    file: str | None = None,
    strictness: Strictness = Strictness.STANDARD,
) -> tuple[Workflow, tuple[Problem, ...]]:
    r"""Read a workflow, and find what is wrong or doubtful with one that can be run.

    Args:
        source: the file's content; bytes are UTF-8.
        file: the name to show in problems.
        strictness: how much is asked.

    Returns:
        The workflow, and its problems in the order of the file, each with line, column and
        path. Whether they refuse it says their severity.

    Raises:
        ConfigError: it cannot be run at all; as `load_workflow`.

    >>> text = "name: w\nmode: mapreduce\nmap: {input: i, filter: 1 > 2, agent_template: [ls]}"
    >>> print(*check_workflow(text, file="w.yml")[1])
    w.yml:3:25 (map.filter): this never holds: 1 > 2
      hint: take out what it guards, or name a variable
    """
    spot = Spot(file)
    workflow, top = _read(source, spot)
    found = (placed(p, top, spot) for p in validate_workflow(workflow, strictness=strictness))
    return workflow, tuple(sorted(found, key=_position))


def _read(source: str | bytes, spot: Spot) -> tuple[Workflow, Node]:
    document = read_yaml(_decoded(source, spot), spot, expected="a workflow")
    if document.top is None:
        raise ConfigError(*document.problems)
    result = WORKFLOW.read(document.top, spot)
    found = result.failure() if isinstance(result, Failure) else ()
    problems = sorted((*document.problems, *found), key=_position)
    if problems:
        raise ConfigError(*problems)
    return result.unwrap(), document.top


def _position(problem: Problem) -> tuple[int, int]:
    return problem.where.line or 0, problem.where.column or 0


def _decoded(source: str | bytes, spot: Spot) -> str:
    if len(source) > MAX_SIZE:
        raise _refused("too-large", "the file is too large for a workflow", spot, Place(1, 1))
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        place = Place(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise _refused("not-utf8", "the file is not UTF-8 text", spot, place) from None


def _refused(code: str, message: str, spot: Spot, place: Place) -> ConfigError:
    return ConfigError(spot.put(Problem(code=code, message=message), place))
