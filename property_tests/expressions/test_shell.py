"""Whatever a value contains, and wherever it stands, the shell gets it as data."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from anabranch.expressions import check_shell, compile_shell
from anabranch.testing.strategies.expressions import CANARY, hostile_texts
from anabranch.testing.strategies.values import texts
from anabranch.values import ConfigError, Json, Problem
from property_tests.expressions.shells import (
    FRAGMENTS,
    LEAVES,
    SHELLS,
    Printer,
    directory,
    left_behind,
    nested_printers,
    run,
)

AT_A_TIME = 20


def printed(shell: str, commands: list[Printer], values: list[str]) -> list[bytes]:
    """What each command prints for its value, all run by one shell."""
    text = "".join(
        f"{command.of(f'${{item.values[{number}]}}')}\nprintf '\\0'\n"
        for number, command in enumerate(commands)
    )
    script = compile_shell(text, {"item": {"values": values}})
    with directory() as where:
        done = run(shell, script, where)
        assert (b"", [], 0) == (done.stderr, left_behind(where), done.returncode)
    return done.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=9, deadline=None)
@given(values=st.lists(hostile_texts(), min_size=AT_A_TIME, max_size=AT_A_TIME))
def test_in_every_kind_of_place_the_text_arrives_and_nothing_runs(
    shell: str, values: list[str]
) -> None:
    commands = [command for command in LEAVES for _ in values]
    everywhere = values * len(LEAVES)
    expected = [
        command.expected(value) for command, value in zip(commands, everywhere, strict=True)
    ]
    assert expected == printed(shell, commands, everywhere)


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=25, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(nested_printers(), hostile_texts()), min_size=AT_A_TIME, max_size=AT_A_TIME
    )
)
def test_places_inside_places_too(shell: str, pairs: list[tuple[Printer, str]]) -> None:
    expected = [command.expected(value) for command, value in pairs]
    commands, values = [list(side) for side in zip(*pairs, strict=True)]
    assert expected == printed(shell, commands, values)


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from(FRAGMENTS), min_size=2, max_size=12), value=hostile_texts())
def test_a_command_put_together_at_random_is_refused_or_does_not_run_the_value(
    pieces: list[str], value: str
) -> None:
    text = "".join(pieces).replace("@", "${item.value}")
    try:
        script = compile_shell(text, {"item": {"value": value}})
    except ConfigError:
        return
    for shell in SHELLS:
        with directory() as where:
            run(shell, script, where)
            assert CANARY not in left_behind(where)


@settings(max_examples=400)
@example(pieces=["x=", "(", ";", "@"])
@given(pieces=st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_reading_a_command_put_together_at_random_comes_to_an_end(pieces: list[str]) -> None:
    text = "".join(pieces).replace("@", "${item.value}")
    problems: tuple[Problem, ...] = ()
    try:
        compile_shell(text, {"item": {"value": "v"}})
    except ConfigError as error:
        problems = error.problems
    assert all(problem.where.line for problem in problems)


REFERENCE = "${item.value}"
WRITTEN = r"""(?:'"\$\{__anabranch_\d+\}"'|"\$\{__anabranch_\d+\}"|\$\{__anabranch_\d+\}|7)"""
"""How a 7 is written where there was a reference."""


@settings(max_examples=400)
@example(pieces=["printf ", "<<E\n", "@", "\nE\n", "@"])
@given(pieces=st.lists(st.sampled_from(FRAGMENTS), max_size=14))
def test_around_a_value_every_character_stays_as_it_was(pieces: list[str]) -> None:
    text = "".join(pieces)
    assume("`" not in text)  # what is in there is written as `$(…)`
    assume("<<" not in text or "'" not in text)  # nor does a quoted here-document keep its quotes
    assume("$@" not in text)
    try:
        script = compile_shell(text.replace("@", REFERENCE), {"item": {"value": 7}}).script
    except ConfigError:
        return
    parts = [re.sub(r"\$(\$\{)", r"\1", part) for part in text.split("@")]
    kept = f"(?:{WRITTEN}|{re.escape(REFERENCE)})"  # the latter where it is no reference to a shell
    assert re.fullmatch(kept.join(map(re.escape, parts)), script), (text, script)


def run_both(text: str, scope: dict[str, Json]) -> list[bytes]:
    """What each shell prints."""
    script = compile_shell(text, scope)
    outputs: list[bytes] = []
    for shell in SHELLS:
        with directory() as where:
            done = run(shell, script, where)
            assert (b"", [], 0) == (done.stderr, left_behind(where), done.returncode)
        outputs.append(done.stdout)
    return outputs


def separated(words: list[str]) -> bytes:
    return "".join(f"{word}\0" for word in words).encode()


@settings(max_examples=15, deadline=None)
@given(st.lists(hostile_texts(), max_size=6))
def test_a_bare_list_is_one_word_for_each_element(values: list[str]) -> None:
    text = """
        p() { printf '%s\\0' "$#" "$@"; }
        p ${l}
        p a ${l} b
        for x in ${l}; do p "$x"; done
        x=${l}; p "$x"
    """
    each = [word for value in values for word in ("1", value)]
    count = len(values)
    words = [str(count), *values, str(count + 2), "a", *values, "b", *each, "1", ", ".join(values)]
    assert [separated(words)] * len(SHELLS) == run_both(text, {"l": list(values)})


@settings(max_examples=15, deadline=None)
@given(st.lists(hostile_texts(), min_size=1, max_size=6))
def test_text_beside_a_bare_list_joins_its_first_and_last_word(values: list[str]) -> None:
    first, *rest = values
    words = [f"a{first}", *rest]
    words[-1] += "b"
    assert [separated(words)] * len(SHELLS) == run_both(
        "printf '%s\\0' a${l}b", {"l": list(values)}
    )


@settings(max_examples=5, deadline=None)
@given(st.lists(hostile_texts(), min_size=1, max_size=3), st.integers(1, 3))
def test_values_too_large_for_the_start_of_a_process_arrive_too(
    values: list[str], thirds: int
) -> None:
    large = [f"{value}{'x' * 40_000 * thirds}{value}\n" for value in values]
    everything = [command for command in LEAVES if "sh -c" not in command.command]
    text = "".join(f"{command.of('${l[-1]}')}\nprintf '\\0'\n" for command in everything[:12])
    expected = b"".join(command.expected(large[-1]) + b"\0" for command in everything[:12])
    whole = separated(large)
    text += "for x in ${l}; do printf '%s\\0' \"$x\"; done\n"
    assert [expected + whole] * len(SHELLS) == run_both(text, {"l": list(large)})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=2))
def test_in_arithmetic_a_value_is_the_number_it_is(numbers: list[int]) -> None:
    scope: dict[str, Json] = {"a": numbers[0], "b": str(numbers[1]), "n": 3}
    text = "printf '%s ' $((${a} - ${b})) $(( -${n} * ${n} )) $((${n}-$((${n}+1))))"
    wrapped = (numbers[0] - numbers[1] + 2**63) % 2**64 - 2**63
    assert [f"{wrapped} -9 -1 ".encode()] * len(SHELLS) == run_both(text, scope)


@given(hostile_texts().filter(lambda text: re.fullmatch(r"\s*[+-]?\d+\s*", text) is None))
def test_what_is_no_integer_is_refused_where_a_shell_would_evaluate_it(value: str) -> None:
    for place in ("$((@))", '$(( 1 + "@" ))', "$((${x:-@}))", "a[@]=1", "${x[@]}", "${x:@}"):
        with pytest.raises(ConfigError) as caught:
            compile_shell(f"echo; {place}".replace("@", "${v}"), {"v": value})
        assert ["not-an-integer"] == [problem.code for problem in caught.value.problems]


@given(texts().map(lambda text: f"{text}\0{text}"), st.sampled_from(LEAVES))
def test_nul_is_refused_everywhere(value: str, command: Printer) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_shell(command.of("${v}"), {"v": value})
    assert {"nul-in-value"} == {problem.code for problem in caught.value.problems}


@given(st.lists(st.sampled_from([*FRAGMENTS, "${other.x}", "${HOME:-a}", "awk '{print $2}'"])))
def test_a_command_without_a_reference_of_ours_is_never_refused_and_never_changed(
    pieces: list[str],
) -> None:
    text = "".join(pieces)
    script = compile_shell(text, {"item": {"value": 1}})
    expected = re.sub(r"\$(\$\{)|\$\$", lambda found: found[1] or "$$", text)
    assert (expected, {}, {}) == (script.script, script.env, script.files)


@given(hostile_texts(), st.sampled_from(["__anabranch_0", "__anabranch_", "__anabranch__0"]))
def test_our_variables_are_not_the_users(value: str, name: str) -> None:
    script = compile_shell(f"{name}=mine; echo ${{item.v}} ${name}", {"item": {"v": value}})
    assert name not in script.env
    assert [value] == list(script.env.values())


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from([*FRAGMENTS, "'", '"', "\\"]), min_size=1, max_size=9))
@example(["echo ", "`echo ", '"', "`"])
def test_a_quote_that_is_said_never_to_be_closed_is_one_that_every_shell_refuses(
    pieces: list[str],
) -> None:
    text = "".join(pieces).replace("@", "value")
    if "unclosed-quote" in {problem.code for problem in check_shell(text, [])}:
        for shell in ["bash"] if "[[" in text else SHELLS:  # sh knows no `[[`
            done = subprocess.run([shell, "-n", "-c", text], capture_output=True, check=False)
            assert done.returncode != 0, (shell, text)
