from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from anabranch.lifecycle import CommandEnded, Declared, Held, Masker, Merged, OutputRecorded

USUAL = Masker.of([])
TOKEN = "ghp_" + "aB3" * 12
KEY = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXk=
AAAA/BBBB+CC
-----END OPENSSH PRIVATE KEY-----"""


def test_a_declared_value_becomes_stars_wherever_it_is() -> None:
    masker = Masker.of(["correct horse", "battery staple"])
    assert "a***b *** c" == masker.text("acorrect horseb battery staple c")


def test_what_overlaps_is_masked_as_one() -> None:
    assert "x***y" == Masker.of(["abcdefgh", "efghijkl"]).text("xabcdefghijkly")
    assert "***" == Masker.of(["abababab"]).text("ababababab")


def test_what_touches_is_masked_as_two() -> None:
    assert "******" == Masker.of(["abcdefgh"]).text("abcdefghabcdefgh")


@pytest.mark.parametrize(
    "shown",
    [
        'pass"word\n12',
        json.dumps('pass"word\n12'),
        quote('pass"word\n12', safe=""),
        b64encode(b'pass"word\n12').decode(),
    ],
)
def test_a_declared_value_is_known_in_its_disguises(shown: str) -> None:
    assert "word" not in Masker.of(['pass"word\n12']).text(f"<{shown}>")
    assert "***" in Masker.of(['pass"word\n12']).text(f"<{shown}>")


def test_each_line_of_a_long_secret_is_one() -> None:
    masker = Masker.of(["first line\nsecond line\n}\n"])
    assert ">  ***\n}" == masker.text(">  second line\n}")


def test_a_short_value_is_masked_only_where_it_stands_alone() -> None:
    masker = Masker.of(["test"])
    paths = "tests/test_a.py /src/test/b.py pytest latest test-1 test.py"
    assert paths == masker.text(paths)
    assert "password *** or '***'" == masker.text("password test or 'test'")


@pytest.mark.parametrize("value", ["", "a", "no", "123"])
def test_a_value_that_is_too_short_is_no_secret(value: str) -> None:
    assert "a no 123" == Masker.of([value]).text("a no 123")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token {TOKEN}!", "token ***!"),
        ("github_pat_" + "a1_" * 20, "***"),
        ("glpat-abcdefghij0123456789", "***"),
        ("sk-ant-api03-" + "aB_-" * 10, "***"),
        ("sk-" + "aB3" * 16, "***"),
        ("key=AKIAIOSFODNN7EXAMPLE,", "key=***,"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = ***"),
        ("xoxb-1234567890-abc", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0x.c2lnbmF0dXJl", "***"),
        ("git clone https://me:hunter2@example.org/a.git", "git clone https://***@example.org/a.git"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer ***"),
        ('"authorization": "Basic dXNlcjpwYXNz"', '"authorization": "Basic ***"'),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=***"),
        ("export API_KEY='hunter2'", "export API_KEY='***'"),
        ('{"client_secret": "hunter2"}', '{"client_secret": "***"}'),
        (f"a\n{KEY}\nb", "a\n***\nb"),
        (json.dumps({"key": KEY}), '{"key": "***"}'),
        ("-----BEGIN RSA PRIVATE KEY-----\n  MIIE\n  abcd", "***"),
    ],
)  # fmt: skip
def test_usual_credentials_become_stars(text: str, masked: str) -> None:
    assert masked == USUAL.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "/usr/local/lib/python3.11/site-packages/anabranch/lifecycle/masking.py",
        "/home/me/very/long/path/with/MANY/Segments/AndCamelCase/x86_64/2026/file.tar.gz",
        "c0ffee1234567890c0ffee1234567890c0ffee12",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "src/sk-learn-model-selection-utilities/test_everything.py",
        "Unexpected token: identifier",
        "password: must be at least eight characters",
        "SECRET_FILE=/run/secrets/db PASSWORD=$DB_PASSWORD TOKEN=${TOKEN} API_KEY=config/key.txt",
        "see https://example.org:8080/a@b and ssh://git@example.org/x",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "token = tokenizer.next()",
        '"token": "${TOKEN}", "max_tokens": 4096, "tokens": "a b"',
        "-----BEGIN words that are no key-----",
        "PASSWORD=***",
    ],
)
def test_what_is_no_credential_is_left_alone(text: str) -> None:
    assert text == USUAL.text(text)


def test_a_value_of_json_is_masked_in_texts_and_keys() -> None:
    masker = Masker.of(["correct horse"])
    value = {"correct horse": [1, None, True, {"a": "my correct horse"}]}
    assert {"***": [1, None, True, {"a": "my ***"}]} == masker.json(value)


def test_a_payload_is_masked_in_what_it_says_and_not_in_what_it_is() -> None:
    masker = Masker.of(["agent-00"])
    said = CommandEnded(subject="agent-00", tail="agent-00 says hi", log="/log/agent-00")
    assert CommandEnded(subject="agent-00", tail="*** says hi", log="/log/agent-00") == (
        masker.payload(said)
    )
    item = Declared(subject="agent-00", item={"path": "agent-00"}, needs=("agent-00",))
    assert Declared(subject="agent-00", item={"path": "***"}, needs=("agent-00",)) == (
        masker.payload(item)
    )
    output = OutputRecorded(subject="a", name="x", value=["agent-00"])
    assert OutputRecorded(subject="a", name="x", value=["***"]) == masker.payload(output)


def test_a_payload_without_secrets_is_the_same() -> None:
    merged = Merged(subject="a", target="b", before="c", commit="d")
    assert merged is USUAL.payload(merged)


def stream(masker: Masker, *pieces: bytes) -> list[bytes]:
    held, shown = Held(), list[bytes]()
    for piece in pieces:
        out, held = masker.feed(held, piece)
        shown.append(out)
    return [*shown, masker.flush(held)]


def test_a_secret_across_pieces_is_masked() -> None:
    masker = Masker.of(["correct horse"])
    assert [b"", b"a *** b\n", b""] == stream(masker, b"a correct h", b"orse b\n")


def test_whole_lines_are_shown_at_once() -> None:
    assert [b"one\n", b"two\n", b"", b"three"] == stream(USUAL, b"one\ntw", b"o\nthr", b"ee")


def test_a_key_is_held_back_until_it_has_ended() -> None:
    lines = [line.encode() + b"\n" for line in KEY.splitlines()]
    assert [b"a\n", b"", b"", b"", b"", b"***\nb\n", b""] == stream(USUAL, b"a\n", *lines, b"b\n")


def test_a_line_that_does_not_end_is_not_held_for_ever() -> None:
    shown = stream(USUAL, *[b"x" * 50_000] * 4)
    assert b"x" * 200_000 == b"".join(shown)
    assert max(len(piece) for piece in shown[:2]) > 0


def test_a_secret_in_a_line_that_does_not_end_is_masked() -> None:
    token = TOKEN.encode()
    text = (b"x" * 999 + b" ") * 100 + token + b" " + (b"x" * 999 + b" ") * 100
    for size in (10_000, 99_990, 100_010, 100_020):
        pieces = [text[n : n + size] for n in range(0, len(text), size)]
        assert text.replace(token, b"***") == b"".join(stream(USUAL, *pieces))


@pytest.mark.parametrize(
    "text",
    [
        b"A" * 200_000,
        b"://" + b"a:" * 100_000,
        b"eyJ" * 70_000,
        b'"token' * 40_000,
        b"-----BEGIN PRIVATE KEY-----" + b"\n   \t" * 50_000,
        b"-----BEGIN PRIVATE KEY-----\n" * 8_000,
        b"PASSWORD=" * 20_000,
    ],
)
def test_hostile_texts_are_looked_through_in_no_time(text: bytes) -> None:
    assert len(USUAL.data(text)) <= len(text)


@pytest.mark.parametrize("end", ["", "\n", "\r\nmore"])
def test_a_secret_that_is_longer_than_any_line_is_masked_in_a_stream(end: str) -> None:
    secret = "correct-horse " * 20_000
    masker, held, shown = Masker.of([secret]), Held(), b""
    text = f"say {secret}{end}".encode()
    for start in range(0, len(text), 1 << 16):
        out, held = masker.feed(held, text[start : start + (1 << 16)])
        shown += out
    assert f"say ***{end}".encode() == shown + masker.flush(held)
