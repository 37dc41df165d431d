"""Command-line coding agents: how one is called, and what its output says about its work.

A template is an argument list. `${prompt}` in it is where the prompt goes; where it is nowhere,
the prompt goes to standard input. That is all there is to an agent, so any program is one.
No template here gives a permission: those are arguments that the user adds.

What an agent prints may be JSON, one object a line, in the words of Claude Code
(`--output-format stream-json`) or of Codex (`exec --json`). A report is a fold over the lines:

    system     session_id model                    the session
    result     session_id result is_error          Claude's word at the end of a turn, with its
               subtype errors total_cost_usd       totals; a subtype `error_…` is a failure, too,
               usage num_turns                     as of old `is_error` did not say so
    thread.started     thread_id                   the session
    turn.completed     usage                       Codex's totals so far
    turn.failed        error.message               it failed, and why
    item.completed     item.text                   the answer so far, if it is no reasoning

The last word counts: an agent whose next turn went well has not failed.

Every other line, JSON or not, leaves the report as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from anabranch.values import ConfigError, Json, lines_of

PROMPT: Final = "${prompt}"

_REFERENCE: Final = re.compile(r"\$\{(?!prompt\})")

_Object: TypeAlias = Mapping[str, Json]

_CACHED: Final = ("cached_input_tokens", "cache_read_input_tokens")
_FOR_PEOPLE: Final = ("text", "result", "message", "error", "errors")

_MOST: Final = 10**15
"""More than that of anything is a mistake."""


# --- how an agent is called --------------------------------------------------------------------


@frozen(kw_only=True)
class AgentCall:
    """A call to an agent: arguments, and what it reads, if the prompt is not among those."""

    argv: tuple[str, ...]
    stdin: bytes | None = None


@frozen
class AgentTemplate:
    """How a command-line agent is called.

    Attributes:
        argv: the program and its arguments, in which `${prompt}` is the prompt.

    >>> AgentTemplate(("llm", "ask", "${prompt}")).call("what is left to do?").argv
    ('llm', 'ask', 'what is left to do?')
    >>> AgentTemplate(("llm",)).call("what is left to do?").stdin
    b'what is left to do?'
    """

    argv: tuple[str, ...] = field(converter=tuple[str, ...])

    def __attrs_post_init__(self) -> None:
        if not self.argv or not self.argv[0].strip() or PROMPT in self.argv[0]:
            raise ConfigError.of(
                "bad-agent",
                "an agent needs a program to call",
                value=repr(list(self.argv)),
                hint=f'such as ["claude", "-p", "{PROMPT}"]',
            )
        for argument in self.argv:
            if _REFERENCE.search(argument):
                raise ConfigError.of(
                    "bad-agent",
                    f"only `{PROMPT}` is known where an agent is called",
                    value=argument,
                    hint="no shell reads it: write what stands for it, or put it into the prompt",
                )

    def with_arguments(self, *more: str) -> AgentTemplate:
        """The same with arguments of the user's own at the end."""
        return AgentTemplate((*self.argv, *more))

    def call(self, prompt: str) -> AgentCall:
        """Call it with a prompt.

        A prompt that is an argument by itself and begins with a dash gets a space in front:
        what an item says is never taken for an option.
        """
        if not any(PROMPT in argument for argument in self.argv):
            return AgentCall(argv=self.argv, stdin=prompt.encode(errors="surrogatepass"))
        alone = f" {prompt}" if prompt.startswith("-") else prompt
        return AgentCall(
            argv=tuple(
                alone if argument == PROMPT else argument.replace(PROMPT, prompt)
                for argument in self.argv
            )
        )


AGENTS: Final[Mapping[str, AgentTemplate]] = {
    "claude": AgentTemplate(
        ("claude", "-p", PROMPT, "--output-format", "stream-json", "--verbose"),
    ),
    "codex": AgentTemplate(("codex", "exec", "--json", PROMPT)),
    "aider": AgentTemplate(("aider", "--message", PROMPT)),
}
"""Templates of agents that are known by name."""


# --- what its output says ----------------------------------------------------------------------


