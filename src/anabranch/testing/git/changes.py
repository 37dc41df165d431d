"""What happened in a working tree since its base."""

from __future__ import annotations

from collections.abc import Mapping

from anabranch.environment import Changes, Oid
from anabranch.testing.git.checkouts import dirty_paths
from anabranch.testing.git.history import since
from anabranch.testing.git.lines import distance, split
from anabranch.testing.git.objects import Entry, Tree
from anabranch.testing.git.renames import only_rename
from anabranch.testing.git.state import Checkout, GitState
from anabranch.testing.git.texts import is_binary


def changes_between(state: GitState, checkout: Checkout, base: Oid) -> Changes:
    """What was committed in a tree since its base, and what was not.

    Raises:
        NotModelled: git would have to weigh how alike two files are.
    """
    head = state.head(checkout)
    old, new = state.objects.tree(base), state.objects.tree(head)
    renamed = _renames(old, new)
    added, deleted = set(new) - set(old), set(old) - set(new)
    was = {target: source for source, target in renamed.items()}
    counts = [
        _lines(old.get(was.get(path, path)), new.get(path))
        for path in {*old, *new} - renamed.keys()
    ]
    dirty = [p for p in dirty_paths(checkout, new) if not _is_as_carried(checkout, p)]
    return Changes(
        head=head,
        commits=tuple(since(state.objects, base, head)),
        added=tuple(sorted(added - set(was))),
        modified=tuple(sorted(p for p in old if p in new and old[p] != new[p])),
        deleted=tuple(sorted(deleted - set(renamed))),
        renamed=tuple(sorted(renamed.items())),
        insertions=sum(more for more, _ in counts),
        deletions=sum(fewer for _, fewer in counts),
        dirty=tuple(dirty),
        uncommitted={path: _mark(new, checkout.files.get(path), path) for path in dirty},
    )


def _mark(head: Tree, entry: Entry | None, path: str) -> str:
    """How a file is not committed, and a stamp of what it holds."""
    if entry is None:
        return "D"
    return f"{'M' if path in head else 'A'} {entry.mode} {entry.oid}"


def _is_as_carried(checkout: Checkout, path: str) -> bool:
    return path in checkout.carried and checkout.carried[path] == checkout.files.get(path)


def _renames(old: Tree, new: Tree) -> Mapping[str, str]:
    """The files that were moved, changed or not."""
    added = [path for path in new if path not in old]
    deleted = [path for path in old if path not in new]
    found = {path: only_rename(old, new, path, deleted, added) for path in deleted}
    return {path: target for path, target in found.items() if target is not None}


def _lines(old: Entry | None, new: Entry | None) -> tuple[int, int]:
    """How many lines came, and how many went."""
    before, after = b"" if old is None else old.data, b"" if new is None else new.data
    if before == after or is_binary(before) or is_binary(after):
        return 0, 0
    one, other = split(before), split(after)
    common = (len(one) + len(other) - distance(one, other)) // 2
    return len(other) - common, len(one) - common
