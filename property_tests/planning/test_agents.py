from __future__ import annotations

import json

from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning import AGENTS, AgentReport, AgentTemplate, read_report, said_in

words = st.sampled_from(
    [
        *("type", "system", "result", "turn.completed", "item.completed", "item", "text", "usage"),
        *("session_id", "thread_id", "total_cost_usd", "num_turns", "input_tokens", "is_error"),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(words | st.text(), inner)
)
lines = st.binary() | values.map(lambda value: json.dumps(value).encode())


@given(st.lists(lines), st.sampled_from(list(range(200))))
def test_no_line_however_malformed_breaks_the_report_or_the_words(
    lines: list[bytes], cut: int
) -> None:
    torn = [line[:cut] for line in lines]
    assert isinstance(read_report(torn), AgentReport)
    assert isinstance(said_in("\n".join(line.decode(errors="replace") for line in torn)), str)


@given(st.lists(st.text().filter(lambda text: text.strip() and "{" not in text)))
def test_what_is_no_json_is_said_as_it_was_printed(printed: list[str]) -> None:
    said = said_in("\n".join(printed))
    assert {line for text in printed for line in text.split("\n") if line.strip()} == (
        set(said.split("\n")) - {""}
    )


@given(lines, lines)
def test_what_was_said_is_not_forgotten(first: bytes, second: bytes) -> None:
    before = AgentReport().after(first)
    assert known(before) <= known(before.after(second))


def known(report: AgentReport) -> set[str]:
    return {name for name, value in asdict(report).items() if value is not None}


@given(st.text() | st.sampled_from(["\ud800", "-x", "${prompt}"]))
def test_the_prompt_arrives_by_one_way_or_the_other(prompt: str) -> None:
    by_argument = AGENTS["claude"].call(prompt)
    assert prompt in by_argument.argv[2]
    assert by_argument.stdin is None
    assert prompt == (AgentTemplate(("agent",)).call(prompt).stdin or b"").decode(
        errors="surrogatepass"
    )
