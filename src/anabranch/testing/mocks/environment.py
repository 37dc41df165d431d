"""A mock environment: the ports with functions inside, and a record of what was asked.

Nothing here touches git, starts a process or waits. Worktrees have made-up paths, commits
have ids that follow from what made them, and commands answer as the test says. What was
asked for is in `calls`: the frozen requests themselves, in order, to be compared with `==`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from attrs import field, frozen

from anabranch.environment import Invocation, Oid
from anabranch.lifecycle import Event
from anabranch.services.journal import MemoryJournal
from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.commands import Answer, Call, MockCommands
from anabranch.testing.mocks.files import MockFiles
from anabranch.testing.mocks.git import MergeAnswer, MockMerges, MockWorktrees, WorktreeAnswer
from anabranch.testing.mocks.journal import JournalAnswer, KeptJournal, MockJournal, kinds_of
from anabranch.testing.mocks.replies import agent_of, conflict, printed, prompt_of, text_of
from anabranch.testing.mocks.scripts import NotUsedUp, Reader, Script

_SILENT: Final[Mapping[str, Answer]] = {"*": printed()}


@frozen(kw_only=True)
class MockEnvironment:
    """A `MapEnv` and a `PhaseEnv` without a world.

    As a context manager it checks, at the end, that its scripts were used up.

    Attributes:
        calls: what was asked for: the name of the port's method and its request, in order.
        clock: how much time passed.
        worktrees, commands, merges, files, journal: the ports.
    """

    calls: list[Call]
    clock: MockClock
    worktrees: MockWorktrees
    commands: MockCommands
    merges: MockMerges
    files: MockFiles
    journal: KeptJournal
    _scripts: tuple[Reader[Any, Any], ...] = field(alias="scripts")

    def asked(self, name: str) -> list[object]:
        """The requests to one method, in order."""
        return [request for called, request in self.calls if called == name]

    @property
    def commands_run(self) -> list[tuple[str, str]]:
        """Each command that ran: the name of its directory, and its text."""
        ran = (request for request in self.asked("run") if isinstance(request, Invocation))
        return [(run.cwd.rpartition("/")[2], text_of(run)) for run in ran]

    def check(self) -> None:
        """Check that everything was asked for that scripts have in order.

        Raises:
            NotUsedUp: something was not; the text says what.
        """
        left = [f"  {line}" for script in self._scripts for line in script.left()]
        if left:
            raise NotUsedUp("\n".join(["never asked for, but expected:", *left]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.check()


def mock_env(
    *,
    commands: Script[Answer, Invocation] | None = None,
    agents: Script[Answer, Invocation] | None = None,
    worktrees: Script[WorktreeAnswer, Any] | None = None,
    merges: Script[MergeAnswer, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    conflicts: Mapping[str, tuple[str, ...]] | None = None,
    journal: Script[JournalAnswer, Any] | None = None,
    history: Iterable[Event] = (),
) -> MockEnvironment:
    """A mock environment.

    What is scripted is answered by pattern, in order (`in_order`) or by a function; an answer may
    be a function of the request, and may come after a while (`after`, `printed(takes=…)`).

    Args:
        commands: what commands answer, by pattern (`*` is any text) on their text (`text_of`);
            the first that fits. A command that none fits fails the test. By default every
            command succeeds and prints nothing.
        agents: what coding agents answer, by pattern on their prompt; by default they are
            commands like any other.
        worktrees: what making a worktree answers, by its name: an error, or `None` for a worktree.
        merges: what a merge answers, by the agent whose work it is, or else the branch that it
            moves: an error, or `None` for a merge.
        files: what can be read, by path or end of path: bytes, text, or a `FileError`.
        conflicts: agents whose merge is in conflict, each with the files.
        journal: what appending to the journal answers, by the names of the events' classes: an
            error, or `None`.
        history: what the journal holds already.

    >>> from anabranch import execute_commands, create_worktree, run
    >>> env = mock_env(commands={"make *": printed("ok")})
    >>> tree = run(create_worktree("one", parent="main"), env).unwrap()
    >>> run(execute_commands(tree, ["make all"]), env).unwrap()[0].stdout.text
    'ok'
    >>> env.commands_run
    [('one', 'make all')]
    """
    calls: list[Call] = []
    branches: dict[str, Oid] = {}
    clock = MockClock()
    merged: Any = {name: conflict(*paths) for name, paths in (conflicts or {}).items()}
    if merges is not None:
        merged = {**merged, **merges} if isinstance(merges, Mapping) else merges
    asked = Reader[Any, Any](
        commands if commands is not None else _SILENT, text=text_of, what="command"
    )
    prompts = None if agents is None else Reader[Any, Any](agents, text=_prompt, what="prompt")
    made = _lenient(worktrees, _name, "worktree")
    joined = _lenient(merged, agent_of, "merge")
    read = _lenient(files, str, "file", fit=_is_or_ends_in)
    kept = _lenient(journal, kinds_of, "journal")
    scripts = (asked, prompts, made, joined, read, kept)
    return MockEnvironment(
        calls=calls,
        clock=clock,
        commands=MockCommands(asked, prompts, calls, clock),
        worktrees=MockWorktrees(made, calls, clock, {}, branches),
        merges=MockMerges(joined, calls, clock, branches),
        files=MockFiles(read, calls, clock, {}),
        journal=MockJournal(kept, MemoryJournal(now=clock.now, events=history), clock),
        scripts=tuple(script for script in scripts if script is not None),
    )


def _lenient(script: Any, text: Any, what: str, **options: Any) -> Reader[Any, Any]:
    """A reader of a script that need not say anything."""
    return Reader(script or {}, text=text, what=what, strict=False, **options)


def _prompt(invocation: Invocation) -> str:
    return prompt_of(invocation) or ""


def _name(request: Any) -> str:
    return str(request.name)


def _is_or_ends_in(path: str, name: str) -> bool:
    return path == name or path.endswith(f"/{name}")
