"""Agents as they are met: programs on the PATH that print, misbehave and fail."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from returns.result import Failure, Success

from anabranch.effects.agents import ask_agent
from anabranch.environment import CommandFault
from anabranch.interpreters import run
from anabranch.planning import AGENTS, AgentTemplate
from anabranch.services.processes import LocalCommands


class Machine:
    """An environment whose PATH begins with a directory of stubs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commands = LocalCommands(
            environ={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
        )

    def stub(self, name: str, script: str) -> None:
        program = self.path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_agent_gets_its_prompt_and_its_report_is_read(machine: Machine) -> None:
    machine.stub(
        "claude",
        """printf '%s\\n' "$@" >asked
        echo '{"type":"system","session_id":"s-1"}'
        echo 'not JSON {'
        echo '{"type":"result","result":"done","total_cost_usd":0.5,"usage":{"output_tokens":9}}'""",
    )
    prompt = "mend `this`; $(rm -rf /)\nand 'that'"
    done = run(ask_agent(AGENTS["claude"], prompt, cwd=str(machine.path)), machine)
    report = done.unwrap().report
    asked = (machine.path / "asked").read_text()
    assert f"-p\n{prompt}\n--output-format\nstream-json\n--verbose\n" == asked
    assert ("s-1", "done", 0.5, 9) == (
        report.session,
        report.result,
        report.cost_usd,
        report.output_tokens,
    )


def test_a_long_prompt_goes_by_standard_input(machine: Machine) -> None:
    machine.stub("mine", "wc -c")
    done = run(ask_agent(AgentTemplate(("mine",)), "x" * 300_000, cwd=str(machine.path)), machine)
    assert "300000" == done.unwrap().output.stdout.text.strip()


def test_an_agent_that_exits_with_a_code_has_failed_and_its_cost_is_known(
    machine: Machine,
) -> None:
    machine.stub("claude", """echo '{"type":"result","total_cost_usd":0.25}'; exit 1""")
    done = run(ask_agent(AGENTS["claude"], "go", cwd=str(machine.path)), machine)
    failed = done.failure()
    assert (CommandFault.EXIT, 0.25) == (failed.error.fault, failed.report.cost_usd)


def test_an_agent_that_says_it_failed_has_failed_whatever_its_exit_code(machine: Machine) -> None:
    machine.stub("claude", """echo '{"type":"result","is_error":true,"result":"no credit"}'""")
    done = run(ask_agent(AGENTS["claude"], "go", cwd=str(machine.path)), machine)
    assert "`claude` said that it failed: no credit" == done.failure().error.message


def test_the_totals_of_a_report_are_found_behind_any_amount_of_output(machine: Machine) -> None:
    machine.stub(
        "claude",
        """echo '{"type":"system","session_id":"s-1"}'
        head -c 3000000 /dev/zero | tr '\\0' x; echo
        echo '{"type":"result","total_cost_usd":0.5}'
        head -c 300000 /dev/zero | tr '\\0' y""",
    )
    done = run(ask_agent(AGENTS["claude"], "go", cwd=str(machine.path)), machine)
    report = done.unwrap().report
    assert ("s-1", 0.5) == (report.session, report.cost_usd)


def test_an_agent_that_takes_too_long_is_ended(machine: Machine) -> None:
    machine.stub("claude", "sleep 1000")
    limit = timedelta(seconds=0.1)
    done = run(ask_agent(AGENTS["claude"], "go", cwd=str(machine.path), timeout=limit), machine)
    assert CommandFault.TIMED_OUT is done.failure().error.fault


def test_an_agent_that_is_not_installed_is_not_found(machine: Machine) -> None:
    template = AgentTemplate(("no-such-agent", "${prompt}"))
    done = run(ask_agent(template, "go", cwd=str(machine.path)), machine)
    assert isinstance(done, Failure)
    assert CommandFault.NOT_FOUND is done.failure().error.fault


@pytest.mark.parametrize("name", AGENTS)
def test_every_known_agent_is_called_by_its_name(machine: Machine, name: str) -> None:
    machine.stub(name, "exit 0")
    done = run(ask_agent(AGENTS[name], "go", cwd=str(machine.path)), machine)
    assert isinstance(done, Success)
