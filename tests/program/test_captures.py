"""What steps print, as values of later steps, in a mock environment."""

from __future__ import annotations

from typing import Any

import pytest
from returns.result import Result, Success

from anabranch import run
from anabranch.environment import Captured, CommandOutput, Invocation
from anabranch.lifecycle import Masker, OutputRecorded, summarise, verify
from anabranch.planning import AgentReport
from anabranch.planning.captures import Capture, CaptureFormat, read_capture
from anabranch.program import Identity, program
from anabranch.program.capturing import captured
from anabranch.testing import MockEnvironment, mock_env, printed, said
from anabranch.values import AnabranchError, ConfigError, RunStatus
from anabranch.workflow import load_workflow, prompt

TEXT = """
name: w
mode: mapreduce
setup:
  - shell: version
    capture: version
map:
  input: i.json
  agent_template:
    - shell: analyse
      capture: found
      capture_format: json
    - claude: "Mend ${found.files:json} for ${version}"
      capture_output: true
    - shell: report
      when: found.count > 1
      env: {ANSWER: "${claude.output}", CODE: "${found.exit_code}"}
reduce:
  - echo ${version}
"""


def environment(**answers: Any) -> MockEnvironment:
    known = {
        "version": printed("1.2\n"),
        "analyse": printed('{"count": 2, "files": ["a b", "c"]}'),
        "claude *": said("all mended"),
        "*": printed(),
    }
    chosen = {name: answers.get(name, answer) for name, answer in known.items()}
    return mock_env(commands=chosen, files={"i.json": "[1]"})


def run_in(env: MockEnvironment, text: str = TEXT) -> Result[RunStatus, AnabranchError]:
    return run(program(load_workflow(text), Identity(run="r1")), env)


def test_what_was_printed_is_a_value_of_later_steps_and_phases() -> None:
    env = environment()
    assert Success(RunStatus.COMPLETED) == run_in(env)
    asked = [one for one in env.asked("run") if isinstance(one, Invocation)]
    assert 'Mend ["a b","c"] for 1.2' in next(one.argv for one in asked if one.argv[0] == "claude")
    report = next(one for one in asked if "ANSWER" in one.env)
    assert ("all mended", "0") == (report.env["ANSWER"], report.env["CODE"])
    assert "1.2" in asked[-1].env.values()
    assert () == verify(env.journal.events)


def test_an_answer_is_captured_however_much_else_the_agent_printed() -> None:
    step = prompt("Mend it", capture="answer")
    long = Captured(head=b"{}\n", tail=b"the end\n", size=1 << 22)
    told = captured(
        step,
        "s",
        CommandOutput(exit_code=0, stdout=long),
        AgentReport(result="done"),
        Masker.of([]),
    ).unwrap()
    assert "done" == {one.name: one.value for one in told}["answer"]


def test_what_was_captured_is_in_the_journal() -> None:
    env = environment()
    run_in(env)
    told = [e.payload for e in env.journal.events if isinstance(e.payload, OutputRecorded)]
    assert {
        "version": "1.2",
        "version.stdout": "1.2",
        "version.stderr": "",
        "version.exit_code": 0,
        "version.success": True,
        "version.duration": 0.0,
    } == {one.name: one.value for one in told if one.subject == "setup[0]"}


def test_what_cannot_be_read_fails_the_step() -> None:
    env = environment(analyse=printed("{oops"))
    assert Success(RunStatus.PARTIAL) == run_in(env)
    (failure,) = summarise(env.journal.state).failed
    assert failure.message == ("what it printed cannot be captured in `found`: it is no JSON value")


@pytest.mark.parametrize(
    ("text", "as_", "value"),
    [
        ("a\n\n", CaptureFormat.STRING, "a"),
        ("a\n\nb", CaptureFormat.LINES, ["a", "", "b"]),
        ("", CaptureFormat.LINES, []),
        (" 42\n", CaptureFormat.NUMBER, 42),
        ("-0.5", CaptureFormat.NUMBER, -0.5),
        ("Yes\n", CaptureFormat.BOOLEAN, True),
        ("0", CaptureFormat.BOOLEAN, False),
        ("[1]", CaptureFormat.JSON, [1]),
    ],
)
def test_a_format_reads_what_was_printed(text: str, as_: CaptureFormat, value: object) -> None:
    assert Success(value) == read_capture(text, as_)


@pytest.mark.parametrize(
    ("text", "as_"),
    [
        ("", CaptureFormat.NUMBER),
        ("true", CaptureFormat.NUMBER),
        ("1e999", CaptureFormat.NUMBER),
        ("NaN", CaptureFormat.JSON),
        ("[1e999]", CaptureFormat.JSON),
        ("", CaptureFormat.JSON),
        ("maybe", CaptureFormat.BOOLEAN),
    ],
)
def test_a_format_refuses_what_it_cannot_read(text: str, as_: CaptureFormat) -> None:
    assert not isinstance(read_capture(text, as_), Success)


FILE = "{name: w, mode: mapreduce, map: {input: i, agent_template: [%s]}}"


@pytest.mark.parametrize(
    ("step", "capture"),
    [
        ("{shell: x, capture: a}", Capture(name="a")),
        ("{shell: x, capture_output: a}", Capture(name="a")),
        ("{shell: x, capture_output: true}", Capture(name="shell.output")),
        ("{claude: x, capture_output: true}", Capture(name="claude.output")),
        ("{shell: x, capture_output: false}", None),
        (
            "{shell: x, capture: a, capture_format: lines}",
            Capture(name="a", format=CaptureFormat.LINES),
        ),
    ],
)
def test_a_capture_may_be_written_in_our_words_and_in_prodigys(
    step: str, capture: Capture | None
) -> None:
    assert capture == load_workflow(FILE % step).map.agent_template[0].capture


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{shell: x, capture: item}", "is the name of something else"),
        ("{shell: x, capture: 1a}", "is no name for a capture"),
        ("{shell: x, capture: a, capture_output: b}", "in other words"),
        ("{shell: x, capture_format: json}", "nothing is captured"),
        ("{shell: x, capture: a, capture_format: xml}", "`string` or `json`"),
        ("{shell: x, capture: a}, {claude: 'see ${b}'}", "nothing by this name: ${b}"),
        ("{shell: x, capture: a}, {shell: 'eval ${a}'}", "1:"),
    ],
)
def test_a_capture_that_cannot_be_is_refused(step: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_workflow(FILE % step)
    assert told in str(caught.value)
