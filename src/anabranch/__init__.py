"""Plan parallel work as pure data, run it in isolated git worktrees, and merge it back.

This is the face: everything here is re-exported from the rooms, and nothing else lives here.
A name is looked up in its room when it is first used, so that `import anabranch` costs nothing
and a program pays for the floors that it stands on.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anabranch.effects import (
        Breaker,
        CircuitOpen,
        ContextError,
        Do,
        Effect,
        EmptyRace,
        Exit,
        FinaliserErrors,
        GraphError,
        ParallelError,
        ReleaseError,
        Scope,
        TimedOut,
        ask,
        asks,
        attempt,
        attempt_async,
        attempt_blocking,
        bracket,
        circuit_breaker,
        do,
        fail,
        fallback,
        from_async,
        from_blocking,
        from_function,
        from_result,
        now,
        par_all,
        par_all_limit,
        par_fold,
        par_graph,
        par_settle,
        par_traverse,
        par_try_all,
        race,
        repeat,
        retry,
        scoped,
        sleep,
        succeed,
        timeout,
        traverse,
        zip_par,
    )
    from anabranch.effects.work import (
        create_worktree,
        deliver,
        execute_commands,
        merge_to_parent,
        read_file,
        remove_worktree,
        start_branch,
        write_file,
    )
    from anabranch.environment import MapEnv, PhaseEnv
    from anabranch.interpreters import DryRun, dry_run, run, run_async
    from anabranch.lifecycle import verify
    from anabranch.planning import (
        CircuitBreaker,
        Command,
        CommandGraph,
        MapConfig,
        RetryPolicy,
        WorkAssignment,
        analyze_dependencies,
        plan_work_assignments,
    )
    from anabranch.values import AnabranchError, ConfigError, HostError, RunError, UsageError

__all__ = [
    "AnabranchError",
    "Breaker",
    "CircuitBreaker",
    "CircuitOpen",
    "Command",
    "CommandGraph",
    "ConfigError",
    "ContextError",
    "Do",
    "DryRun",
    "Effect",
    "EmptyRace",
    "Exit",
    "FinaliserErrors",
    "GraphError",
    "HostError",
    "MapConfig",
    "MapEnv",
    "ParallelError",
    "PhaseEnv",
    "ReleaseError",
    "RetryPolicy",
    "RunError",
    "Scope",
    "TimedOut",
    "UsageError",
    "WorkAssignment",
    "analyze_dependencies",
    "ask",
    "asks",
    "attempt",
    "attempt_async",
    "attempt_blocking",
    "bracket",
    "circuit_breaker",
    "create_worktree",
    "deliver",
    "do",
    "dry_run",
    "execute_commands",
    "fail",
    "fallback",
    "from_async",
    "from_blocking",
    "from_function",
    "from_result",
    "merge_to_parent",
    "now",
    "par_all",
    "par_all_limit",
    "par_fold",
    "par_graph",
    "par_settle",
    "par_traverse",
    "par_try_all",
    "plan_work_assignments",
    "race",
    "read_file",
    "remove_worktree",
    "repeat",
    "retry",
    "run",
    "run_async",
    "scoped",
    "sleep",
    "start_branch",
    "succeed",
    "timeout",
    "traverse",
    "verify",
    "write_file",
    "zip_par",
]


_ROOMS = (
    "values",
    "effects",
    "interpreters",
    "planning",
    "environment",
    "effects.work",
    "lifecycle",
)
"""Where the names of the face live, those first that need least."""


def __getattr__(name: str) -> object:
    """The name from the first room that has it, kept for the next time."""
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            found = vars(module).get(name)
            if found is not None and not isinstance(found, ModuleType):
                return globals().setdefault(name, found)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message, name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    """What there is, looked up or not."""
    return sorted({*globals(), *__all__})
