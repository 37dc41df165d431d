"""The laws of `Worktrees` and `Merges`.

Worktrees
    1. A tree is what was asked for, at a path of its own, and its base is the parent's commit.
    2. A name that is alive is refused, and nothing happens to the one who has it.
    3. Removing twice is removing once; then the name is free.
    4. `head` and `changes` tell the same commit. What was committed is among the changes.
    5. A tree brought forward to where it is stays as it is, and has that for its base.
Merges
    6. A branch is begun once; who begins it again is told its commit.
    7. A merge moves its target from what it says to what it says, and nothing else.
    8. What is there already is not merged again. What fails moves nothing.
    9. Merges at the same time come one after the other: each begins where another one ended.
    10. The traces of a branch are its merges in order, with their trailers.
    11. Dropping twice is dropping once. Delivering twice is delivering once.
    12. A merge drops the branch that it is asked to drop if it moves its target, and says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import TypeAlias, TypeVar

import anyio
from attrs import evolve, field, frozen
from returns.pipeline import is_successful
from returns.result import Failure, Result

from anabranch.environment import (
    HasGit,
    Merge,
    MergeError,
    MergeRequest,
    Oid,
    Worktree,
    WorktreeFault,
    WorktreeRequest,
)

T = TypeVar("T")

Hand: TypeAlias = Callable[[Worktree, str, bytes], Awaitable[object]]
"""Writes a file in a tree, by its path in it, and commits it; a tree without files may do
nothing."""

_BRANCH = "anabranch/laws/result"


async def check_git(env: HasGit, hand: Hand, parent: str = "main") -> None:
    """Check that worktrees and merges obey the laws.

    Args:
        env: has both, of one run that is named `laws`, and nothing alive.
        hand: does what a command would do in a tree.
        parent: a branch that is there.

    Raises:
        AssertionError: they do not; the text says what came and what was expected.
    """
    laws = _Laws(env, hand)
    start = await laws.started(parent)
    await laws.check_trees(parent)
    await laws.check_merges(start)
    await laws.check_merges_at_once(start)
    await laws.check_ends()


@frozen
class _Laws:
    env: HasGit
    hand: Hand
    made: list[tuple[Merge, str]] = field(factory=list[tuple[Merge, str]], init=False)

    async def started(self, parent: str) -> Oid:
        first, again = [await self.env.merges.start(_BRANCH, parent) for _ in range(2)]
        assert first == again, f"the branch was begun at {first}, then at {again}"
        return _value(first, "beginning a branch")

    async def tip(self) -> Oid:
        return _value(await self.env.merges.start(_BRANCH), "asking for a branch")

    async def create(self, name: str, parent: str = _BRANCH) -> Worktree:
        request = WorktreeRequest(name=name, parent=parent, branch=f"anabranch/laws/{name}")
        tree = _value(await self.env.worktrees.create(request), f"making {name}")
        came = tree.name, tree.parent, tree.branch
        assert came == (name, parent, request.branch), f"{request} made {tree}"
        assert PurePosixPath(tree.path).is_absolute(), f"{tree.path} is not absolute"
        return tree

    async def remove(self, tree: Worktree) -> None:
        for _ in range(2):
            _value(await self.env.worktrees.remove(tree), f"removing {tree.name}")

    async def head(self, tree: Worktree) -> Oid:
        head = _value(await self.env.worktrees.head(tree), f"asking for the head of {tree.name}")
        changes = _value(await self.env.worktrees.changes(tree), f"looking at {tree.name}")
        assert head == changes.head, f"the head is {head}, or is it {changes.head}"
        committed = _value(await self.env.worktrees.committed(tree), f"asking {tree.name} again")
        expected = evolve(changes, dirty=())
        assert committed == expected, f"committed was {committed}, or was it {expected}"
        assert not committed.uncommitted, f"committed, and not: {committed.uncommitted}"
        return head

    async def check_trees(self, parent: str) -> None:
        one, two = await self.create("one", parent), await self.create("two", parent)
        assert one.path != two.path, f"two trees are at {one.path}"
        again = await self.env.worktrees.create(WorktreeRequest(name="one", parent=parent))
        assert isinstance(again, Failure), "a tree was made under a name that is alive"
        fault = again.failure().fault
        assert fault is WorktreeFault.EXISTS, f"a name that is alive is refused by {fault}"
        await self.hand(one, "law.txt", b"law\n")
        changes = _value(await self.env.worktrees.changes(one), "looking at what was committed")
        assert changes.head in changes.commits, f"what was committed is not among {changes}"
        await self.check_standing(two)
        for tree in (one, two):
            await self.remove(tree)
        await self.remove(await self.create("one", parent))

    async def check_standing(self, tree: Worktree) -> None:
        """That a tree which is brought to where it is stays there."""
        head = await self.head(tree)
        advance = _value(await self.env.worktrees.advance(tree, head), "going nowhere")
        came = advance.worktree.base, advance.saved
        assert came == (head, ()), f"{tree} was brought to where it is, and became {advance}"

    async def merge(self, name: str) -> Result[Merge, MergeError]:
        """Merge the work of an agent."""
        tree = await self.create(name)
        await self.hand(tree, f"{name}.txt", name.encode())
        request = evolve(await self.request(tree), drops=tree.branch)
        await self.remove(tree)
        answer = await self.env.merges.merge(request)
        if is_successful(answer):
            self.made.append((answer.unwrap(), name))
            await self.check_dropped(request, answer.unwrap())
        return answer

    async def check_dropped(self, request: MergeRequest, merge: Merge) -> None:
        branch, moved = str(request.drops), merge.before != merge.commit
        assert merge.dropped == moved, f"a merge that should drop {branch} is {merge}"
        found = _value(await self.env.merges.start(branch, _BRANCH), "asking for a branch")
        assert not moved or found != request.source, f"{branch} was dropped, and is at {found}"
        _value(await self.env.merges.drop(branch), "dropping the branch")

    async def request(self, tree: Worktree) -> MergeRequest:
        return MergeRequest(
            target=_BRANCH,
            source=await self.head(tree),
            base=tree.base,
            message=f"Merge {tree.name}",
            trailers=(("Anabranch-Agent", tree.name),),
        )

    async def check_merges(self, start: Oid) -> None:
        tree = await self.create("three")
        await self.hand(tree, "three.txt", b"3\n")
        request = await self.request(tree)
        assert request.base == start, f"a tree of a branch at {start} has the base {request.base}"
        done = _value(await self.env.merges.merge(request), "merging")
        self.made.append((done, "three"))
        assert done.before == start, f"a branch at {start} was merged into at {done.before}"
        assert await self.tip() == done.commit, f"the branch is not where {done} says"
        again = _value(await self.env.merges.merge(request), "merging again")
        assert again.before == again.commit == done.commit, f"{done} was merged again: {again}"
        await self.remove(tree)

    async def check_merges_at_once(self, start: Oid) -> None:
        before = await self.tip()
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(self.merge, f"agent-{number}")
        made = {merge.before: merge.commit for merge, _ in self.made if merge.before != start}
        here = before
        while here in made:
            here = made.pop(here)
        assert not made, f"merges that begin where none ended: {made}"
        tip = await self.tip()
        assert tip == here, f"the branch is at {tip}, and its merges end at {here}"
        await self.check_traces(start)

    async def check_traces(self, start: Oid) -> None:
        found = _value(await self.env.merges.traces(_BRANCH, start), "asking for traces")
        here = start
        for trace in found:
            assert trace.before == here, f"a trace begins at {trace.before}, not at {here}"
            here = trace.commit
        told = {(trace.commit, dict(trace.trailers)["Anabranch-Agent"]) for trace in found}
        expected = {(merge.commit, name) for merge, name in self.made}
        assert told == expected, f"the traces are {told}, the merges {expected}"

    async def check_ends(self) -> None:
        deliveries = [await self.env.merges.deliver(_BRANCH) for _ in range(2)]
        first, again = (_value(answer, "delivering") for answer in deliveries)
        assert first.commit == again.commit, f"{first}, and once more: {again}"
        for _ in range(2):
            _value(await self.env.merges.drop(_BRANCH), "dropping the branch")


def _value(answer: Result[T, object], what: str) -> T:
    assert is_successful(answer), f"{what} answers {answer}"
    return answer.unwrap()
