"""Which names a step can refer to: `${item.path}` in an agent, `${map.failed}` in reduce.

In a command, a reference whose first part is none of these names belongs to the shell,
`${HOME}` for instance, and is not looked at; nor is one that has a default, anywhere. One that
no shell could read, `${item.path}`, can only be a mistake where there is no `item`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from attrs import evolve

from anabranch.expressions import Reference, check_shell, parse_template
from anabranch.values import ConfigError, Problem, did_you_mean
from anabranch.workflow.checks import Check, Problems


class Phase(StrEnum):
    """A part of a workflow that has steps, by its path in a file."""

    SETUP = "setup"
    AGENT = "map.agent_template"
    RESOLVE = "merge.resolve"
    REDUCE = "reduce"


GIT_STATE: Final = (
    "commit_count",
    "commits",
    "deletions",
    "files_added",
    "files_changed",
    "files_deleted",
    "files_modified",
    "files_renamed",
    "insertions",
)
"""What is known of the git state of a step, and of all agents together."""

_WORKFLOW: Final = {"workflow": ("name", "run"), "step": GIT_STATE}

SCOPES: Final[Mapping[Phase, Mapping[str, tuple[str, ...]]]] = {
    Phase.SETUP: _WORKFLOW,
    Phase.AGENT: {**_WORKFLOW, "agent": ("id", "name"), "item": ()},
    Phase.RESOLVE: {
        **_WORKFLOW,
        "agent": ("id", "name"),
        "item": (),
        "merge": ("conflicts", "source", "target"),
    },
    Phase.REDUCE: {**_WORKFLOW, "map": ("failed", "successful", "total", *GIT_STATE)},
}
"""What each phase knows, and what is inside; nothing where that depends on the items."""


def references_known_in(
    phase: Phase, *, shell: bool = True, captured: Collection[str] | None = None
) -> Check[str]:
    """Refuse references that can never have a value in the steps of a phase.

    Args:
        phase: where the text stands.
        shell: whether a shell reads it; if none does, nothing is left for it to know.
        captured: variables that steps capture; `None` is not known yet, so that any name may
            be one of them.

    >>> check = references_known_in(Phase.REDUCE)
    >>> [p.message for p in check("echo ${item.id} ${map.faild} ${HOME} ${map.total}")]
    ['`item` is only known in `map.agent_template`, `merge.resolve`', 'nothing by this name']
    """

    def check(value: str) -> Problems:
        try:
            template = parse_template(value, shell=shell)
        except ConfigError as error:
            return error.problems
        found = (
            _problem(one, phase, shell=shell, captured=captured) for one in template.references
        )
        return tuple(problem for problem in found if problem is not None)

    return check


def commands_safe_in(phase: Phase, captured: Collection[str] = ()) -> Check[str]:
    """Refuse commands in which a value could not be data, or whose quotes are not closed.

    >>> [p.code for p in commands_safe_in(Phase.AGENT)("eval ${item.id}; eval $EDITOR")]
    ['value-as-code']
    """
    names = {*SCOPES[phase], *captured}
    return lambda value: tuple(map(_explained, check_shell(value, names)))


def _explained(problem: Problem) -> Problem:
    """What in a file may have left a quote open."""
    if problem.code != "unclosed-quote":
        return problem
    return evolve(problem, hint="in YAML ` #` begins a comment, unless it is quoted or after `|`")


def _problem(
    reference: Reference, phase: Phase, *, shell: bool, captured: Collection[str] | None
) -> Problem | None:
    head, *rest = map(str, reference.path.names or ("",))
    known = SCOPES[phase]
    if reference.default is not None or head in (captured or ()):
        return None
    if head in known:
        names = [f"{head}.{name}" for name in known[head]] if rest else []
        wanted = f"{head}.{rest[0]}" if rest else head
        return _nothing(reference, wanted, names) if names and wanted not in names else None
    homes = [home.value for home, scope in SCOPES.items() if head in scope]
    if rest and homes:
        return _undefined(reference, f"`{head}` is only known in `{'`, `'.join(homes)}`")
    left_alone = shell or captured is None or not reference.braced
    return None if left_alone else _nothing(reference, head, [*known, *(captured or ())])


def _nothing(reference: Reference, wanted: str, known: list[str]) -> Problem:
    return _undefined(
        reference,
        "nothing by this name",
        expected=f"one of `{'`, `'.join(known)}`",
        hint=did_you_mean(wanted, known),
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
