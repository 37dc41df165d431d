from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import pytest
from attrs import fields

from anabranch.lifecycle import (
    Event,
    Moved,
    OutputRecorded,
    Payload,
    PhaseStarted,
    RunState,
    Spent,
    Unrecognised,
    codec,
    dead_letters,
    fold,
    summarise,
    verify,
)
from anabranch.values import HostError, StepStatus
from tests.lifecycle.histories import NOON

HERE = Path(__file__).parent
NUMBERS = range(1, codec.SCHEMA + 1)

FIELDS = {3: "9ba487ab"}
"""A checksum of the fields of all kinds, for each number since they are held. Whoever changes a field
raises `codec.SCHEMA`, adds a migration, golden files and a line here; no line is ever changed."""


def lines_of(name: str) -> list[bytes]:
    return (HERE / f"{name}.jsonl").read_bytes().splitlines()


LINES = [(number, line) for number in NUMBERS for line in lines_of(f"schema-{number}")]


def told_by(state: RunState) -> dict[str, object]:
    """What a run came to, as far as every number of the schema tells it."""
    summary = summarise(state)
    return {
        "status": state.status.value,
        "sequence": state.sequence,
        "subjects": {name: subject.status.value for name, subject in state.subjects.items()},
        "merged": summary.merged,
        "letters": {letter.subject: letter.signature for letter in dead_letters(state)},
        "phases": list(state.phases),
        "elapsed": summary.elapsed.total_seconds(),
    }


def fields_now() -> str:
    """All fields of all kinds as lines are written, in an order of their own.

    As they are annotated: what a field says of its type is not text any more once somebody has
    had it resolved.
    """
    kinds = set(get_args(Payload)) - {Unrecognised}
    found = {
        f"{kind.__name__}.{name}: {said}"
        for kind in kinds
        for name, said in kind.__annotations__.items()
    }
    return f"{crc32(chr(10).join(sorted(found)).encode()):08x}"


def line(**row: Any) -> bytes:
    """A line with a right checksum, whatever it says."""
    body = json.dumps(row).encode()[:-1]
    return body + b',"crc":"%08x"}' % crc32(body)


def code(data: bytes) -> str:
    with pytest.raises(HostError) as caught:
        codec.decode(data)
    return caught.value.problems[0].code


def test_no_field_changes_without_a_new_number() -> None:
    assert FIELDS.get(codec.SCHEMA) == fields_now(), "raise `codec.SCHEMA`: its head says how"


def test_every_number_has_a_way_to_the_next() -> None:
    assert list(NUMBERS[:-1]) == sorted(codec.MIGRATIONS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_journal_of_every_number_folds_to_what_it_always_did(number: int) -> None:
    events = [codec.decode(line) for line in lines_of(f"journal-{number}")]
    assert json.loads((HERE / "journal.json").read_text()) == told_by(fold(events))
    assert () == verify(events)


@pytest.mark.parametrize("line", lines_of(f"schema-{codec.SCHEMA}"))
def test_lines_of_this_number_are_read_and_written_as_they_always_were(line: bytes) -> None:
    assert line == codec.encode(codec.decode(line))


@pytest.mark.parametrize(("number", "line"), LINES)
def test_lines_of_older_numbers_are_read_as_what_they_said(number: int, line: bytes) -> None:
    row, new = (json.loads(text) for text in (line, codec.encode(codec.decode(line))))
    assert number == row["v"]
    assert {**row, "v": codec.SCHEMA, "crc": new["crc"]} == new


def test_the_lines_of_this_number_are_of_every_kind_and_leave_no_field_out() -> None:
    payloads = [codec.decode(line).payload for line in lines_of(f"schema-{codec.SCHEMA}")]
    kinds = set(get_args(Payload)) - {Unrecognised}
    assert kinds == {type(payload) for payload in payloads}
    for kind in kinds:
        mine = [payload for payload in payloads if type(payload) is kind]
        said = {f.name for f in fields(kind) for p in mine if getattr(p, f.name) != f.default}
        assert {f.name for f in fields(kind)} == said


def test_no_payload_has_a_field_that_the_line_itself_has() -> None:
    taken = {"v", "seq", "time", "cause", "type", "crc"}
    for kind in set(get_args(Payload)) - {Unrecognised}:
        assert set() == taken & {field.name for field in fields(kind)}


def test_text_is_readable_and_text_that_is_no_text_survives() -> None:
    event = Event(1, NOON, PhaseStarted(phase="Größe"))
    assert "Größe".encode() in codec.encode(event)
    undecodable = Event(1, NOON, PhaseStarted(phase=b"\xff".decode(errors="surrogateescape")))
    assert undecodable == codec.decode(codec.encode(undecodable))


def test_a_null_that_is_a_value_is_kept() -> None:
    event = Event(1, NOON, OutputRecorded(subject="a", name="x", value=None))
    assert event == codec.decode(codec.encode(event))


def test_a_whole_number_may_stand_for_a_real_one() -> None:
    event = Event(1, NOON, Spent(subject="a", cost_usd=2))
    assert event == codec.decode(codec.encode(event))


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.encode(Event(1, NOON, OutputRecorded(subject="a", name="x", value=float("nan"))))


GOOD: dict[str, Any] = {
    "v": 1,
    "seq": 1,
    "time": "2026-03-14T12:00:00Z",
    "type": "moved",
    "subject": "a",
    "to": "queued",
}


def test_a_line_that_was_edited_with_its_checksum_is_read() -> None:
    assert Event(1, NOON, Moved(subject="a", to=StepStatus.QUEUED)) == codec.decode(line(**GOOD))


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "flying"},
        {"to": None},
        {"subject": 1},
        {"attempt": True},
        {"attempt": "1"},
        {"colour": "red"},
        {"delay_seconds": "soon"},
        {"time": "noon"},
        {"time": "2026-03-14T12:00:00+01:00"},
        {"time": None},
        {"seq": "1"},
        {"seq": True},
        {"cause": "0"},
        {"v": "1"},
        {"v": None},
        {"v": 0},
        {"type": None},
        {"type": ["moved"]},
        {"type": "committed", "to": None},
    ],
)
def test_a_line_that_says_what_no_event_says_is_refused(wrong: dict[str, Any]) -> None:
    assert "corrupt-line" == code(line(**{**GOOD, **wrong}))


