"""Workflows: what the user wrote, normalised into one immutable value."""

from anabranch.workflow.builders import map_phase, map_reduce, step
from anabranch.workflow.loading import load_workflow
from anabranch.workflow.model import DEFAULT_MAX_PARALLEL, MapPhase, Mode, Step, Workflow
from anabranch.workflow.printing import digest, to_data, to_yaml
from anabranch.workflow.schema import workflow_schema

__all__ = [
    "DEFAULT_MAX_PARALLEL",
    "MapPhase",
    "Mode",
    "Step",
    "Workflow",
    "digest",
    "load_workflow",
    "map_phase",
    "map_reduce",
    "step",
    "to_data",
    "to_yaml",
    "workflow_schema",
]
