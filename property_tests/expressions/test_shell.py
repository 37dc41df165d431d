"""Whatever a value contains, and wherever it stands, the shell gets it as data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anabranch.expressions import compile_shell
from anabranch.testing.strategies.expressions import CANARY, hostile_texts
from anabranch.values import ConfigError
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
