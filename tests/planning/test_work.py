from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from anabranch.expressions import Condition, FieldPath, parse_condition
from anabranch.expressions.tree import And, Call, Compare, Comparison, Literal, Node, Or
from anabranch.planning.json_path import JsonPath
from anabranch.planning.work import MapConfig, WorkAssignment, plan_work_assignments
from anabranch.values import ConfigError, Json
from tests.cases import Case, table

# The peer lets a missing field differ from null; here `x == null` is true for both.
NULL_INCLUDES_MISSING = {"work_plan-023": [{"x": None}, {}]}


def tree_of(node: list[Any]) -> Node:
    match node:
        case ["and", *nodes]:
            return And(tuple(map(tree_of, nodes)))
        case ["or", *nodes]:
            return Or(tuple(map(tree_of, nodes)))
        case ["contains", str(name), value]:
            return Call("contains", (FieldPath((name,)), Literal(value)))
        case [str(op), str(name), value]:
            return Compare(FieldPath((name,)), Comparison[op.upper()], Literal(value))
        case _:
            raise AssertionError(node)


@pytest.mark.parametrize("case", table("work_plan"))
def test_assignments_are_those_of_the_table(case: Case) -> None:
    given = case.given
    config = MapConfig(
        filter=Condition(tree_of(given["filter"])) if "filter" in given else None,
        offset=given.get("offset", 0),
        max_items=given.get("max_items"),
    )
    plan = plan_work_assignments(given["items"], config)
    if case.id in NULL_INCLUDES_MISSING:
        assert NULL_INCLUDES_MISSING[case.id] == [a.item for a in plan]
    else:
        assert case.expected["r"] == [
            {"id": a.id, "item": a.item, "worktree_name": a.worktree_name} for a in plan
        ]


def test_the_stages_come_in_the_order_of_the_documentation() -> None:
    document: Json = {"rows": [{"k": k, "n": n} for k, n in zip("aabbcd", range(6), strict=True)]}
    config = MapConfig(
        json_path="$.rows",
        filter="n > 0",
        sort_by="n DESC",
        distinct="k",
        offset=1,
        max_items=2,
    )
    # filtered 1 2 3 4 5, sorted 5 4 3 2 1, distinct d5 c4 b3 a1, from the second c4 b3
    expected: list[Json] = [{"k": "c", "n": 4}, {"k": "b", "n": 3}]
    assert expected == [a.item for a in plan_work_assignments(document, config)]


def test_an_endless_input_is_read_no_further_than_needed() -> None:
    numbers = count()
    plan = plan_work_assignments(numbers, MapConfig(offset=2, max_items=3))
    assert ([2, 3, 4], 5) == ([a.item for a in plan], next(numbers))


def test_a_document_that_is_no_array_is_one_item() -> None:
    documents: list[Json] = ["ab", {"a": 1}, 7, None]
    assert [[document] for document in documents] == [
        [a.item for a in plan_work_assignments(document)] for document in documents
    ]


def test_an_iterable_with_a_json_path_is_an_array() -> None:
    rows: list[Json] = [{"files": ["a", "b"]}, {"files": ["c"]}]
    plan = plan_work_assignments(iter(rows), MapConfig(json_path="$[*].files[*]"))
    assert ["a", "b", "c"] == [a.item for a in plan]


def test_text_and_parsed_settings_make_equal_configurations() -> None:
    text = MapConfig(json_path="$.a", filter="n > 1", sort_by="n, m DESC", distinct="k")
    parsed = MapConfig(
        json_path=JsonPath("$.a"),
        filter=parse_condition("n > 1"),
        sort_by=text.sort_by,
        distinct=text.distinct,
    )
    assert text == parsed


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        MapConfig(
            json_path="items",
            filter="n >",
            sort_by="n UP",
            distinct="a..b",
            offset=-1,
            max_items=-1,
            max_parallel=0,
        )
    names = ["json_path", "filter", "sort_by", "distinct", "offset", "max_items", "max_parallel"]
    assert names == [problem.where.path for problem in caught.value.problems]


def test_the_names_of_an_assignment_follow_from_its_id() -> None:
    assignment = WorkAssignment(id=12, item=None)
    assert ("agent-12", "agent-12") == (assignment.agent_name, assignment.worktree_name)


def test_of_items_without_the_distinct_field_one_is_kept() -> None:
    items: list[Json] = [{"k": None, "n": 1}, {"n": 2}, {"k": 1}, {"k": True}, {"k": 1.0}]
    plan = plan_work_assignments(items, MapConfig(distinct="k"))
    assert [{"k": None, "n": 1}, {"k": 1}, {"k": True}] == [a.item for a in plan]
