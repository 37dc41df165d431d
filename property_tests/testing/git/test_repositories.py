"""The model and real git, driven by the same operations, hold the same at every moment."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import evolve, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from returns.pipeline import is_successful
from returns.result import Result

from anabranch.environment import (
    Changes,
    MergeRequest,
    Merges,
    Oid,
    Worktree,
    WorktreeRequest,
    Worktrees,
)
from anabranch.services.git import GitRepository, GitRun, git_run
from anabranch.testing.git import MemoryRun, MemoryTree, NotModelled, memory_repository
from anabranch.testing.git.history import ancestors
from anabranch.testing.git.objects import EXECUTABLE, FILE, LINK, Entry
from anabranch.testing.git.state import HEADS
from anabranch.testing.repositories import ScratchRepository, git_repo
from anabranch.testing.strategies.repositories import PATHS, line_texts

T = TypeVar("T")
E = TypeVar("E")

RESULT: Final = "anabranch/r1/result"
NAMES: Final = st.sampled_from(["run", "agent-0", "agent-1"])
FILES: Final = st.sampled_from([*PATHS, "x.log"])
START: Final = {"a": "one\ntwo\nthree\n", "d/b": "one\n", ".gitignore": "*.log\n"}
HOME: Final = "home"


@frozen
class Pair:
    """A working tree in both worlds."""

    real: Worktree
    model: Worktree


@frozen
class Answer:
    """An operation's outcome, as far as both worlds can agree: the value, or the fault."""

    value: object = None
    fault: object = None


def _kinds(changes: Changes) -> dict[str, str]:
    """How each file is not committed, without the stamps, which are each world's own."""
    return {path: mark[:1] for path, mark in changes.uncommitted.items()}


