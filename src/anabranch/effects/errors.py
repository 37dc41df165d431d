"""What effects themselves can fail with, as values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import timedelta
from typing import Generic, TypeVar

from attrs import field, frozen

from anabranch.values import indented

T = TypeVar("T", covariant=True)
E = TypeVar("E", covariant=True)
E2 = TypeVar("E2", covariant=True)
K = TypeVar("K", bound=Hashable)


@frozen
class ContextError(Generic[E]):
    """An error and the labels it passed through, from the inside out.

    >>> print(ContextError("no such file", ("read config", "start server")))
    no such file
      in read config
      in start server
    """

    error: E
    labels: tuple[str, ...]

    def __str__(self) -> str:
        """The error, then one line for each label, innermost first."""
        return "\n".join([str(self.error), *(f"  in {label}" for label in self.labels)])


@frozen
class ParallelError(Generic[T, E]):
    """Some of several effects failed. Nothing that was achieved is thrown away.

    Attributes:
        errors: every error by the index of its effect, in input order.
        successes: every value by the index of its effect, in input order.
    """

    errors: Mapping[int, E]
    successes: Mapping[int, T]

    def __str__(self) -> str:
        r"""How many failed, then each error with its index.

        >>> print(ParallelError({0: "no\nbecause", 2: "late"}, {1: 5}))
        2 of 3 effects failed
          [0] no
            because
          [2] late
        """
        total = len(self.errors) + len(self.successes)
        head = f"{len(self.errors)} of {total} effects failed"
        failed = (f"  [{index}] {indented(str(error))}" for index, error in self.errors.items())
        return "\n".join([head, *failed])


@frozen
class GraphError(Generic[K, T, E]):
    """Some effects of a graph failed, and those that depend on them did not run.

    Attributes:
        errors: every error by key.
        successes: every value by key.
        skipped: the keys that never ran, each with the failed key it was waiting for.
    """

    errors: Mapping[K, E]
    successes: Mapping[K, T]
    skipped: Mapping[K, K]

    def __str__(self) -> str:
        """Each error by key, then each skipped key with its reason."""
        failed = (f"  {key}: {indented(str(error))}" for key, error in self.errors.items())
        skipped = (f"  {key}: skipped, upstream {why} failed" for key, why in self.skipped.items())
        count = len(self.errors) + len(self.successes) + len(self.skipped)
        head = f"{len(self.errors)} of {count} effects of the graph failed"
        return "\n".join([head, *failed, *skipped])


@frozen
class TimedOut:
    """An effect did not end in time; it was cancelled and its finalisers have run."""

    after: timedelta

    def __str__(self) -> str:
        """The limit that was passed, in seconds."""
        return f"timed out after {self.after.total_seconds():g}s"


@frozen
class EmptyRace:
    """A race without runners has no winner."""

    def __str__(self) -> str:
        """Say so."""
        return "a race of no effects has no winner"


@frozen
class ReleaseError(Generic[E, E2]):
    """Both the use of a resource and its release failed; both errors are kept."""

    use: E
    release: E2

    def __str__(self) -> str:
        """The first error, then the second."""
        return f"{self.use}\n  and its release failed: {self.release}"


@frozen
class CircuitOpen:
    """A circuit breaker refused the call without making it. `retry_after` is when it may answer."""

    retry_after: timedelta = field(factory=timedelta)

    def __str__(self) -> str:
        """When to come back, in seconds."""
        return f"circuit open, try again in {self.retry_after.total_seconds():g}s"
