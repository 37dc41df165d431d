"""How the pages of the documentation are run, and how long Hypothesis may think.

Each page (README and `docs/`) is one program, top to bottom, in a scratch directory of its own
that is an empty git repository:

* `python` blocks share one namespace; `>>>` examples are compared as doctests are;
* a `yaml` block whose first line is a comment with a file's name is written to that file;
* a `console` block is a transcript, run and compared if all its commands are known
  (`tests/transcripts.py`).
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

import anabranch
from tests import transcripts

# The entry point of the package says the same, where the package was installed anew since it has one.
pytest_plugins = ["anabranch.pytest_plugin"]

# A module that pytest collects for its examples before anything has imported it would be executed
# twice, and its classes would be two; so all of them are imported first, in one order.
for module in pkgutil.walk_packages(anabranch.__path__, "anabranch."):
    if not module.name.endswith(("__main__", "pytest_plugin")):
        importlib.import_module(module.name)

# A deadline would be a wall-clock time in a test.
# The suite is the same every time; `thorough` is the one that goes looking for what is new.
hypothesis.settings.register_profile("anabranch", deadline=None, derandomize=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=5000)
hypothesis.settings.load_profile("anabranch")


def enter_page(namespace: dict[str, Any]) -> None:
    """Go to a scratch repository, with nobody's home and nobody's terminal."""
    patch, scratch = pytest.MonkeyPatch(), Path(tempfile.mkdtemp(prefix="page-"))
    for name, value in transcripts.environment(scratch).items():
        patch.setenv(name, value)
    patch.chdir(transcripts.make_repository(scratch / "project"))
    namespace["__page__"] = patch, scratch


def leave_page(namespace: dict[str, Any]) -> None:
    """Come back, and take the scratch directory away."""
    patch, scratch = namespace["__page__"]
    patch.undo()
    shutil.rmtree(scratch)


def write_file(example: Example) -> None:
    """Write a block that names its file in a comment on its first line."""
    text = str(example.parsed)
    name = text.partition("\n")[0].removeprefix("# ").strip()
    if name.endswith((".yml", ".yaml")) and " " not in name:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def run_transcript(example: Example) -> str | None:
    """Run a transcript; what it printed otherwise than the page says is the answer."""
    return transcripts.disagreement(str(example.parsed))


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS),
        CodeBlockParser(language="yaml", evaluator=write_file),
        CodeBlockParser(language="console", evaluator=run_transcript),
        SkipParser(),
    ],
    patterns=["README.md", "docs/**/*.md", "docs/*.md"],
    setup=enter_page,
    teardown=leave_page,
).pytest()
