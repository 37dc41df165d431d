"""Which names a step can refer to: `${item.path}` in an agent, `${map.failed}` in reduce.

A reference whose first part is none of these names belongs to the shell, `${HOME}` for
instance, and is not looked at; nor is one that has a default. One that no shell could read,
`${item.path}`, can only be a mistake where there is no `item`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Final

from anabranch.expressions import Reference, check_shell, parse_template
from anabranch.values import ConfigError, Problem, did_you_mean
from anabranch.workflow.checks import Check, Problems


class Phase(StrEnum):
    """A part of a workflow that has steps, by its path in a file."""

    SETUP = "setup"
    AGENT = "map.agent_template"
    REDUCE = "reduce"


_WORKFLOW: Final = {"workflow": ("name", "run")}

SCOPES: Final[Mapping[Phase, Mapping[str, tuple[str, ...]]]] = {
    Phase.SETUP: _WORKFLOW,
    Phase.AGENT: {**_WORKFLOW, "agent": ("id", "name"), "item": ()},
    Phase.REDUCE: {**_WORKFLOW, "map": ("failed", "successful", "total")},
}
"""What each phase knows, and what is inside; nothing where that depends on the items."""


def references_known_in(phase: Phase) -> Check[str]:
    """Refuse references that can never have a value in the steps of a phase.

    >>> check = references_known_in(Phase.REDUCE)
    >>> [p.message for p in check("echo ${item.id} ${map.faild} ${HOME} ${map.total}")]
    ['`item` is only known in `map.agent_template`', 'nothing by this name']
    """

    def check(value: str) -> Problems:
        try:
            template = parse_template(value, shell=True)
        except ConfigError as error:
            return error.problems
        return tuple(p for reference in template.references for p in _problems(reference, phase))

    return check


def commands_safe_in(phase: Phase) -> Check[str]:
    """Refuse commands in which a value could not be data, or whose quotes are not closed.

    >>> [p.code for p in commands_safe_in(Phase.AGENT)("eval ${item.id}; eval $EDITOR")]
    ['value-as-code']
    """
    return partial(check_shell, names=SCOPES[phase])


def _problems(reference: Reference, phase: Phase) -> Iterator[Problem]:
    head, *rest = map(str, reference.path.names or ("",))
    if not rest or reference.default is not None:
        return
    homes = [home.value for home, scope in SCOPES.items() if head in scope]
    inside = SCOPES[phase].get(head)
    if homes and inside is None:
        yield _undefined(reference, f"`{head}` is only known in `{'`, `'.join(homes)}`")
    elif inside and rest[0] not in inside:
        names = [f"{head}.{name}" for name in inside]
        yield _undefined(
            reference,
            "nothing by this name",
            expected=f"one of `{'`, `'.join(names)}`",
            hint=did_you_mean(f"{head}.{rest[0]}", names),
        )


def _undefined(
    reference: Reference, message: str, *, expected: str | None = None, hint: str | None = None
) -> Problem:
    return Problem(
        code="undefined-variable",
        message=message,
        where=reference.where,
        value=reference.raw,
        expected=expected,
        hint=hint,
    )
