"""Steps that ask a coding agent, in a mock environment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from returns.result import Result, Success

from anabranch import run
from anabranch.environment import Invocation
from anabranch.lifecycle import Masker, Spent, measure, summarise, verify
from anabranch.program import Identity, program
from anabranch.testing import MockEnvironment, mock_env, printed, run_virtual, said
from anabranch.values import AnabranchError, Json, RunStatus, StepStatus
from anabranch.workflow import load_workflow

TEXT = """
name: mend
mode: mapreduce
agents:
  reviewer: [review, --quiet]
map:
  input: items.json
  agent_template:
    - claude: "/fix ${item.path} for $agent, not $HOME"
    - agent:
        use: reviewer
        prompt: |
          Review ${item.path}
      timeout: 5m
"""


def environment(**commands: Any) -> MockEnvironment:
    answers: dict[str, Any] = {"claude *": said(), "*": printed(), **commands}
    chosen = {name: answers[name] for name in [*commands, *answers]}
    return mock_env(commands=chosen, files={"items.json": json.dumps([{"path": "a b.py"}])})


def run_in(env: MockEnvironment) -> Result[RunStatus, AnabranchError]:
    return run(program(load_workflow(TEXT), Identity(run="r1")), env)


def invocations(env: MockEnvironment) -> list[Invocation]:
    return [asked for asked in env.asked("run") if isinstance(asked, Invocation)]


def test_a_prompt_reaches_its_agent_whole_and_no_shell_reads_it() -> None:
    env = environment()
    assert Success(RunStatus.COMPLETED) == run_in(env)
    claude, reviewer = invocations(env)
    prompt = '/fix a b.py for {"name":"agent-0","id":0}, not $HOME'
    told = ("claude", "-p", prompt, "--output-format", "stream-json", "--verbose")
    assert told == claude.argv
    assert (("review", "--quiet"), b"Review a b.py\n") == (reviewer.argv, reviewer.stdin)


def test_what_an_agent_cost_is_in_the_journal_the_summary_and_the_metrics() -> None:
    answer = said("done", cost_usd=0.25, input_tokens=100, output_tokens=7, session="s-1")
    env = environment(**{"claude *": answer})
    run_in(env)
    assert [
        Spent(
            subject="agent-0/step[0]",
            cost_usd=0.25,
            input_tokens=100,
            output_tokens=7,
            session="s-1",
        )
    ] == [event.payload for event in env.journal.events if isinstance(event.payload, Spent)]
    summary, figures = summarise(env.journal.state), measure(env.journal.state)
    assert (0.25, 100, 7) == (summary.cost_usd, summary.input_tokens, summary.output_tokens)
    assert (0.25, 100, 7) == (figures.cost_usd, figures.input_tokens, figures.output_tokens)


def test_an_agent_that_says_it_failed_fails_its_step_and_its_cost_counts() -> None:
    answer = said("no credit", failed=True, cost_usd=0.5, session="s-2")
    env = environment(**{"claude *": answer})
    assert Success(RunStatus.PARTIAL) == run_in(env)
    summary = summarise(env.journal.state)
    (failure,) = summary.failed
    assert ("`claude` said that it failed: no credit", "s-2") == (failure.message, failure.session)
    assert f"step[0]: {failure.message}" == failure.signature
    assert 0.5 == summary.cost_usd
    assert 1 == len(invocations(env))


def test_an_agent_that_exits_with_a_code_is_named_by_its_name() -> None:
    env = environment(**{"review *": printed(stderr="no", exit_code=3)})
    run_in(env)
    (failure,) = summarise(env.journal.state).failed
    assert "`reviewer` ended with exit code 3" == failure.message


def test_of_an_agent_that_fails_its_words_are_shown_and_a_secret_in_them_is_not() -> None:
    lines = [
        {"type": "system", "session_id": "s-3", "tools": ["Bash", "Edit"]},
        {"type": "assistant", "message": {"content": [{"type": "text", "text": 'key k"e\ty'}]}},
        {"type": "result", "is_error": True, "result": "no credit"},
    ]
    output = "".join(f"{json.dumps(line)}\n" for line in lines)
    env = environment(**{"claude *": printed(stdout=output, stderr="bye\n")})
    flow = load_workflow(TEXT)
    run(program(flow, Identity(run="r1"), masker=Masker.of(['k"e\ty'])), env)
    (failure,) = summarise(env.journal.state).failed
    assert "key ***\nno credit\nbye\n" == failure.tail
    assert "step[0]: `claude` said that it failed: no credit: bye" == failure.signature


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ("a.py", "a.py"),
        ({"path": "a.py", "size": 3}, "a.py"),
        ({"id": 7}, "item 7"),
        (7, "7"),
        ({"task": "caf\u00e9", "n": [1]}, '{"task": "caf\u00e9", "n": [1]}'),
    ],
)
def test_an_agent_is_called_by_its_item(item: Json, label: str) -> None:
    env = mock_env(commands={"*": printed()}, files={"items.json": json.dumps([item])})
    flow = load_workflow(TEXT.replace("${item.path}", "${item}"))
    run(program(flow, Identity(run="r1")), env)
    assert label == env.journal.state.subjects["agent-0"].declared.label


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        ("200ms", "`review` timed out after 0.2s"),
        ("59s", "`review` timed out after 59s"),
        ("5m", "`review` timed out after 5m 0s"),
    ],
)
def test_a_step_that_takes_too_long_is_called_by_its_name(timeout: str, message: str) -> None:
    env = environment(**{"review *": printed(takes=900)})
    flow = load_workflow(TEXT.replace("timeout: 5m", f"timeout: {timeout}\n      name: review"))
    run_virtual(program(flow, Identity(run="r1")), env)
    (failure,) = summarise(env.journal.state).failed
    assert (message, StepStatus.TIMED_OUT) == (failure.message, failure.status)


def test_what_an_agent_read_again_is_in_the_journal() -> None:
    usage = {"input_tokens": 1, "cache_read_input_tokens": 40, "output_tokens": 2}
    line = {"type": "result", "is_error": False, "result": "done", "usage": usage}
    env = environment(**{"claude *": printed(stdout=json.dumps(line) + "\n")})
    run_in(env)
    (spent,) = [e.payload for e in env.journal.events if isinstance(e.payload, Spent)]
    assert 40 == spent.cached_tokens


def test_a_prompt_without_its_value_fails_the_step_and_asks_nobody() -> None:
    env = mock_env(commands={}, files={"items.json": "[{}]"})
    run_in(env)
    (failure,) = summarise(env.journal.state).failed
    assert "nothing by this name: ${item.path}" in (failure.message or "")


def test_a_run_with_agents_obeys_the_laws() -> None:
    env = environment(**{"claude *": said(cost_usd=1)})
    run_in(env)
    assert () == verify(env.journal.events)