@pytest.mark.parametrize("absent", ["v", "seq", "time", "type", "subject", "to"])
def test_a_line_that_lacks_something_is_refused(absent: str) -> None:
    row = {key: value for key, value in GOOD.items() if key != absent}
    assert "corrupt-line" == code(line(**row))


@pytest.mark.parametrize(
    "row",
    [
        {"type": "committed", "subject": "a", "commit": "c", "files": "ab"},
        {"type": "committed", "subject": "a", "commit": "c", "files": [1]},
        {"type": "declared", "subject": "a", "uses": {"gpu": "1"}},
        {"type": "declared", "subject": "a", "uses": 1},
        {"type": "spent", "subject": "a", "cost_usd": True},
    ],
)
def test_lists_and_counts_hold_what_they_should(row: dict[str, Any]) -> None:
    head = {key: GOOD[key] for key in ("v", "seq", "time")}
    assert "corrupt-line" == code(line(**head, **row))


@pytest.mark.parametrize("text", [b"[1]", b"1", b"null", b'"x"', b"{}", b"{} {}", b'{"a":1'])
def test_other_json_is_refused(text: bytes) -> None:
    body = text[:-1]
    assert "corrupt-line" == code(body + b',"crc":"%08x"}' % crc32(body))


def test_two_values_on_one_line_are_refused() -> None:
    body = line(**GOOD) + b" {"
    assert "corrupt-line" == code(body + b',"crc":"%08x"}' % crc32(body))


def test_a_kind_that_is_not_known_is_told_apart() -> None:
    strange = codec.decode(line(**{**GOOD, "type": "teleported", "to": "mars"}))
    assert Unrecognised(type="teleported", data={"subject": "a", "to": "mars"}) == strange.payload


def test_a_newer_schema_is_refused_with_advice() -> None:
    assert "newer-schema" == code(line(**{**GOOD, "v": codec.SCHEMA + 1}))


def test_an_older_schema_is_migrated_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_2(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "to": row["to"].lower()}

    def to_3(row: dict[str, Any]) -> dict[str, Any]:
        return {("subject" if key == "name" else key): value for key, value in row.items()}

    old = {("name" if key == "subject" else key): value for key, value in GOOD.items()}
    monkeypatch.setattr(codec, "SCHEMA", 3)
    monkeypatch.setattr(codec, "MIGRATIONS", {1: to_2, 2: to_3})
    expected = Event(1, NOON, Moved(subject="a", to=StepStatus.QUEUED))
    assert expected == codec.decode(line(**{**old, "to": "QUEUED"}))
