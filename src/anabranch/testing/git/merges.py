"""The `Merges` port over a repository in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Conflict,
    Delivery,
    Merge,
    MergeError,
    MergeFault,
    MergeRequest,
    Oid,
    Trace,
    Worktree,
)
from anabranch.services.git.commits import with_trailers
from anabranch.services.git.replaying import ORIGINAL
from anabranch.testing.git.checkouts import forwarded
from anabranch.testing.git.crossing import merge_commits
from anabranch.testing.git.faults import SAID, GitFault
from anabranch.testing.git.history import (
    ancestors,
    first_parents,
    is_ancestor,
    since,
)
from anabranch.testing.git.merging import MergedTree, merge_trees
from anabranch.testing.git.objects import Tree
from anabranch.testing.git.resolving import laid_out, resolution, unresolved
from anabranch.testing.git.state import HEADS, Checkout, GitState, Origin
from anabranch.testing.git.store import HOME, Store
from anabranch.testing.git.trailers import trailers_of


class _Unmerged(Exception):  # noqa: N818 - not an error: an answer, on its way to the port
    """A merge that ends here, for a known reason."""

    def __init__(
        self, fault: MergeFault, message: str, conflicts: tuple[Conflict, ...] = ()
    ) -> None:
        super().__init__(message)
        self.error = MergeError(fault=fault, message=message, conflicts=conflicts)


class _Stays(Exception):  # noqa: N818 - as above
    """The result stays on the run's branch, for a reason."""


