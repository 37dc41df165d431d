"""Both type checkers, without plugins, as functions from files to what they report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

ROOT: Final = Path(__file__).parents[1]
CASES: Final = sorted((ROOT / "typing_tests" / "cases").glob("*.py"))


@frozen
class Report:
    """One error: file's name, line from 1, the checker's code for it, its text."""

    file: str
    line: int
    code: str
    message: str


Checker = Callable[[Sequence[Path]], list[Report]]


def mypy(files: Sequence[Path], *options: str) -> list[Report]:
    """`mypy --strict`, configured as for the rest of the tree."""
    lines = _run("mypy", "--output=json", "--no-warn-unused-ignores", *options, *files).splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [Report(_name(f["file"]), f["line"], f["code"], f["message"]) for f in found]


def mypy_with_returns(files: Sequence[Path]) -> list[Report]:
    """The same, with the plugin that `returns` brings, which knows its `flow` and `pipe`."""
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as settings:
        plugin = "returns.contrib.mypy.returns_plugin"
        settings.write(f"[mypy]\nstrict = true\nmypy_path = {ROOT / 'src'}\nplugins = {plugin}\n")
        settings.flush()
        return mypy(files, f"--config-file={settings.name}")


def pyright(files: Sequence[Path]) -> list[Report]:
    """Basedpyright in its `strict` mode, configured as for the rest of the tree."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["basedpyright"]
    places = {"venvPath": str(ROOT), "extraPaths": [str(ROOT / "src"), str(ROOT)]}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as project:
        included = {"include": list(map(str, files)), "exclude": []}
        json.dump(settings | places | included, project)
        project.flush()
        printed = _run("basedpyright", "--outputjson", "--project", project.name)
    return [
        Report(_name(f["file"]), f["range"]["start"]["line"] + 1, f.get("rule", ""), f["message"])
        for f in json.loads(printed)["generalDiagnostics"]
    ]


CHECKERS: Final[dict[str, Checker]] = {"mypy": mypy, "pyright": pyright}


def _name(path: str) -> str:
    return Path(path).name


def _run(program: str, *arguments: str | Path) -> str:
    command = [Path(sys.executable).parent / program, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def expectations(case: Path, checker: str) -> Iterator[tuple[int, str]]:
    """Lines that the checker must refuse, each with the code it must give.

    They end with `# E: mypy-code pyrightCode`.
    """
    place = list(CHECKERS).index(checker)
    for number, line in enumerate(case.read_text(encoding="utf-8").splitlines(), start=1):
        if marked := re.search(r"# E: (\S+) (\S+)$", line):
            yield number, marked.group(place + 1)
