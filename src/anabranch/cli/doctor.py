"""`anabranch doctor` looks at the machine that a run would find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anabranch.cli.commands import COMMANDS
from anabranch.cli.options import json_option, repo_option
from anabranch.cli.output import Output, as_data, format_size
from anabranch.values import HostError, Problem, Severity

if TYPE_CHECKING:
    from anabranch.planning import FileSystem, Machine


@click.command("doctor", help=COMMANDS["doctor"])
@repo_option
@json_option
@click.pass_obj
def command(output: Output, repo: str) -> int:
    """Print the facts, then what they mean; an error among them is an exit code."""
    from attrs import asdict

    from anabranch.planning import assess_machine
    from anabranch.services.doctor import examine

    machine = examine(repo)
    problems = assess_machine(machine)
    facts = {k: v for k, v in asdict(machine).items() if k != "git_problems"}
    output.result(
        "\n".join([*_facts(machine), "", *_verdict(problems)]),
        {"machine": facts, "problems": [as_data(problem) for problem in problems]},
    )
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return HostError.exit_code if errors else 0


def _facts(machine: Machine) -> list[str]:
    memory, start, worktrees = machine.memory_bytes, machine.start_seconds, machine.worktrees
    rows = {
        "system": f"{machine.system}, Python {machine.python}",
        "git": machine.git or "cannot be used here, see below",
        "processors": str(machine.processors),
        "memory": "unknown" if memory is None else f"{format_size(memory)} available",
        "limits": f"{_limit(machine.open_files)} open files, {_limit(machine.processes)} processes",
        **({} if start is None else {"process start": f"{start * 1000:.1f} ms"}),
        "containment": machine.strength.value + (f" ({machine.weakness})" * bool(machine.weakness)),
        **({"worktrees made": _made(machine)} if machine.git else {}),
        **({} if worktrees is None else {"budget": f"room for {worktrees} worktrees of a run"}),
        **{role: _storage(place) for role, place in machine.file_systems.items()},
        "agents": ", ".join(machine.agents) or "none found",
    }
    width = max(map(len, rows)) + 2
    return [f"{name:{width}}{value}" for name, value in rows.items()]


def _made(machine: Machine) -> str:
    """How worktrees are made here, and why not in a cheaper way."""
    again = "used again" if machine.unrecycled is None else f"made anew ({machine.unrecycled})"
    copied = "copied from a template"
    if machine.unlaid is None:
        return f"{copied}, large ones laid over it; {again}"
    return f"{copied} (no overlay: {machine.unlaid}); {again}"


def _storage(place: FileSystem) -> str:
    kind = place.kind or "unknown type"
    return f"{place.path} ({kind}, {format_size(place.free_bytes)} free)"


def _verdict(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{p.severity.value}: {p}" for p in problems] or ["nothing is in the way"]


def _limit(number: int | None) -> str:
    return "unlimited" if number is None else str(number)
