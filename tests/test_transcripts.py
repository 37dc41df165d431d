from __future__ import annotations

import pytest

from tests.transcripts import Entry, disagreement, parse


def test_a_transcript_is_commands_with_what_they_print() -> None:
    text = "$ echo a\na\n$ cat <<E\n> b\n> E\nb\n\n$ ls\n"
    assert [Entry("echo a", "a\n"), Entry("cat <<E\nb\nE", "b\n\n"), Entry("ls", "")] == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "$ echo one two\none two\n",
        "$ echo one two\none ...\n",
        "$ echo unwritten\n",
        "$ cat /nowhere\ncat: ...\n$ echo $?\n1\n",
        "$ pip install anabranch\nnot run\n",
    ],
)
def test_a_transcript_that_tells_the_truth_passes(text: str) -> None:
    assert disagreement(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$ echo one\ntwo\n", "printed:\none"),
        ("$ cat /nowhere\n", "exit code 1 at the end: cat /nowhere"),
        ("$ cat /nowhere\n$ echo on\n", "exit code 1 before: echo on"),
    ],
)
def test_a_transcript_that_does_not_is_told_where(text: str, said: str) -> None:
    assert said in (disagreement(text) or "")
