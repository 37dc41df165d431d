"""Answers of commands and agents, and requests in words."""

from __future__ import annotations

import json
from datetime import timedelta

from anabranch.environment import (
    Captured,
    CommandOutput,
    Conflict,
    Invocation,
    MergeError,
    MergeFault,
    MergeRequest,
)
from anabranch.planning.agents import AGENTS, PROMPT


def printed(
    stdout: str = "", *, stderr: str = "", exit_code: int = 0, takes: float = 0
) -> CommandOutput:
    """What a command answers.

    Args:
        stdout: what it printed.
        stderr: what it complained of.
        exit_code: how it ended.
        takes: how long it took, in seconds.

    >>> printed("hello").stdout.text
    'hello'
    """
    return CommandOutput(
        exit_code=exit_code,
        stdout=Captured.of(stdout.encode()),
        stderr=Captured.of(stderr.encode()),
        duration=timedelta(seconds=takes),
    )


def said(
    result: str = "done",
    *,
    cost_usd: float | None = None,
    input_tokens: int = 0,
    output_tokens: int = 0,
    session: str = "mock",
    failed: bool = False,
    takes: float = 0,
) -> CommandOutput:
    """What a coding agent answers, in the words of Claude Code.

    Args:
        result: its last word.
        cost_usd: what it says that it cost, in US dollars.
        input_tokens: how many it says that it read.
        output_tokens: how many it says that it wrote.
        session: what to resume it by.
        failed: whether it says that it failed.
        takes: how long it took, in seconds.

    >>> from anabranch.planning import read_report
    >>> read_report(said("mended", cost_usd=0.25).stdout.head).cost_usd
    0.25
    """
    message = {
        "type": "result",
        "result": result,
        "is_error": failed,
        "session_id": session,
        "total_cost_usd": cost_usd,
        "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens},
    }
    return printed(f"{json.dumps(message)}\n", takes=takes)


def text_of(invocation: Invocation) -> str:
    """What was asked for, as one text: the script of a shell, or the words of a command line.

    What it reads comes last, after `<<<`.

    >>> text_of(Invocation(argv=("sh", "-c", "make all"), cwd="/"))
    'make all'
    >>> text_of(Invocation(argv=("codex", "exec", "mend it"), cwd="/"))
    'codex exec mend it'
    """
    match invocation.argv:
        case ("sh", "-c", script):
            text = script
        case words:
            text = " ".join(words)
    if invocation.stdin is None:
        return text
    return f"{text} <<< {invocation.stdin.decode(errors='backslashreplace')}"


def prompt_of(invocation: Invocation) -> str | None:
    """What a coding agent was asked; `None` if it is none of those that anabranch knows by name.

    >>> prompt_of(Invocation(argv=AGENTS["claude"].call("mend it").argv, cwd="/"))
    'mend it'
    """
    for template in AGENTS.values():
        if template.argv[0] == invocation.argv[0]:
            if PROMPT not in template.argv:
                return None if invocation.stdin is None else invocation.stdin.decode()
            place = template.argv.index(PROMPT)
            return invocation.argv[place] if place < len(invocation.argv) else None
    return None


def agent_of(request: MergeRequest) -> str:
    """Whose work is merged: the agent in the trailers, or else the target."""
    return dict(request.trailers).get("Anabranch-Agent", request.target)


def conflict(*paths: str) -> MergeError:
    r"""What a merge answers that is in conflict.

    >>> str(conflict("a.txt"))
    'conflict in a.txt\n  content: a.txt'
    """
    return MergeError(
        fault=MergeFault.CONFLICT,
        message=f"conflict in {', '.join(paths)}",
        conflicts=tuple(Conflict(path=path) for path in paths),
    )
