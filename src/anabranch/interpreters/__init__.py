"""The only place where effects happen: the live interpreter, virtual time, the dry run."""

from anabranch.interpreters.live import Backend, run, run_async
from anabranch.interpreters.requests import Span, Tracer

__all__ = ["Backend", "Span", "Tracer", "run", "run_async"]
