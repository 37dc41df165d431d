"""Workflows: what the user wrote, normalised into one immutable value."""

from anabranch.workflow.loading import load_workflow
from anabranch.workflow.model import DEFAULT_MAX_PARALLEL, MapPhase, Mode, Step, Workflow

__all__ = ["DEFAULT_MAX_PARALLEL", "MapPhase", "Mode", "Step", "Workflow", "load_workflow"]
