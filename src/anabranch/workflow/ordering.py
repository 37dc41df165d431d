"""The order of the steps of a list: which of them wait for which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve

from anabranch.planning import Command, CommandGraph, analyze_dependencies
from anabranch.workflow.model import Step
from anabranch.workflow.scopes import GIT_STATE

_NAME: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)?")


def order_of(steps: Sequence[Step]) -> CommandGraph:
    """Find which steps wait for which, by all that each of them refers to.

    >>> from anabranch.workflow import step
    >>> order_of([step("A=1"), step("B=2"), step("C=3", when="A == 1")]).parallel_batches()
    [[0, 1], [2]]
    """
    return analyze_dependencies([_command(step) for step in steps])


def _command(step: Step) -> Command:
    """The command with everything else of the step that is filled in before it runs.

    What a condition names is taken for variables, all of it: a dependency too many does no harm.
    """
    names = _NAME.findall(step.when or "")
    others = (step.commit_message, step.probe, *(f"${{{name}}}" for name in names))
    texts = (*step.env.values(), *others)
    captures = frozenset({step.capture.variable} if step.capture else ())
    return evolve(step.command, texts=tuple(filter(None, texts)), captures=captures)


def refers_to_changes(name: str, steps: Sequence[Step]) -> bool:
    """Whether a step may ask for the git state that has a name: `step` or `map`.

    >>> from anabranch.workflow import step
    >>> refers_to_changes("step", [step("make"), step("ruff check ${step.files_added:*.py}")])
    True
    >>> refers_to_changes("map", [step("echo ${map.total}")])
    False
    """
    asked = re.compile(rf"\b{name}\s*(?:[.\[]\W*(?:{'|'.join(GIT_STATE)})\b|[:}}])")
    return any(asked.search(text) for step in steps for text in _texts(step))


def _texts(step: Step) -> Iterator[str]:
    yield step.command.text
    yield step.when or ""
    yield step.probe or ""
    yield from step.env.values()
