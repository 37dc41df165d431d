from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from anabranch.expressions import MISSING
from anabranch.planning.json_order import identity_key
from anabranch.planning.sorting import sort_items
from anabranch.planning.work import MapConfig, plan_work_assignments
from anabranch.testing.strategies.planning import map_configs
from anabranch.testing.strategies.values import json_items, json_values
from anabranch.values import Json

items_of_a_map = st.lists(json_items() | json_values(max_leaves=3), max_size=10)
documents = items_of_a_map | json_values()


def expected_items(items: Sequence[Json], config: MapConfig) -> list[Json]:
    """The rule, stage by stage, on whole lists."""
    kept = [item for item in items if config.filter is None or config.filter.matches(item)]
    kept = sort_items(kept, config.sort_by)
    if config.distinct is not None:
        values = [config.distinct.get(item) for item in kept]
        keys = [identity_key(None if value is MISSING else value) for value in values]
        kept = [item for n, item in enumerate(kept) if keys.index(keys[n]) == n]
    rest = kept[config.offset :]
    return rest if config.max_items is None else rest[: config.max_items]


@given(items_of_a_map, map_configs())
def test_the_plan_holds_exactly_the_items_of_the_rule(items: list[Json], config: MapConfig) -> None:
    plan = plan_work_assignments(items, config)
    assert list(map(id, expected_items(items, config))) == [id(a.item) for a in plan]


@given(documents, map_configs(json_path=True))
def test_ids_are_dense_from_zero_and_names_follow_from_them(
    document: Json, config: MapConfig
) -> None:
    plan = plan_work_assignments(document, config)
    expected = [(n, f"agent-{n}", f"agent-{n}") for n in range(len(plan))]
    assert expected == [(a.id, a.agent_name, a.worktree_name) for a in plan]


@given(documents, map_configs(json_path=True))
def test_the_same_input_gives_the_same_plan(document: Json, config: MapConfig) -> None:
    assert plan_work_assignments(document, config) == plan_work_assignments(document, config)


@given(items_of_a_map, map_configs(json_path=True))
def test_a_list_and_an_iterator_of_it_are_the_same_input(
    items: list[Json], config: MapConfig
) -> None:
    assert plan_work_assignments(items, config) == plan_work_assignments(iter(items), config)


@given(documents, map_configs(json_path=True))
def test_how_many_run_at_once_changes_nothing_about_the_plan(
    document: Json, config: MapConfig
) -> None:
    alone = MapConfig(
        json_path=config.json_path,
        filter=config.filter,
        sort_by=config.sort_by,
        distinct=config.distinct,
        offset=config.offset,
        max_items=config.max_items,
        max_parallel=1,
    )
    assert plan_work_assignments(document, alone) == plan_work_assignments(document, config)