class Worlds(RuleBasedStateMachine):
    """Real git beside the model."""

    trees = Bundle("trees")
    commits = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.above = tempfile.mkdtemp()
        self.scratch = git_repo(Path(self.above, "shop"), START)
        self.portal: BlockingPortal = self.stack.enter_context(start_blocking_portal())
        self.model = memory_repository(START)
        self.alive: dict[str, Pair] = {}
        self.begin()

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.above)

    def begin(self) -> None:
        """A process that works on the run, in both worlds."""
        opened = GitRepository.open(str(self.scratch.path), environ=self.scratch.environ).unwrap()
        self.process: AbstractContextManager[GitRun] = self.portal.wrap_async_context_manager(
            git_run(opened, "r1")
        )
        self.real: GitRun = self.stack.enter_context(self.process)
        self.memory: MemoryRun = self.model.run("r1")

    # --- asking both ------------------------------------------------------------------------

    def real_answer(self, call: Callable[..., Awaitable[Result[T, E]]], *arguments: Any) -> Any:
        return self.portal.call(call, *arguments)

    def both(
        self,
        ask: Callable[[Worktrees, Merges, str], Awaitable[Result[Any, Any]]],
        name: str = "",
    ) -> tuple[Any, Any]:
        real = self.portal.call(ask, self.real.worktrees, self.real.merges, "real")
        model = self.portal.call(ask, self.memory.worktrees, self.memory.merges, "model")
        assert is_successful(real) == is_successful(model), (name, real, model)
        if not is_successful(real):
            assert real.failure().fault == model.failure().fault, (name, real, model)
        return real, model

    def places(self, name: str) -> tuple[ScratchRepository, MemoryTree]:
        """A working tree of both worlds, by the name of its worktree."""
        if name == HOME:
            return self.scratch, self.model.home
        pair = self.alive[name]
        return self.scratch.at(pair.real.path), self.model.tree(pair.model)

    # --- the run ----------------------------------------------------------------------------

    @initialize(target=commits)
    def start(self) -> Any:
        real, model = self.both(lambda _, merges, __: merges.start(RESULT))
        assert real == model
        return real.unwrap()

    @rule(
        name=NAMES,
        branch=st.booleans(),
        parent=st.sampled_from([RESULT, "main", "none"]),
        again=st.booleans(),
    )
    def create(self, name: str, parent: str, *, branch: bool, again: bool) -> None:
        carry = self.alive.get("run") if name != "run" else None

        def ask(worktrees: Worktrees, _: Merges, world: str) -> Awaitable[Result[Any, Any]]:
            request = WorktreeRequest(
                name=name,
                parent=parent,
                branch=f"anabranch/r1/{name}" if branch else None,
                carry=None if carry is None else getattr(carry, world).path,
            )
            return worktrees.reopen(request) if again else worktrees.create(request)

        real, model = self.both(ask)
        if is_successful(real) and (real.unwrap() is not None or model.unwrap() is not None):
            pair = Pair(real.unwrap(), model.unwrap())
            assert evolve(pair.real, path="") == evolve(pair.model, path="")
            self.alive[name] = pair

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        pair = self.alive.pop(name, None)
        if pair is not None:
            for _ in range(2):
                self.both(lambda worktrees, _, world: worktrees.remove(getattr(pair, world)))

    @rule(name=NAMES)
    def crash(self, name: str) -> None:
        """The process ends; another one goes on with the run."""
        del name
        self.process.__exit__(None, None, None)
        self.begin()

    @rule(target=commits, name=NAMES)
    def changes(self, name: str) -> Any:
        pair = self.alive.get(name)
        if pair is None:
            return nothing()
        try:
            real, model = self.both(
                lambda worktrees, _, world: worktrees.changes(getattr(pair, world))
            )
        except NotModelled:
            return nothing()
        assert real == model
        if not is_successful(real):
            return nothing()
        assert _kinds(real.unwrap()) == _kinds(model.unwrap())
        return real.unwrap().head

    @rule(name=NAMES)
    def head(self, name: str) -> None:
        pair = self.alive.get(name)
        if pair is not None:
            real, model = self.both(
                lambda worktrees, _, world: worktrees.head(getattr(pair, world))
            )
            assert real == model

    @rule(name=NAMES)
    def committed(self, name: str) -> None:
        pair = self.alive.get(name)
        if pair is None:
            return
        try:
            real, model = self.both(
                lambda worktrees, _, world: worktrees.committed(getattr(pair, world))
            )
        except NotModelled:
            return
        assert real == model

    @rule(name=NAMES, commit=commits)
    def advance(self, name: str, commit: Oid) -> None:
        pair = self.alive.get(name)
        if pair is None:
            return
        real, model = self.both(
            lambda worktrees, _, world: worktrees.advance(getattr(pair, world), commit)
        )
        if is_successful(real):
            assert real.unwrap().saved == model.unwrap().saved
            self.alive[name] = Pair(real.unwrap().worktree, model.unwrap().worktree)

    @rule(
        target=commits,
        source=commits,
        base=commits,
        to=st.sampled_from([RESULT, RESULT, "main", "anabranch/r1/agent-0"]),
        linear=st.booleans(),
        fast=st.booleans(),
        drops=st.sampled_from([None, "anabranch/r1/agent-0", "anabranch/r1/agent-1", RESULT]),
    )
    def merge(
        self, source: Oid, base: Oid, to: str, drops: str | None, *, linear: bool, fast: bool
    ) -> Any:
        objects = self.model.state.objects
        if linear and base not in ancestors(objects, source):
            return nothing()
        request = MergeRequest(
            target=to,
            source=source,
            base=base,
            message="Merge it",
            trailers=(("Anabranch-Agent", "agent-0"),),
            linear=linear,
            fast_forward=fast,
            drops=drops,
        )
        before = self.model.state
        try:
            real, model = self.both(lambda _, merges, __: merges.merge(request))
        except NotModelled:
            for ref in filter(before.refs.get, (f"{HEADS}{to}", f"{HEADS}{drops}")):
                self.scratch.git("update-ref", ref, before.refs[ref])
            return nothing()
        if is_successful(real):
            assert real == model
            return real.unwrap().commit
        ours, theirs = ({c.path for c in answer.failure().conflicts} for answer in (real, model))
        assert ours == theirs
        return nothing()

    @rule(target=commits, source=commits, base=commits, linear=st.booleans(), data=st.data())
    def resolve(self, source: Oid, base: Oid, data: st.DataObject, *, linear: bool) -> Any:
        return self.resolve_between(source, base, data, linear=linear)

    def resolve_between(self, source: Oid, base: Oid, data: st.DataObject, *, linear: bool) -> Any:
        """A merge is laid out in a worktree, somebody works there, and it is concluded."""
        request = MergeRequest(
            target=RESULT,
            source=source,
            base=base,
            message="Merge it",
            linear=linear,
            drops="anabranch/r1/agent-0",
        )
        if linear and base not in ancestors(self.model.state.objects, source):
            return nothing()
        made = WorktreeRequest(name="merging", parent=RESULT)
        real, model = self.both(lambda worktrees, _, __: worktrees.create(made))
        if not is_successful(real):
            return nothing()
        pair = self.alive["merging"] = Pair(real.unwrap(), model.unwrap())
        try:
            return self.resolved(request, pair, data)
        finally:
            del self.alive["merging"]
            self.both(lambda worktrees, _, world: worktrees.remove(getattr(pair, world)))

    def resolved(self, request: MergeRequest, pair: Pair, data: st.DataObject) -> Any:
        try:
            asked = evolve(request, linear=False, drops=None)
            told = self.portal.call(self.memory.merges.merge, asked)
            conflicts = () if is_successful(told) else told.failure().conflicts
            self.model.store.state = self.model.store.state.with_ref(
                f"{HEADS}{RESULT}", pair.model.base
            )
            real, model = self.both(
                lambda _, merges, world: merges.lay_out(request, getattr(pair, world))
            )
        except NotModelled:
            return nothing()
        assert not is_successful(real) or {*real.unwrap()} == {*model.unwrap()}
        self.the_trees_hold_the_same()
        if not is_successful(real):
            return nothing()
        self.work_on(real.unwrap(), data)
        real, model = self.both(
            lambda _, merges, world: merges.conclude(request, getattr(pair, world), conflicts)
        )
        assert not is_successful(real) or real == model
        return real.unwrap().commit if is_successful(real) else nothing()

    def work_on(self, paths: tuple[str, ...], data: st.DataObject) -> None:
        """Do something about most of the conflicts, as somebody would who is told to."""
        real, model = self.places("merging")
        for path in paths:
            way = data.draw(st.sampled_from(["write", "write", "write", "delete", "leave"]))
            if way == "write":
                text = data.draw(st.sampled_from([b"", b"resolved\n", b"<<<<<<< no\n"]))
                model.write(path, text)
                (real.path / path).unlink(missing_ok=True)
                (real.path / path).parent.mkdir(parents=True, exist_ok=True)
                (real.path / path).write_bytes(text)
            elif way == "delete" and path in model.files:
                model.delete(path)
                (real.path / path).unlink()
        if data.draw(st.booleans()):
            assert real.commit() == model.commit()

    @rule(branch=st.sampled_from([RESULT, "main", "none"]), since=commits | st.just("main"))
    def traces(self, branch: str, since: str) -> None:
        real, model = self.both(lambda _, merges, __: merges.traces(branch, since))
        assert not is_successful(real) or real == model

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        self.both(lambda _, merges, __: merges.drop(f"anabranch/r1/{name}"))

    @rule()
    def deliver(self) -> None:
        try:
            real, model = self.both(lambda _, merges, __: merges.deliver(RESULT))
        except NotModelled:
            return
        if is_successful(real):
            real, model = real.unwrap(), model.unwrap()
            assert evolve(real, reason="", hint="") == evolve(model, reason="", hint="")

    # --- commands and users -----------------------------------------------------------------

    def anywhere(self, draw: st.DataObject) -> str:
        return draw.draw(st.sampled_from([HOME, *sorted(self.alive)]), label="where")

    @rule(
        data=st.data(),
        path=FILES,
        text=line_texts(),
        mode=st.sampled_from([FILE, EXECUTABLE, LINK]),
    )
    def write(self, data: st.DataObject, path: str, text: bytes, mode: str) -> None:
        real, model = self.places(self.anywhere(data))
        try:
            if mode == LINK:
                model.link(path, "a")
            else:
                model.write(path, text, executable=mode == EXECUTABLE)
        except (NotADirectoryError, IsADirectoryError):
            return
        full = real.path / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.unlink(missing_ok=True)
        if mode == LINK:
            full.symlink_to("a")
        else:
            full.write_bytes(text)
            full.chmod(0o755 if mode == EXECUTABLE else 0o644)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        real, model = self.places(self.anywhere(data))
        paths = sorted(model.files)
        if paths:
            path = data.draw(st.sampled_from(paths))
            model.delete(path)
            full = real.path / path
            full.unlink()
            while not any(full.parent.iterdir()):
                full = full.parent
                full.rmdir()

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        real, model = self.places(self.anywhere(data))
        model.add()
        real.git("add", "--all")

    @rule(target=commits, data=st.data())
    def commit(self, data: st.DataObject) -> Oid:
        real, model = self.places(self.anywhere(data))
        oid = model.commit()
        assert real.commit() == oid
        return oid

    # --- what both hold ---------------------------------------------------------------------

    @invariant()
    def the_branches_are_the_same(self) -> None:
        listed = self.scratch.git("for-each-ref", "--format=%(refname) %(objectname)", HEADS)
        assert dict(line.split(" ") for line in listed.splitlines()) == self.model.state.refs

    @invariant()
    def the_trees_hold_the_same(self) -> None:
        for name in (HOME, *self.alive):
            real, model = self.places(name)
            assert picture(real.path) == dict(model.store.state.checkouts[model.path].files), name

    @precondition(lambda self: bool(self.alive))
    @rule(data=st.data())
    def status(self, data: st.DataObject) -> None:
        real, model = self.places(self.anywhere(data))
        listed = real.git("status", "--porcelain", "-z", "--no-renames", "-uall")
        assert {record[3:] for record in listed.split("\0") if record} == set(model.dirty)


def picture(top: Path) -> dict[str, Entry]:
    """What lies in a working tree, git's own files left out."""
    found: dict[str, Entry] = {}
    for above, directories, names in os.walk(top):
        for name in [*names, *(d for d in directories if Path(above, d).is_symlink())]:
            full = Path(above, name)
            path = str(full.relative_to(top))
            if path.partition("/")[0] == ".git":
                continue
            if full.is_symlink():
                found[path] = Entry(os.fsencode(full.readlink()), LINK)
            else:
                mode = EXECUTABLE if full.stat().st_mode & 0o100 else FILE
                found[path] = Entry(full.read_bytes(), mode)
    return found


def nothing() -> Any:
    """No new value for a bundle."""
    return cast("Any", multiple())


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
