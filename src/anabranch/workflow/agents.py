"""Agents in workflow files: what they are asked to do, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from anabranch.planning import AGENTS, AgentTemplate, Command
from anabranch.values import ConfigError, Problem, did_you_mean
from anabranch.workflow.checks import all_of, below, not_blank, not_empty, one_line, passable
from anabranch.workflow.scopes import Phase, references_known_in
from anabranch.workflow.shapes import Key, Shape, either, list_of, named, table, text

_NAME: Final = text("the name of an agent", check=one_line, pattern=r"\S")
_ARGUMENTS: Final = list_of(
    text("an argument", check=passable), "a list of arguments", check=lambda _: ()
)
_COMMAND: Final = list_of(
    text("an argument", check=passable),
    "a program and its arguments, with `${prompt}` where the prompt goes",
    check=not_empty,
    minItems=1,
)


def prompt_in(phase: Phase) -> Shape[str]:
    """A prompt: text with references, which no shell reads."""
    check = all_of(not_blank, references_known_in(phase, shell=False))
    return text("a prompt", check=check, pattern=r"\S")


def _asked(*, use: str, prompt: str) -> Command:
    return Command(agent=use, prompt=prompt)


def agent_in(phase: Phase) -> Shape[Command]:
    """An agent of any name, and its prompt."""
    return table(
        _asked,
        Key("use", _NAME, "Which agent, by its name.", required=True),
        Key("prompt", prompt_in(phase), "What it is to do; may hold references.", required=True),
        expected="a mapping with `use:` and `prompt:`",
    )


@frozen(kw_only=True)
class AgentForm:
    """How a file says how an agent is called.

    Attributes:
        command: the program and its arguments; `None` is what is known under the name.
        arguments: added to it.
    """

    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()


FORMS: Final = named(
    either(
        items=_COMMAND.map(lambda argv: AgentForm(command=argv)),
        entries=table(
            AgentForm,
            Key("command", _COMMAND, "The program and its arguments; `${prompt}` is the prompt."),
            Key("arguments", _ARGUMENTS, "Arguments of your own, added at the end."),
            expected="a mapping with `command:` or `arguments:`",
        ),
    ),
    "names of agents, and how each is called",
    check=one_line,
    pattern=r"\S",
)
"""What stands under `agents:`."""


def templates_of(forms: Mapping[str, AgentForm]) -> dict[str, AgentTemplate]:
    """How each agent is called, arguments included.

    Raises:
        ConfigError: all that cannot be called, each at its path.
    """
    found: dict[str, AgentTemplate] = {}
    problems: list[Problem] = []
    for name, form in forms.items():
        try:
            found[name] = _template(name, form)
        except ConfigError as error:
            problems += (below(f"agents.{name}", problem) for problem in error.problems)
    if problems:
        raise ConfigError(*problems)
    return found


def _template(name: str, form: AgentForm) -> AgentTemplate:
    if form.command is not None:
        return AgentTemplate((*form.command, *form.arguments))
    if name in AGENTS:
        return AGENTS[name].with_arguments(*form.arguments)
    raise ConfigError(
        Problem(
            code="missing-key",
            message="a key is missing",
            value="command",
            expected=f"how to call `{name}`; known are `{'`, `'.join(AGENTS)}`",
            hint=did_you_mean(name, AGENTS),
        )
    )
