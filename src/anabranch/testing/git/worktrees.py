"""The `Worktrees` port over a repository in memory."""

from __future__ import annotations

from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Advance,
    Changes,
    Oid,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.services.git.places import is_safe_part
from anabranch.testing.git.changes import changes_between
from anabranch.testing.git.checkouts import advanced, untracked
from anabranch.testing.git.faults import SAID, GitFault
from anabranch.testing.git.history import is_ancestor
from anabranch.testing.git.objects import EMPTY, Tree
from anabranch.testing.git.renames import parents
from anabranch.testing.git.state import HEADS, Checkout, GitState
from anabranch.testing.git.store import HOME, Store

_OURS = f"{HEADS}anabranch/"


class _Refused(Exception):  # noqa: N818 - not an error: an answer, on its way to the port
    """An operation on a worktree that ends here, for a known reason."""

    def __init__(self, fault: WorktreeFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault

    def about(self, name: str) -> Failure[WorktreeError]:
        return Failure(WorktreeError(fault=self.fault, name=name, message=str(self)))


@define
class MemoryWorktrees:
    """Worktrees of one run, as one process sees them.

    Attributes:
        store: where they are.
        run: the run's id.
    """

    store: Store
    run: str
    _alive: set[str] = field(factory=set[str], init=False, repr=False)

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Make a working tree; what a dead process left under its name is put away first."""
        try:
            return Success(self._create(request))
        except _Refused as refused:
            return refused.about(request.name)

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        """The working tree that an earlier process of this run made, if it is still there."""
        try:
            return Success(self._reopen(request))
        except _Refused as refused:
            return refused.about(request.name)

    async def head(self, worktree: Worktree) -> Result[Oid, WorktreeError]:
        """The commit that a tree stands on."""
        try:
            return Success(self._state.head(self._tree(worktree)))
        except _Refused as refused:
            return refused.about(worktree.name)

    async def committed(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What was committed since the worktree's base."""
        changes = await self.changes(worktree)
        return changes.map(lambda found: evolve(found, dirty=(), uncommitted={}))

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What changed since the worktree's base."""
        try:
            return Success(changes_between(self._state, self._tree(worktree), worktree.base))
        except _Refused as refused:
            return refused.about(worktree.name)

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """Bring a tree forward to a later commit; nothing in it is lost."""
        try:
            return Success(self._advance(worktree, commit))
        except _Refused as refused:
            return refused.about(worktree.name)

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Take the tree away. Its branch, if it has one, stays. Twice is once.

        What was committed on a detached `HEAD` or on another branch is on the branch then, too.
        """
        try:
            if worktree.path in self._state.checkouts:
                checkout = self._tree(worktree)
                self._stumble("remove", worktree.name)
                self._hold(checkout, worktree)
        except _Refused as refused:
            return refused.about(worktree.name)
        self._alive.discard(worktree.name)
        self.store.state = self._state.without_checkout(worktree.path)
        return Success(None)

    def _hold(self, checkout: Checkout, worktree: Worktree) -> None:
        """Move the branch of a tree on to where it stands, if nothing on it is lost by that."""
        ref, state = f"{HEADS}{worktree.branch}", self._state
        if worktree.branch is not None and checkout.head != ref:
            head, tip = state.head(checkout), state.refs.get(ref)
            if tip is None or tip == worktree.base or is_ancestor(state.objects, tip, head):
                self.store.state = state.with_ref(ref, head)

    @property
    def _state(self) -> GitState:
        return self.store.state

    def _stumble(self, method: str, name: str) -> None:
        fault = self.store.fault(method, name)
        if fault is not None:
            raise _stumbled(fault)

    def _create(self, request: WorktreeRequest) -> Worktree:
        if not is_safe_part(request.name):
            raise _Refused(WorktreeFault.UNSUPPORTED, "not a name for a worktree")
        if request.name in self._alive:
            raise _Refused(WorktreeFault.EXISTS, "there is one of that name")
        base = self._base(request)
        if base not in self._state.objects.commits:
            raise _Refused(WorktreeFault.GIT, f"invalid reference: {base}")
        self._make_way(request.name)
        fault = self.store.fault("create", request.name)
        if fault is GitFault.LOCK_HELD or fault is GitFault.NO_SPACE:
            raise _stumbled(fault)
        head = self._head(request.branch, base)
        if fault is not None:
            raise _stumbled(fault)
        self._make(request, base, head)
        return self._worktree(request, base)

    def _reopen(self, request: WorktreeRequest) -> Worktree | None:
        names = (checkout.name for _, checkout in self._state.trees_of(self.run))
        if request.name in self._alive or request.name not in names:
            return None
        self._alive.add(request.name)
        return self._worktree(request, self._base(request))

    def _base(self, request: WorktreeRequest) -> Oid:
        base = request.base or self._state.refs.get(f"{HEADS}{request.parent}")
        if base is None:
            raise _Refused(WorktreeFault.UNKNOWN_PARENT, f"no such branch: {request.parent}")
        return base

    def _worktree(self, request: WorktreeRequest, base: Oid) -> Worktree:
        return Worktree(
            name=request.name,
            path=self._path(request.name),
            parent=request.parent,
            base=base,
            branch=request.branch,
        )

    def _path(self, name: str) -> str:
        return f"{HOME}.anabranch/{self.run}/{name}"

    def _make_way(self, name: str) -> None:
        """Put away what a dead process of this run left under a name."""
        for path, checkout in list(self._state.trees_of(self.run)):
            if checkout.name == name:
                self.store.state = self._state.without_checkout(path)

    def _head(self, branch: str | None, base: Oid) -> str:
        """Make the branch, if one was asked for; one of ours is from an earlier attempt."""
        if branch is None:
            return base
        ref = f"{HEADS}{branch}"
        taken = ref in self._state.refs and not ref.startswith(_OURS)
        if taken or self._state.holder(ref) is not None:
            raise _Refused(WorktreeFault.EXISTS, f"branch {branch} exists already")
        if self._state.clashes(ref):
            raise _Refused(WorktreeFault.GIT, f"another branch is in the way of {branch}")
        self.store.state = self._state.with_ref(ref, base)
        return ref

    def _make(self, request: WorktreeRequest, base: Oid, head: str) -> None:
        tree = self._state.objects.tree(base)
        carried = EMPTY if request.carry is None else self._carried(request.carry, tree)
        checkout = Checkout(
            head=head,
            index=tree,
            files={**tree, **carried},
            carried=carried,
            run=self.run,
            name=request.name,
        )
        self.store.state = self._state.with_checkout(self._path(request.name), checkout)
        self._alive.add(request.name)

    def _carried(self, source: str, tree: Tree) -> Tree:
        """The untracked files of another tree, but where something is already."""
        taken = {*tree, *(above for path in tree for above in parents(path))}
        found = untracked(self._state.checkouts[source])
        return {
            path: entry
            for path, entry in found
            if path not in taken and not any(above in tree for above in parents(path))
        }

    def _advance(self, worktree: Worktree, commit: Oid) -> Advance:
        checkout, state = self._tree(worktree), self._state
        head = state.head(checkout)
        if head == commit:
            return Advance(worktree=evolve(worktree, base=commit))
        if commit not in state.objects.commits:
            raise _Refused(WorktreeFault.GIT, f"not a commit: {commit}")
        if not is_ancestor(state.objects, head, commit):
            message = f"it has commits that {commit[:12]} does not hold: {head[:12]}"
            raise _Refused(WorktreeFault.DIVERGED, message)
        self._stumble("advance", worktree.name)
        there, saved = advanced(checkout, state.objects.tree(head), state.objects.tree(commit))
        if checkout.head in state.refs:
            state = state.with_ref(checkout.head, commit)
        else:
            there = evolve(there, head=commit)
        self.store.state = state.with_checkout(worktree.path, there)
        return Advance(worktree=evolve(worktree, base=commit), saved=saved)

    def _tree(self, worktree: Worktree) -> Checkout:
        """The tree behind a worktree, also if an earlier process of this run made it."""
        checkout = self._state.checkouts.get(worktree.path)
        if checkout is None or checkout.run != self.run:
            raise _Refused(WorktreeFault.NOT_OURS, f"no worktree of this run at {worktree.path}")
        self._alive.add(checkout.name)
        return checkout


def _stumbled(fault: GitFault) -> _Refused:
    kind = WorktreeFault.NO_SPACE if fault is GitFault.NO_SPACE else WorktreeFault.GIT
    return _Refused(kind, SAID[fault])