@frozen(kw_only=True)
class AgentReport:
    """What an agent said about its work, as far as it said it.

    Attributes:
        session: what to resume it by.
        model: which answered.
        result: its answer.
        failed: whether it said that it failed.
        cost_usd: what it cost, in US dollars.
        input_tokens, output_tokens: how many it used, as it counts them.
        cached_tokens: of its input, those that came out of a cache.
        turns: how many it took.
    """

    session: str | None = None
    model: str | None = None
    result: str | None = None
    failed: bool = False
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    turns: int | None = None

    def after(self, line: bytes) -> AgentReport:
        r"""The report after one more line of output; a line that says nothing changes nothing.

        >>> AgentReport().after(b'{"type": "result", "total_cost_usd": 0.25}').cost_usd
        0.25
        >>> AgentReport().after(b'{"type": "result", "total_c') == AgentReport()
        True
        """
        message = _parse(line)
        match message.get("type"):
            case "system" | "thread.started":
                return self._with(message)
            case "result" | "turn.completed" | "turn.failed":
                reason = _complaint(message)
                heard = evolve(self._with(message), failed=reason is not None)
                return evolve(heard, result=reason or heard.result)
            case "item.completed":
                item = _object(message, "item")
                thought = item.get("type") == "reasoning"
                return self if thought else evolve(self, result=_text(item, "text") or self.result)
            case _:
                return self

    def _with(self, message: _Object) -> AgentReport:
        usage = _object(message, "usage")
        return AgentReport(
            session=_text(message, "session_id", "thread_id") or self.session,
            model=_text(message, "model") or self.model,
            result=_text(message, "result") or self.result,
            failed=self.failed,
            cost_usd=_amount(message, "total_cost_usd", self.cost_usd),
            input_tokens=_count(usage, ["input_tokens"], self.input_tokens),
            output_tokens=_count(usage, ["output_tokens"], self.output_tokens),
            cached_tokens=_count(usage, _CACHED, self.cached_tokens),
            turns=_count(message, ["num_turns"], self.turns),
        )


def _complaint(message: _Object) -> str | None:
    """What an agent says of its failure at the end of a turn; `None` if it did not fail."""
    if message.get("type") == "turn.failed":
        return _text(_object(message, "error"), "message") or ""
    kind = _text(message, "subtype") or ""
    fault = kind if kind.startswith("error") else ""
    if not fault and message.get("is_error") is not True:
        return None
    errors = message.get("errors")
    told = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
    return _text(message, "result") or "; ".join(told) or fault


def read_report(output: bytes | Iterable[bytes]) -> AgentReport:
    """What an agent's output says about its work.

    Args:
        output: all it printed, or the lines of that.
    """
    lines = lines_of(output) if isinstance(output, bytes) else output
    return reduce(AgentReport.after, lines, AgentReport())


def said_in(output: str) -> str:
    r"""What people read of an agent's output: its words, without the JSON around them.

    Of a line that is a JSON object there remain the texts in it that are written for people, of
    what its tools answered nothing. Every other line stays as it is, and blank ones go.

    >>> line = '{"type": "assistant", "message": {"content": [{"type": "text", "text": "Done."}]}}'
    >>> said_in(f'{{"type": "system"}}\n{line}\nBye.\n')
    'Done.\nBye.'
    """
    words = (said for line in output.split("\n") for said in _said(line) if said.strip())
    return "\n".join(said for said, _ in groupby(words))  # an answer may be said twice


def _said(line: str) -> Iterator[str]:
    message = _parse(line.encode(errors="surrogatepass"))
    if not message:
        yield line
    elif message.get("type") != "user":
        yield from _texts(message)


def _texts(message: _Object) -> Iterator[str]:
    """All texts under the names of such, in the order of the document, however deep it is."""
    waiting: list[tuple[str, Json]] = [("", message)]
    while waiting:
        name, value = waiting.pop()
        match value:
            case str() if name in _FOR_PEOPLE:
                yield value
            case Mapping():
                waiting += [*value.items()][::-1]
            case list():
                waiting += [(name, each) for each in reversed(value)]
            case _:
                pass


def _parse(line: bytes) -> _Object:
    try:
        value: Json = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _object(message: _Object, name: str) -> _Object:
    value = message.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(message: _Object, *names: str) -> str | None:
    values = (message.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), None)


def _amount(message: _Object, name: str, default: float | None) -> float | None:
    match message.get(name):
        case bool():
            return default
        case int() | float() as value if 0 <= value <= _MOST:
            return float(value)
        case _:
            return default


def _count(message: _Object, names: Sequence[str], default: int | None) -> int | None:
    for name in names:
        match message.get(name):
            case bool():
                pass
            case int() as value if 0 <= value <= _MOST:
                return value
            case _:
                pass
    return default
