from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from anabranch.lifecycle import SCHEMA, Event, Unrecognised
from anabranch.lifecycle.codec import decode, encode
from anabranch.testing.strategies.lifecycle import events, unrecognised
from anabranch.values import HostError


@given(events())
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    assert event == decode(encode(event))


@given(events())
def test_an_event_is_one_line_of_flat_json(event: Event) -> None:
    line = encode(event)
    assert 1 == len(line.splitlines())
    row = json.loads(line)
    assert [SCHEMA, event.sequence] == [row["v"], row["seq"]]


@given(events(), unrecognised())
def test_an_event_of_an_unknown_kind_is_kept_as_it_is(event: Event, payload: Unrecognised) -> None:
    strange = evolve(event, payload=payload)
    assert strange == decode(encode(strange))
    assert encode(strange) == encode(decode(encode(strange)))


@given(events(), st.data())
def test_a_damaged_line_is_refused(event: Event, data: st.DataObject) -> None:
    line = encode(event)
    at = data.draw(st.integers(0, len(line) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    with pytest.raises(HostError):
        decode(line[:at] + bytes([line[at] ^ bit]) + line[at + 1 :])


@given(events())
def test_a_line_torn_anywhere_is_refused(event: Event) -> None:
    line = encode(event)
    for length in range(len(line)):
        with pytest.raises(HostError):
            decode(line[:length])


@given(st.binary(max_size=80))
def test_garbage_is_refused(line: bytes) -> None:
    with pytest.raises(HostError):
        decode(line)
