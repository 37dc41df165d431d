"""The rules of the house that no linter knows (`docs/architecture.md` gives the reasons)."""

from __future__ import annotations

import ast
import importlib
import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import anabranch

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "src" / "anabranch"
MODULES: Final = sorted(PACKAGE.rglob("*.py"))
ROOMS: Final = sorted(p.parent for p in PACKAGE.glob("*/__init__.py"))

PURE: Final = frozenset({"values", "expressions", "planning", "workflow", "lifecycle"})
DESCRIPTIONS: Final = frozenset({"effects", "environment", "program", "interpreters", "interop"})
OUTSIDE_WORLD: Final = frozenset(
    {
        "anyio",
        "asyncio",
        "fcntl",
        "glob",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "trio",
        "uuid",
    }
)
AMBIENT: Final = frozenset({"time", "uuid", "random", "secrets", "os"})
HEAVY: Final = frozenset({"click", "hypothesis", "jsonpath", "rich", "ruamel", "trio"})


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def on_floors(rooms: frozenset[str]) -> list[Path]:
    return [module for module in MODULES if room_of(module) in rooms]


def named(module: Path) -> str:
    return str(module.relative_to(ROOT))


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(module)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name.partition(".")[0]
            case _:
                pass


def shortening_in(tree: ast.Module) -> Iterator[ast.JoinedStr]:
    """Texts that hold a part of another and `…`."""
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr):
            inner = list(ast.walk(text))
            said = any(isinstance(n, ast.Constant) and "…" in str(n.value) for n in inner)
            if said and any(isinstance(n, ast.Slice) for n in inner):
                yield text


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from `def` to the end, less the docstring and the decorators."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    match function.body[0]:
        case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
            return lines - (last - first + 1)
        case _:
            return lines


@pytest.mark.parametrize("module", on_floors(PURE), ids=named)
def test_a_pure_module_does_not_import_the_outside_world(module: Path) -> None:
    assert set() == OUTSIDE_WORLD & set(imports_of(module))


@pytest.mark.parametrize("module", on_floors(PURE), ids=named)
def test_a_pure_module_takes_only_pure_paths_from_pathlib(module: Path) -> None:
    taken = [
        alias.name
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if "pathlib" in {alias.name, getattr(node, "module", None)}
    ]
    assert [] == [name for name in taken if not name.startswith("Pure")]


@pytest.mark.parametrize("module", on_floors(PURE), ids=named)
def test_a_pure_module_is_synchronous(module: Path) -> None:
    coroutines = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert [] == [n for n in ast.walk(tree_of(module)) if isinstance(n, coroutines)]


@pytest.mark.parametrize("module", on_floors(PURE), ids=named)
def test_a_pure_module_neither_reads_the_clock_nor_opens_nor_prints(module: Path) -> None:
    calls = [n.func for n in ast.walk(tree_of(module)) if isinstance(n, ast.Call)]
    names = {f.id for f in calls if isinstance(f, ast.Name)}
    attributes = {f.attr for f in calls if isinstance(f, ast.Attribute)}
    assert set() == names & {"open", "print", "input"} | attributes & {"now", "today", "utcnow"}


@pytest.mark.parametrize("module", on_floors(DESCRIPTIONS), ids=named)
def test_time_ids_randomness_and_environment_variables_come_from_services(module: Path) -> None:
    assert set() == AMBIENT & set(imports_of(module))


def test_texts_are_shortened_in_one_module_which_takes_what_was_masked() -> None:
    found = [named(m) for m in MODULES for _ in shortening_in(tree_of(m))]
    assert ["src/anabranch/values/excerpts.py"] == found


def test_no_module_has_more_than_600_lines_and_half_have_at_most_150() -> None:
    lines = {named(m): len(m.read_text(encoding="utf-8").splitlines()) for m in MODULES}
    assert {} == {name: count for name, count in lines.items() if count > 600}
    assert statistics.median(lines.values()) <= 150


def test_half_of_the_functions_have_at_most_8_lines_and_nine_in_ten_at_most_25() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for module in MODULES for node in ast.walk(tree_of(module))]
    lines = sorted(code_lines(node) for node in nodes if isinstance(node, functions))
    assert statistics.median(lines) <= 8
    assert lines[len(lines) * 9 // 10] <= 25


@pytest.mark.parametrize("room", ROOMS, ids=named)
def test_what_a_room_exports_is_there(room: Path) -> None:
    module = importlib.import_module(f"anabranch.{room.name}")
    assert [] == [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]


def test_a_public_name_is_exported_by_one_room() -> None:
    modules = [importlib.import_module(f"anabranch.{room.name}") for room in ROOMS]
    counts = Counter(name for module in modules for name in getattr(module, "__all__", ()))
    assert {} == {name: count for name, count in counts.items() if count > 1}


def modules_after(statement: str) -> set[str]:
    program = f"import sys, json; {statement}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_the_library_imports_no_room_before_a_name_of_it_is_used() -> None:
    modules = modules_after("import anabranch")
    assert {"anabranch"} == {name for name in modules if name.startswith("anabranch")}


def test_using_all_of_the_face_does_not_import_what_is_heavy() -> None:
    assert set() == HEAVY & modules_after("from anabranch import *")


def test_the_face_has_what_it_lists_and_nothing_else() -> None:
    assert sorted(anabranch.__all__) == anabranch.__all__
    assert [] == [name for name in anabranch.__all__ if not hasattr(anabranch, name)]
    with pytest.raises(AttributeError, match="has no attribute 'suceed'"):
        _ = getattr(anabranch, "suceed")  # noqa: B009  (a checker would refuse the other spelling)


def test_a_name_of_the_face_is_at_run_time_what_a_checker_believes_it_to_be() -> None:
    face = tree_of(PACKAGE / "__init__.py")
    imports = [node for node in ast.walk(face) if isinstance(node, ast.ImportFrom)]
    believed = {
        alias.name: getattr(importlib.import_module(node.module), alias.name)
        for node in imports
        if node.module is not None and node.module.startswith("anabranch.")
        for alias in node.names
    }
    assert sorted(believed) == anabranch.__all__
    wrong = [name for name, what in believed.items() if getattr(anabranch, name) is not what]
    assert [] == wrong


def test_no_tracked_file_names_a_directory_of_one_machine() -> None:
    here = re.compile("|".join(re.escape(f"{place}/") for place in (ROOT, Path.home())))
    done = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in done.stdout.split("\0") if name]
    texts = {f: f.read_bytes().decode(errors="replace") for f in files if f.is_file()}
    assert [] == [named(file) for file, text in texts.items() if here.search(text)]