@frozen
class MemoryMerges:
    """Branches that nobody has checked out, and the delivery to the one who has.

    Attributes:
        store: where they are.
        run: the run's id.
    """

    store: Store
    run: str

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch at a revision; if it is there already, its commit is the answer."""
        try:
            return Success(self._start(branch, base))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Merge, then move the target. All or nothing."""
        try:
            return Success(self._merge(request))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    async def lay_out(
        self, request: MergeRequest, worktree: Worktree
    ) -> Result[tuple[str, ...], MergeError]:
        """Merge in a worktree that is at the target, and leave the conflicts in its files."""
        try:
            return Success(self._lay_out(request, worktree))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    async def conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Result[Merge, MergeError]:
        """Make what somebody left in the worktree the merge, and move the target to it."""
        try:
            return Success(self._conclude(request, worktree, conflicts))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    async def traces(self, branch: str, since: str) -> Result[tuple[Trace, ...], MergeError]:
        """The commits with trailers that a branch went through since a revision, oldest first."""
        try:
            return Success(tuple(self._traces(branch, since)))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Delete a branch of ours. Twice is once."""
        try:
            self._stumble("drop", branch)
            self._refuse_if_checked_out(branch)
        except _Unmerged as unmerged:
            return Failure(unmerged.error)
        self.store.state = self._state.without_ref(f"{HEADS}{branch}")
        return Success(None)

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Bring the user's checkout forward to the branch, all at once or not at all."""
        try:
            return Success(self._deliver(branch))
        except _Unmerged as unmerged:
            return Failure(unmerged.error)

    @property
    def _state(self) -> GitState:
        return self.store.state

    def _stumble(self, method: str, name: str) -> None:
        fault = self.store.fault(method, name)
        if fault is not None:
            kind = MergeFault.MOVED if fault is GitFault.MOVED else MergeFault.GIT
            raise _Unmerged(kind, SAID[fault])

    def _start(self, branch: str, base: str) -> Oid:
        self._remember()
        self._stumble("start", branch)
        ref = f"{HEADS}{branch}"
        there = self._state.refs.get(ref)
        if there is not None:
            return there
        commit = self.store.commit_at(base)
        if commit is None:
            raise _unknown(base)
        if self._state.clashes(ref):
            raise _Unmerged(MergeFault.GIT, f"another branch is in the way of {branch}")
        self.store.state = self._state.with_ref(ref, commit)
        return commit

    def _remember(self) -> None:
        if self.run not in self._state.origins:
            head = self._state.checkouts[HOME].head
            origin = Origin(home=HOME, branch=head if head.startswith(HEADS) else None)
            self.store.state = self._state.with_origin(self.run, origin)

    def _merge(self, request: MergeRequest) -> Merge:
        self._refuse_if_checked_out(request.target)
        before = self._state.refs.get(f"{HEADS}{request.target}")
        if before is None:
            raise _unknown(request.target)
        if request.source not in self._state.objects.commits:
            raise _unknown(request.source)
        after = self._merged(before, request)
        self._stumble("merge", request.target)
        return self._moved(request, before, after)

    def _moved(self, request: MergeRequest, before: Oid, after: Oid) -> Merge:
        ref, target = f"{HEADS}{request.drops}", f"{HEADS}{request.target}"
        at_source = request.drops is not None and self._state.refs.get(ref) == request.source
        dropped = at_source and before != after and self._state.holder(ref) is None
        state = self._state.with_ref(target, after)
        self.store.state = state.without_ref(ref) if dropped else state
        return Merge(target=request.target, before=before, commit=after, dropped=dropped)

    def _merged(self, before: Oid, request: MergeRequest) -> Oid:
        objects = self._state.objects
        if request.fast_forward and is_ancestor(objects, before, request.source):
            return request.source
        if request.linear:
            return self._replayed(before, request)
        message = with_trailers(request.message, request.trailers)
        return self._joined(before, request.source, message)

    def _joined(self, ours: Oid, theirs: Oid, message: str) -> Oid:
        objects = self._state.objects
        if is_ancestor(objects, theirs, ours):
            return ours
        merged = merge_commits(objects, ours, theirs)
        if merged is None:
            raise _unrelated()
        return objects.commit(_clean(merged), (ours, theirs), message)

    def _lay_out(self, request: MergeRequest, worktree: Worktree) -> tuple[str, ...]:
        self._stumble("lay_out", worktree.name)
        checkout = self._checkout(worktree)
        merging = laid_out(self._state, checkout, request.source)
        if merging is None:
            raise _unrelated()
        self.store.state = self._state.with_checkout(worktree.path, merging)
        return tuple(sorted(merging.unmerged))

    def _checkout(self, worktree: Worktree) -> Checkout:
        checkout = self._state.checkouts.get(worktree.path)
        if checkout is None:
            raise _Unmerged(MergeFault.GIT, f"no worktree of ours: {worktree.path}")
        return checkout

    def _conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Merge:
        checkout = self._checkout(worktree)
        left = sorted(unresolved(checkout, conflicts))
        if left:
            clashes = tuple(Conflict(path=path) for path in left)
            message = f"still in conflict: {', '.join(left)}"
            raise _Unmerged(MergeFault.CONFLICT, message, clashes)
        if checkout.merging is None and self._state.head(checkout) == worktree.base:
            raise _Unmerged(MergeFault.CONFLICT, "the merge was given up in the worktree")
        return self._adopted(request, worktree.base, resolution(checkout))

    def _adopted(self, request: MergeRequest, before: Oid, tree: Tree) -> Merge:
        """A tree that somebody else merged is what the target is, if it is still where it was."""
        ref, objects = f"{HEADS}{request.target}", self._state.objects
        self._stumble("conclude", request.target)
        if self._state.refs.get(ref) != before:
            message = f"branch {request.target} moved while a conflict was resolved"
            raise _Unmerged(MergeFault.MOVED, message)
        originals = first_parents(objects, request.base, request.source) if request.linear else []
        trailers = (*request.trailers, *((ORIGINAL, oid) for oid in originals))
        parents = (before,) if request.linear else (before, request.source)
        after = objects.commit(tree, parents, with_trailers(request.message, trailers))
        return self._moved(request, before, after)

    def _replayed(self, before: Oid, request: MergeRequest) -> Oid:
        objects, last = self._state.objects, before
        known = self._originals(request.base, before)
        for oid in first_parents(objects, request.base, request.source):
            if oid in known:
                continue
            commit = objects.commits[oid]
            if not commit.parents:
                raise _unrelated()
            old, onto = objects.tree(commit.parents[0]), objects.tree(last)
            tree = _clean(merge_trees(old, onto, objects.tree(oid)))
            if tree == onto and objects.tree(oid) != old:
                continue
            trailers = (*request.trailers, (ORIGINAL, oid))
            last = objects.again(commit, tree, last, with_trailers(commit.message, trailers))
        return last

    def _originals(self, base: Oid, before: Oid) -> set[str]:
        """The commits that are on the target in another form."""
        objects = self._state.objects
        commits = (objects.commits[oid] for oid in since(objects, base, before))
        pairs = (pair for commit in commits for pair in trailers_of(commit.message))
        return {value for name, value in pairs if name == ORIGINAL}

    def _traces(self, branch: str, since: str) -> Iterator[Trace]:
        objects = self._state.objects
        base, head = self.store.commit_at(since), self._state.refs.get(f"{HEADS}{branch}")
        if base is None or head is None:
            raise _Unmerged(MergeFault.GIT, f"bad revision: {since}..{branch}")
        for oid in first_parents(objects, base, head):
            commit = objects.commits[oid]
            trailers = trailers_of(commit.message)
            if trailers and commit.parents:
                yield Trace(commit=oid, before=commit.parents[0], trailers=trailers)

    def _refuse_if_checked_out(self, branch: str) -> None:
        path = self._state.holder(f"{HEADS}{branch}")
        if path is not None:
            message = f"branch {branch} is checked out in {path}"
            raise _Unmerged(MergeFault.CHECKED_OUT, message)

    def _deliver(self, branch: str) -> Delivery:
        origin = self._state.origins.get(self.run)
        result = self._state.refs.get(f"{HEADS}{branch}")
        if origin is None or result is None:
            if origin is not None and origin.delivered is not None:
                return Delivery(commit=origin.delivered, delivered=True)
            raise _unknown(branch)
        try:
            brought = self._brought(origin, branch, result)
        except _Stays as stays:
            hint = f"git merge --no-overwrite-ignore {branch}"
            return Delivery(
                commit=result, delivered=False, branch=branch, reason=str(stays), hint=hint
            )
        origin = evolve(origin, delivered=brought)
        self.store.state = self._state.with_origin(self.run, origin)
        if origin.branch is None:
            hint = f"the checkout is on no branch; the result is also on {branch}"
            return Delivery(commit=brought, delivered=True, branch=branch, hint=hint)
        self.store.state = self._state.without_ref(f"{HEADS}{branch}")
        return Delivery(commit=brought, delivered=True)

    def _brought(self, origin: Origin, branch: str, result: Oid) -> Oid:
        """Give it to the user: the commit that they have now."""
        fault = self.store.fault("deliver", branch)
        if fault is not None:
            raise _Stays(SAID[fault])
        path = origin.home if origin.branch is None else self._state.holder(origin.branch)
        if origin.branch is None and self._state.checkouts[origin.home].head.startswith(HEADS):
            raise _Stays(f"{origin.home} was on no branch and now is on one")
        tip = self._state.commit_at(origin.branch or "HEAD", origin.home)
        if tip is None:
            raise _Stays(f"branch {origin.branch} is gone")
        target = self._target(tip, result, branch)
        self._forward(origin.branch, path, tip, target)
        return target

    def _target(self, tip: Oid, result: Oid, branch: str) -> Oid:
        if tip in ancestors(self._state.objects, result):
            return result
        try:
            return self._joined(tip, result, with_trailers(f"Merge branch '{branch}'", ()))
        except _Unmerged as unmerged:
            why = unmerged.error.message
            reason = f"your branch has moved meanwhile, and the two do not merge: {why}"
            raise _Stays(reason) from None

    def _forward(self, ref: str | None, path: str | None, tip: Oid, target: Oid) -> None:
        state, objects = self._state, self._state.objects
        if path is not None and target != tip:
            there = forwarded(state.checkouts[path], objects.tree(tip), objects.tree(target))
            if isinstance(there, str):
                raise _Stays(there)
            head = there.head if ref is not None else target
            state = state.with_checkout(path, evolve(there, head=head))
        self.store.state = state if ref is None else state.with_ref(ref, target)


def _clean(merged: MergedTree) -> Tree:
    if merged.conflicts:
        names = ", ".join(conflict.path for conflict in merged.conflicts)
        raise _Unmerged(MergeFault.CONFLICT, f"conflict in {names}", merged.conflicts)
    return merged.tree


def _unrelated() -> _Unmerged:
    message = "the two histories have no commit in common"
    return _Unmerged(MergeFault.UNRELATED, message)


def _unknown(revision: str) -> _Unmerged:
    return _Unmerged(MergeFault.UNKNOWN_REVISION, f"no such revision: {revision}")
