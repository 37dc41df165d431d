"""What a step changed, against what it declared that it writes.

Only what git sees counts: files that it ignores, and what lies outside the worktree, are not
looked at. What steps beside it may write is not held against it, since nobody can tell whose
it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from anabranch.effects import Do, do, fail
from anabranch.effects.work import changes_in
from anabranch.environment import Changes, HasWorktrees, Worktree
from anabranch.planning import AccessSet, undeclared_writes
from anabranch.program.faults import fatal
from anabranch.program.places import StepError, StepFailed


def changed_between(before: Changes, after: Changes) -> tuple[str, ...]:
    """The files that were changed from one look at a worktree to another; sorted.

    Args:
        before: the first look.
        after: the second, whose base is the head of the first.

    >>> from anabranch.environment import Oid
    >>> old = Changes(head=Oid("1"), uncommitted={"a": "M 1", "b": "M 1"})
    >>> changed_between(old, Changes(head=Oid("1"), uncommitted={"a": "M 1", "b": "M 2", "c": "A"}))
    ('b', 'c')
    """
    return tuple(sorted(set(_changed(before, after))))


def _changed(before: Changes, after: Changes) -> Iterator[str]:
    old, new = before.uncommitted, after.uncommitted
    yield from (path for path, stamp in new.items() if old.get(path) != stamp)
    committed = {*after.added, *after.modified, *after.deleted}
    committed.update(path for pair in after.renamed for path in pair)
    yield from committed - old.keys()
    yield from (path for path in old if path not in new and path not in committed)


@do
def check_writes(
    subject: str, tree: Worktree, before: Changes, allowed: AccessSet
) -> Do[None, StepError, HasWorktrees]:
    """Fail if anything else was changed in a worktree since a look at it."""
    after = yield from changes_in(evolve(tree, base=before.head)).map_error(fatal)
    undeclared = undeclared_writes(allowed, changed_between(before, after))
    if undeclared:
        told = ", ".join(f"`{path}`" for path in undeclared)
        message = f"it changed what its `writes` do not name: {told}"
        yield from fail(StepFailed(subject=subject, message=message))
