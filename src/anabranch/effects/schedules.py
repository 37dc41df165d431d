"""What runs next and when it is over: the logic of everything parallel, as plain objects.

A `Par` node carries a function that makes a `Schedule`. The interpreter pulls jobs from
it while there is room, pushes their results back, and asks for the outcome at the end.
A schedule is synchronous, knows no event loop and does no I/O, so `par_all`, `race` and
`par_graph` are tested without running anything. One schedule serves one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any, Protocol, TypeAlias

from returns.result import Failure, Result, Success

from anabranch.effects.core import Effect
from anabranch.effects.errors import EmptyRace, GraphError, ParallelError

Job: TypeAlias = "tuple[Any, Effect[Any, Any, Any]]"
Outcome: TypeAlias = Result[Any, Any]


class Schedule(Protocol):
    """The logic of one parallel run.

    Attributes:
        more: falsy only if `pull` would answer `None` now.
    """

    more: object

    def pull(self) -> Job | None:
        """The next job that may start now, as key and effect; `None` if there is none now."""
        ...

    def succeeded(self, key: Any, value: Any) -> bool:
        """Take the value of a job. `True` stops everything: the rest is cancelled."""
        ...

    def failed(self, key: Any, error: Any) -> bool:
        """Take the error of a job. `True` stops everything: the rest is cancelled."""
        ...

    def aborted(self) -> bool:
        """A job ended in a defect. `True` stops everything."""
        ...

    def finish(self) -> Outcome:
        """The result of the whole, once no job is running and none is left."""
        ...


class _InOrder:
    """Jobs from an iterable, lazily and in order, with dense keys from 0."""

    def __init__(self, effects: Iterable[Effect[Any, Any, Any]]) -> None:
        self.more: object = True
        self._jobs: Iterator[Job] = enumerate(effects)
        self.pull = partial(next, self._jobs, None)


class _Listed(_InOrder):
    """What comes is put where its job was in the input."""

    def __init__(self, effects: Iterable[Effect[Any, Any, Any]]) -> None:
        super().__init__(effects)
        self._values: list[Any] = []

    def succeeded(self, key: int, value: Any) -> bool:
        values = self._values
        if key == len(values):
            values.append(value)
        else:
            values.extend([None] * (key + 1 - len(values)))
            values[key] = value
        return False


class All(_Listed):
    """Every effect runs to its end; all values, or all errors with all successes."""

    def __init__(self, effects: Iterable[Effect[Any, Any, Any]]) -> None:
        super().__init__(effects)
        self._errors: dict[int, Any] = {}

    def failed(self, key: int, error: Any) -> bool:
        self._errors[key] = error
        return super().succeeded(key, None)

    def aborted(self) -> bool:
        return False

    def finish(self) -> Outcome:
        if not self._errors:
            return Success(self._values)
        errors = {key: self._errors[key] for key in sorted(self._errors)}
        values = {key: value for key, value in enumerate(self._values) if key not in errors}
        return Failure(ParallelError(errors, values))


class Settle(_Listed):
    """Every effect runs to its end; its `Result` is the value."""

    def succeeded(self, key: int, value: Any) -> bool:
        return super().succeeded(key, Success(value))

    def failed(self, key: int, error: Any) -> bool:
        return super().succeeded(key, Failure(error))

    def aborted(self) -> bool:
        return False

    def finish(self) -> Outcome:
        return Success(self._values)


class _FailFast(_InOrder):
    """The first failure, or defect, stops the rest and is the result."""

    _failure: Outcome | None = None

    def failed(self, key: int, error: Any) -> bool:  # noqa: ARG002 (which one does not matter)
        self._failure = self._failure or Failure(error)
        return True

    def aborted(self) -> bool:
        return True


class Try(_FailFast, _Listed):
    """All values in input order, or the first failure."""

    def finish(self) -> Outcome:
        return self._failure or Success(self._values)


class Fold(_FailFast):
    """Values are folded as they come, or the first failure."""

    def __init__(
        self,
        effects: Iterable[Effect[Any, Any, Any]],
        initial: Any,
        step: Callable[[Any, Any], Any],
    ) -> None:
        super().__init__(effects)
        self._state = initial
        self._step = step

    def succeeded(self, key: int, value: Any) -> bool:  # noqa: ARG002 (folds do not ask which)
        self._state = self._step(self._state, value)
        return False

    def finish(self) -> Outcome:
        return self._failure or Success(self._state)


class Race(_FailFast):
    """The first to complete wins, either way."""

    _winner: Outcome | None = None

    def succeeded(self, key: int, value: Any) -> bool:  # noqa: ARG002 (any may win)
        self._winner = self._winner or self._failure or Success(value)
        return True

    def finish(self) -> Outcome:
        return self._winner or self._failure or Failure(EmptyRace())


class Graph:
    """Each effect starts the moment its dependencies are done, the most urgent first.

    Ties go by the order of the mapping. A failed effect skips everything downstream of it
    and disturbs nothing else. `dependents` and `missing` come from `plan_graph`.
    """

    def __init__(
        self,
        effects: Mapping[Any, Effect[Any, Any, Any]],
        dependents: Mapping[Any, Sequence[Any]],
        missing: Mapping[Any, int],
        ranks: Mapping[Any, int],
    ) -> None:
        self._effects = effects
        self._dependents = dependents
        self._missing = dict(missing)
        self._ranks = ranks
        self._keys = list(ranks)
        self._ready = [ranks[key] for key in self._keys if not missing[key]]
        self.more: object = self._ready
        self._values: dict[Any, Any] = {}
        self._errors: dict[Any, Any] = {}
        self._skipped: dict[Any, Any] = {}

    def pull(self) -> Job | None:
        if not self._ready:
            return None
        key = self._keys[heappop(self._ready)]
        return key, self._effects[key]

    def succeeded(self, key: Any, value: Any) -> bool:
        self._values[key] = value
        missing = self._missing
        for dependent in self._dependents[key]:
            left = missing[dependent] = missing[dependent] - 1
            if not left and dependent not in self._skipped:
                heappush(self._ready, self._ranks[dependent])
        return False

    def failed(self, key: Any, error: Any) -> bool:
        self._errors[key] = error
        reached = [key]
        while reached:
            for dependent in self._dependents[reached.pop()]:
                if dependent not in self._skipped:
                    self._skipped[dependent] = key
                    reached.append(dependent)
        return False

    def aborted(self) -> bool:
        return True

    def finish(self) -> Outcome:
        done = self._values
        if len(done) == len(self._effects):
            return Success({key: done[key] for key in self._effects})
        values = {key: done[key] for key in self._effects if key in done}
        errors = {key: self._errors[key] for key in self._effects if key in self._errors}
        skipped = {key: self._skipped[key] for key in self._effects if key in self._skipped}
        return Failure(GraphError(errors, values, skipped))
