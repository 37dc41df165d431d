"""The git state of a step: what it committed and what it left uncommitted.

It is the difference between what a worktree was before and what it is after, so that a file
that was there already, uncommitted, belongs to the step that made it and to no later one.
Later steps see it as `${step.files_added}` and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from anabranch.environment import Changes, Oid
from anabranch.lifecycle import Committed
from anabranch.values import Json


@frozen(kw_only=True)
class GitState:
    """What changed in a worktree.

    Attributes:
        commits: what was committed, oldest first.
        added, modified, deleted: paths with `/`, sorted; committed or not.
        renamed: pairs of old and new path, of what was committed.
        insertions, deletions: lines, of what was committed.
    """

    commits: tuple[Oid, ...] = ()
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    insertions: int = 0
    deletions: int = 0

    @property
    def changed(self) -> tuple[str, ...]:
        """All paths that are not as they were, sorted; of what was renamed, the new ones."""
        new = (name for _, name in self.renamed)
        return tuple(sorted({*self.added, *self.modified, *self.deleted, *new}))

    def as_data(self) -> dict[str, Json]:
        """The state as templates and conditions see it.

        >>> GitState(added=("a",), modified=("b",), renamed=(("c", "d"),)).as_data()["files_changed"]
        ['a', 'b', 'd']
        """
        return {
            "commits": list(self.commits),
            "commit_count": len(self.commits),
            "files_added": list(self.added),
            "files_modified": list(self.modified),
            "files_deleted": list(self.deleted),
            "files_renamed": [name for _, name in self.renamed],
            "files_changed": list(self.changed),
            "insertions": self.insertions,
            "deletions": self.deletions,
        }


# What becomes of a file that is not committed, by what it was before and what it is now: not in
# head (`A`), unlike head (`M`), not in the tree (`D`), like head (nothing).
_UNCOMMITTED: Final[Mapping[str, str]] = {
    "-A": "A", "-M": "M", "-D": "D",
    "AA": "M", "AM": "M", "AD": "D", "A-": "D",
    "MA": "M", "MM": "M", "MD": "D", "M-": "M",
    "DA": "A", "DM": "A", "DD": "-", "D-": "A",
}  # fmt: skip

# The same for a file that was committed in between, by how: what was made and taken away again
# is nothing, and what was taken away and made again has changed.
_COMMITTED: Final[Mapping[str, str]] = {
    "AA": "A", "AM": "A", "AD": "-",
    "MA": "M", "MM": "M", "MD": "D",
    "DA": "M", "DM": "M", "DD": "D",
}  # fmt: skip


def state_between(before: Mapping[str, str], changes: Changes) -> GitState:
    """What a step did, from what was uncommitted before it, and what changed since.

    Args:
        before: what was uncommitted before (`Changes.uncommitted`).
        changes: from the commit that the tree stood on before to what it is now.
    """
    kinds = {
        **dict.fromkeys(changes.added, "A"),
        **dict.fromkeys(changes.modified, "M"),
        **dict.fromkeys(changes.deleted, "D"),
    }
    now = changes.uncommitted
    for path in {*before, *now} - {name for pair in changes.renamed for name in pair}:
        was, left = before.get(path, "-"), now.get(path, "-")
        if path in kinds and left != "-":
            kinds[path] = _COMMITTED[kinds[path] + left[:1]]
        elif path not in kinds and was != left:
            kinds[path] = _UNCOMMITTED[was[:1] + left[:1]]

    def of(kind: str) -> tuple[str, ...]:
        return tuple(sorted(path for path, found in kinds.items() if found == kind))

    return GitState(
        commits=changes.commits,
        added=of("A"),
        modified=of("M"),
        deleted=of("D"),
        renamed=changes.renamed,
        insertions=changes.insertions,
        deletions=changes.deletions,
    )


def committed(subject: str, state: GitState, head: Oid) -> list[Committed]:
    """What the journal is told of a state, at its last commit; nothing, if there is none."""
    if not state.commits:
        return []
    return [
        Committed(
            subject=subject,
            commit=head,
            files=state.changed,
            insertions=state.insertions,
            deletions=state.deletions,
        )
    ]
