from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from anabranch.testing.repositories import git_repo

ANABRANCH = [sys.executable, "-m", "anabranch"]


def printed_on_a_terminal(arguments: list[str], environ: Mapping[str, str]) -> bytes:
    """Standard error of the program when it is a terminal."""
    ours, its = pty.openpty()
    subprocess.run(
        [*ANABRANCH, *arguments],
        stderr=its,
        check=False,
        env={**os.environ, "TERM": "xterm", **environ},
    )
    os.close(its)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        return terminal.read(10_000)


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_and_respects_no_color(value: str, *, coloured: bool) -> None:
    said = printed_on_a_terminal(["validate", "nowhere.yml"], {"NO_COLOR": value})
    assert b"cannot read `nowhere.yml`" in said
    assert coloured == (b"\x1b[" in said)


def test_what_steers_a_terminal_does_not_reach_it() -> None:
    said = printed_on_a_terminal(["validate", "\x1b]0;title\x07\x1b[2J.yml"], {"NO_COLOR": "1"})
    assert rb"`\x1b]0;title\x07\x1b[2J.yml`" in said
    assert b"\x1b" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_is_json_whatever_is_in_it_and_wherever_it_goes(encoding: str, tmp_path: Path) -> None:
    name = "caf\xe9 \u20ac \U0001f600 \x7f \x85 \x9b2J"
    shop = git_repo(tmp_path / "shop", {"items.json": json.dumps([name])})
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "name: w\nmode: mapreduce\nmap: {input: items.json, agent_template: [exit 1]}\n"
    )

    def told(*arguments: str) -> bytes:
        environ = {**os.environ, "PYTHONIOENCODING": encoding}
        command = [*ANABRANCH, *arguments, "--repo", str(shop.path)]
        return subprocess.run(command, stdout=subprocess.PIPE, check=False, env=environ).stdout

    assert ["caf\xe9 \u20ac \U0001f600 \x7f \x9b2J"] == [
        failed["label"] for failed in json.loads(told("run", str(flow), "--json"))["failed"]
    ]
    assert [name] == json.loads(told("dlq", "export"))
    events = [json.loads(line) for line in told("events", "--json").split(b"\n") if line]
    assert name in [event.get("item") for event in events]


@contextmanager
def pipe_that_nobody_reads() -> Generator[BinaryIO]:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        yield nobody


def test_output_that_nobody_reads_is_no_fault(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yml"
    flow.write_text("name: w\nmode: mapreduce\nmap: {input: i.json, agent_template: [make]}\n")
    with pipe_that_nobody_reads() as nobody:
        done = subprocess.run(
            [*ANABRANCH, "validate", flow], stdout=nobody, stderr=subprocess.PIPE, check=False
        )
    assert (1, b"") == (done.returncode, done.stderr)


def test_a_run_goes_on_when_nobody_reads_how_it_goes(tmp_path: Path) -> None:
    shop = git_repo(tmp_path / "shop", {"items.txt": "a\nb\n"})
    flow = tmp_path / "flow.yml"
    flow.write_text("name: w\nmode: mapreduce\nmap: {input: items.txt, agent_template: [pwd]}\n")
    with pipe_that_nobody_reads() as nobody:
        done = subprocess.run(
            [*ANABRANCH, "run", flow, "--repo", shop.path],
            stdout=subprocess.PIPE,
            stderr=nobody,
            check=False,
            env=shop.environ,
        )
    assert (0, b"w: done in ") == (done.returncode, done.stdout[:11])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_cannot_be_written_is_told(arguments: list[str], unbuffered: str) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" > /dev/full', "sh", *ANABRANCH, *arguments],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    message = "error: the result cannot be written to standard output: No space left on device\n"
    assert (3, message) == (done.returncode, done.stderr)


def test_a_caller_that_ignores_the_deaths_of_children_loses_no_exit_codes(tmp_path: Path) -> None:
    shop = git_repo(tmp_path / "shop", {"items.json": "[1]"})
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "name: w\nmode: mapreduce\nmap: {input: items.json, agent_template: ['true']}\n"
    )
    deaf = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{deaf}; os.execv(sys.argv[1], sys.argv[1:])",
            *ANABRANCH,
            "run",
            flow,
        ],
        cwd=shop.path,
        check=False,
        capture_output=True,
    )
    assert (0, b"done") == (told.returncode, told.stdout[3:7])


def test_streams_that_the_caller_has_closed_are_no_fault() -> None:
    closed = 'exec "$@" <&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", closed, "sh", *ANABRANCH, "validate", "nowhere.yml", "--json"],
        capture_output=True,
        check=False,
    )
    assert (2, b"") == (done.returncode, done.stderr)
    assert b'"message": "cannot read `nowhere.yml`"' in done.stdout


def test_text_that_the_terminal_cannot_show_is_shown_all_the_same(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yml"
    text = "name: caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}\nmode: mapreduce\n"
    flow.write_text(f"{text}map: {{input: i.json, agent_template: [make]}}\n", encoding="utf-8")
    done = subprocess.run(
        [*ANABRANCH, "validate", flow],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert done.stdout.endswith(b"is a valid workflow: caf\xe9 \\u2603\n")
