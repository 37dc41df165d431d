"""Runs on this machine: the environment composed, the program interpreted."""

from anabranch.engine.local import Listener, LocalRun, new_run_id

__all__ = ["Listener", "LocalRun", "new_run_id"]
