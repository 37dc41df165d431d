"""Hypothesis strategies: what anabranch works on, for property tests of your own pipelines.

They shrink to what a person would write. More of each kind is in the module that it comes from.
"""

from anabranch.testing.strategies.effects import compile_program, programs
from anabranch.testing.strategies.expressions import (
    conditions,
    hostile_texts,
    template_texts,
    templates,
)
from anabranch.testing.strategies.git import file_names, file_paths, file_trees
from anabranch.testing.strategies.graphs import (
    access_sets,
    claims_within,
    command_graphs,
    command_lists,
    durations_of,
    resource_limits,
    step_graphs,
)
from anabranch.testing.strategies.lifecycle import events, histories, illegal_histories
from anabranch.testing.strategies.planning import (
    aggregations,
    circuit_breakers,
    durations,
    failure_policies,
    item_filters,
    map_configs,
    retry_policies,
    run_outlines,
    run_progresses,
    sort_keys,
)
from anabranch.testing.strategies.repositories import forks, git_trees, repositories
from anabranch.testing.strategies.simulation import choices, faults, git_faults, schedules
from anabranch.testing.strategies.values import json_items, json_values, texts
from anabranch.testing.strategies.workflows import (
    commands,
    invalid_workflow_texts,
    plans,
    steps,
    workflow_texts,
    workflows,
)
from anabranch.testing.strategies.worlds import Runnable, runnable_workflows

__all__ = [
    "Runnable",
    "access_sets",
    "aggregations",
    "choices",
    "circuit_breakers",
    "claims_within",
    "command_graphs",
    "command_lists",
    "commands",
    "compile_program",
    "conditions",
    "durations",
    "durations_of",
    "events",
    "failure_policies",
    "faults",
    "file_names",
    "file_paths",
    "file_trees",
    "forks",
    "git_faults",
    "git_trees",
    "histories",
    "hostile_texts",
    "illegal_histories",
    "invalid_workflow_texts",
    "item_filters",
    "json_items",
    "json_values",
    "map_configs",
    "plans",
    "programs",
    "repositories",
    "resource_limits",
    "retry_policies",
    "run_outlines",
    "run_progresses",
    "runnable_workflows",
    "schedules",
    "sort_keys",
    "step_graphs",
    "steps",
    "template_texts",
    "templates",
    "texts",
    "workflow_texts",
    "workflows",
]
