from __future__ import annotations

import pytest

from anabranch.planning import AGENTS, AgentCall, AgentReport, AgentTemplate, read_report, said_in
from anabranch.values import ConfigError

CLAUDE = b"""{"type":"system","subtype":"init","session_id":"s-1","model":"opus","tools":["Bash"]}
{"type":"assistant","message":{"content":[{"type":"text","text":"hm"}],"usage":{"output_tokens":3}}}
{"type":"result","subtype":"success","is_error":false,"num_turns":4,"result":"done","session_id":"s-1",\
"total_cost_usd":0.0123,"usage":{"input_tokens":10,"cache_read_input_tokens":500,"output_tokens":77}}
"""
CODEX = b"""{"type":"thread.started","thread_id":"t-1"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"all done"}}
{"type":"error","message":"stream lost, trying again"}
{"type":"turn.completed","usage":{"input_tokens":900,"cached_input_tokens":800,"output_tokens":20}}
"""


def test_the_report_of_claude_has_its_session_answer_cost_and_tokens() -> None:
    assert AgentReport(
        session="s-1",
        model="opus",
        result="done",
        cost_usd=0.0123,
        input_tokens=10,
        output_tokens=77,
        cached_tokens=500,
        turns=4,
    ) == read_report(CLAUDE)


def test_the_report_of_codex_has_its_session_answer_and_tokens() -> None:
    assert AgentReport(
        session="t-1",
        result="all done",
        input_tokens=900,
        output_tokens=20,
        cached_tokens=800,
    ) == read_report(CODEX)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b'"type": "result", "is_error": true, "result": "no credit"', "no credit"),
        (b'"type": "result", "is_error": true, "errors": ["slow", 7, "lost"]', "slow; lost"),
        (b'"type": "result", "is_error": true, "errors": 7, "subtype": "success"', "done"),
        (b'"type": "result", "is_error": false, "subtype": "error_max_turns"', "error_max_turns"),
        (b'"type": "turn.failed", "error": {"message": "no credit"}', "no credit"),
        (b'"type": "turn.failed"', "done"),
    ],
)
def test_an_agent_that_says_it_failed_has_failed_and_its_reason_is_its_last_word(
    said: bytes, reason: str
) -> None:
    report = read_report(CLAUDE + b"{%s}" % said)
    assert (True, reason) == (report.failed, report.result)


def test_the_last_turn_of_an_agent_tells_whether_it_failed() -> None:
    failed = b'{"type": "result", "is_error": true, "result": "lost"}\n'
    report = read_report(failed + CLAUDE)
    assert (False, "done") == (report.failed, report.result)


def test_what_an_agent_thinks_is_not_its_answer() -> None:
    thought = b'{"type": "item.completed", "item": {"type": "reasoning", "text": "hm"}}'
    assert "all done" == read_report(CODEX + thought).result


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not JSON",
        b'{"type": "result", "total_c',
        b'"result"',
        b"[1]",
        b"\xff\xfe\x00",
        b'{"type": ["result"]}',
        b'{"type": "result", "total_cost_usd": "much", "usage": 7, "num_turns": true}',
        b'{"type": "result", "total_cost_usd": 1e999, "num_turns": -1, "result": 3}',
        b'{"type": "result", "total_cost_usd": NaN, "session_id": null}',
        b'{"type": "result", "num_turns": 1' + b"0" * 5000 + b"}",
        b'{"type": "item.completed", "item": "text"}',
        b"[" * 100_000,
        b'{"type": "stranger", "session_id": "x"}',
    ],
)
def test_a_line_that_says_nothing_changes_nothing(line: bytes) -> None:
    before = read_report(CLAUDE)
    assert before == before.after(line)


def test_what_an_agent_said_is_its_words_without_the_json_around_them() -> None:
    warned = f"warning: old\n\n{CLAUDE.decode()}"
    assert "warning: old\nhm\ndone" == said_in(warned)
    assert "all done\nstream lost, trying again" == said_in(CODEX.decode())


def test_what_the_tools_of_an_agent_answered_is_not_what_it_said() -> None:
    answer = '{"type":"user","message":{"content":[{"type":"tool_result","text":"a file"}]}}'
    assert "" == said_in(answer)


def test_words_stand_in_their_order_and_once_if_they_are_said_twice_on_end() -> None:
    line = '{"a": [{"text": "1"}, {"b": {"error": "2"}, "message": "3"}], "result": "3", "text": 4}'
    assert "1\n2\n3\n1" == said_in(f'{line}\n{{"text": "1"}}')


def test_a_template_puts_the_prompt_where_it_says() -> None:
    template = AgentTemplate(("agent", "--ask=${prompt}", "-q"))
    assert AgentCall(argv=("agent", "--ask=what?", "-q")) == template.call("what?")


def test_without_a_place_the_prompt_goes_to_standard_input() -> None:
    assert AgentCall(argv=("agent",), stdin=b"w\xc3\xa4s?\n") == AgentTemplate(("agent",)).call(
        "wäs?\n"
    )


def test_a_prompt_is_never_an_option() -> None:
    call = AGENTS["claude"].call("--dangerously-skip-permissions")
    assert "--dangerously-skip-permissions" not in call.argv


def test_no_template_gives_a_permission() -> None:
    said = " ".join(argument for template in AGENTS.values() for argument in template.argv)
    assert not {"permission", "danger", "yes", "full", "bypass", "allow"} & set(
        said.replace("-", " ").split()
    )


def test_arguments_of_the_users_own_come_last() -> None:
    template = AGENTS["claude"].with_arguments("--model", "opus")
    assert ("--model", "opus") == template.call("go").argv[-2:]


@pytest.mark.parametrize("argv", [(), ("",), ("${prompt}",)])
def test_an_agent_without_a_program_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="an agent needs a program"):
        AgentTemplate(argv)
