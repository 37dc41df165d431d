"""The only place where effects happen: the live interpreter, virtual time, the dry run."""

from anabranch.interpreters.dry import DryRun, dry_run
from anabranch.interpreters.live import Backend, run, run_async
from anabranch.interpreters.requests import Span, Tracer

__all__ = ["Backend", "DryRun", "Span", "Tracer", "dry_run", "run", "run_async"]
