"""Workflows: what the user wrote, normalised into one immutable value."""

from anabranch.workflow.builders import StepOptions, map_phase, map_reduce, prompt, step
from anabranch.workflow.foresight import Foresight, PhaseForesight, StepTimes, foresee
from anabranch.workflow.items import plan_items
from anabranch.workflow.labels import SHOWN, label_of, work_in_words
from anabranch.workflow.loading import check_workflow, load_workflow
from anabranch.workflow.model import (
    AGENT_POOL,
    History,
    InDoubt,
    MapPhase,
    MergePhase,
    Mode,
    Step,
    Workflow,
)
from anabranch.workflow.ordering import order_of, refers_to_changes
from anabranch.workflow.plan import Plan, make_plan, plan_from_data, plan_to_data
from anabranch.workflow.plan_text import plan_text
from anabranch.workflow.printing import digest, to_data, to_yaml
from anabranch.workflow.schema import workflow_schema
from anabranch.workflow.validation import validate_workflow

__all__ = [
    "AGENT_POOL",
    "SHOWN",
    "Foresight",
    "History",
    "InDoubt",
    "MapPhase",
    "MergePhase",
    "Mode",
    "PhaseForesight",
    "Plan",
    "Step",
    "StepOptions",
    "StepTimes",
    "Workflow",
    "check_workflow",
    "digest",
    "foresee",
    "label_of",
    "load_workflow",
    "make_plan",
    "map_phase",
    "map_reduce",
    "order_of",
    "plan_from_data",
    "plan_items",
    "plan_text",
    "plan_to_data",
    "prompt",
    "refers_to_changes",
    "step",
    "to_data",
    "to_yaml",
    "validate_workflow",
    "work_in_words",
    "workflow_schema",
]
