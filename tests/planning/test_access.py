from __future__ import annotations

import pytest

from anabranch.planning.access import (
    EVERYTHING,
    NOTHING,
    AccessSet,
    clashes,
    parse_resource,
    undeclared_writes,
)
from anabranch.values import ConfigError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("var:A", "var:A"),
        ("var:map", "var:map.results"),
        ("file:src", "file:src/a.py"),
        ("file:src/*.py", "file:src/deep/b.txt"),
        ("file:**", "file:x"),
        ("file:./src//a.py", "file:src/a.py"),
        ("file:SRC/A.py", "file:src/a.py"),
        ("file:caf\u00e9", "file:cafe\u0301"),
        ("file:/etc/passwd", "file:src"),
        ("file:../elsewhere", "file:src"),
        ("file:~/notes", "file:src"),
        ("file:.", "file:src"),
        ("workspace", "var:A"),
        ("workspace", "file:src"),
    ],
)
def test_resources_that_may_be_the_same_overlap_either_way(one: str, other: str) -> None:
    assert parse_resource(one).overlaps(parse_resource(other))
    assert parse_resource(other).overlaps(parse_resource(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("var:A", "var:B"),
        ("var:A", "file:A"),
        ("var:map", "var:mapped"),
        ("file:src", "file:srcs"),
        ("file:src/a.py", "file:src/b.py"),
        ("file:src/*.py", "file:docs/*.md"),
    ],
)
def test_resources_of_different_places_do_not_overlap(one: str, other: str) -> None:
    assert not parse_resource(one).overlaps(parse_resource(other))


@pytest.mark.parametrize("text", ["", "A", "var:", "var:a b", "file:", "files:x", "Workspace"])
def test_what_is_no_resource_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_resource(text)
    assert text == caught.value.problems[0].value


def test_a_path_without_its_kind_is_answered_with_what_was_probably_meant() -> None:
    with pytest.raises(ConfigError, match="did you mean `file:src`"):
        parse_resource("src")


def test_every_bad_resource_of_both_sets_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        AccessSet.of(reads=["x", "var:A"], writes=["y"])
    assert ["x", "y"] == [problem.value for problem in caught.value.problems]


def test_two_readers_do_not_conflict() -> None:
    reader = AccessSet.of(reads=["workspace"])
    assert not reader.conflicts_with(reader)


def test_what_touches_nothing_conflicts_with_nothing() -> None:
    assert not NOTHING.conflicts_with(EVERYTHING)


def test_every_reason_for_an_order_is_given_with_its_kind() -> None:
    first = AccessSet.of(reads=["var:A"], writes=["file:src"])
    second = AccessSet.of(reads=["file:src/a"], writes=["file:src/b", "var:A"])
    assert [
        "write after write: file:src / file:src/b",
        "read after write: file:src / file:src/a",
        "write after read: var:A",
    ] == [str(clash) for clash in clashes(first, second)]


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ("file:src", "src/a/b.py"),
        ("file:src/*.py", "src/a.py"),
        ("file:src/**", "src/a/b.py"),
        ("file:src/**/*.py", "src/a.py"),
        ("file:src/**/*.py", "src/a/b/c.py"),
        ("file:**/test_*", "a/test_b/c"),
        ("file:a[0-9]", "a7"),
        ("file:**", "x"),
        ("workspace", "x/y"),
    ],
)
def test_a_changed_file_is_covered_by_a_declared_write(declared: str, path: str) -> None:
    assert () == undeclared_writes(AccessSet.of(writes=[declared]), [path])


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ("file:src", "srcs/a"),
        ("file:src/*.py", "src/a.txt"),
        ("file:src/*.py", "src/a/b.py"),
        ("file:src/**/*.py", "src/a.txt"),
        ("file:src/a", "src"),
        ("file:a[0-9]", "ab"),
        ("var:src", "src"),
    ],
)
def test_a_changed_file_that_no_declared_write_covers_is_named(declared: str, path: str) -> None:
    assert (path,) == undeclared_writes(AccessSet.of(writes=[declared]), [path])
