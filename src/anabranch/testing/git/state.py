"""What a repository is at one moment: a value. What changes it makes another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve, field, frozen

from anabranch.environment import Oid
from anabranch.testing.git.objects import EMPTY, Entry, Objects, Tree

HEADS = "refs/heads/"


@frozen(kw_only=True)
class Checkout:
    """A working tree.

    Attributes:
        head: the full name of the branch that is checked out, or a commit.
        index: what the next commit would hold.
        files: what lies in the directory.
        carried: files that came along when the tree was made, as they were then.
        run: whose tree it is; `None` is the user's own.
        name: which of the run's trees it is.
        merging: the commit whose merge is under way here.
        unmerged: the paths that are in conflict in the index.
        laid: what the merge had left at the paths that were in conflict; `None` if there was none.
    """

    head: str
    index: Tree = field(default=EMPTY)
    files: Tree = field(default=EMPTY)
    carried: Tree = field(default=EMPTY)
    run: str | None = None
    name: str = ""
    merging: Oid | None = None
    unmerged: frozenset[str] = frozenset()
    laid: Mapping[str, Entry | None] | None = None


@frozen(kw_only=True)
class Origin:
    """Where the user was when a run began, and what they were given at its end."""

    home: str
    branch: str | None
    delivered: Oid | None = None


@frozen(kw_only=True)
class GitState:
    """A repository: immutable, compared with `==`.

    Attributes:
        objects: commits and trees; shared by all states, since it only grows.
        refs: commits by the full names of branches.
        checkouts: working trees by their path.
        origins: what each run remembers.
    """

    objects: Objects = field(factory=Objects, eq=False, repr=False)
    refs: Mapping[str, Oid] = field(factory=dict[str, Oid])
    checkouts: Mapping[str, Checkout] = field(factory=dict[str, Checkout])
    origins: Mapping[str, Origin] = field(factory=dict[str, Origin])

    def commit_at(self, revision: str, path: str) -> Oid | None:
        """The commit that a branch, its full name, an id, or `HEAD` of a tree stands for."""
        if revision == "HEAD":
            return self.head(self.checkouts[path])
        for name in (revision, f"{HEADS}{revision}"):
            if name in self.refs:
                return self.refs[name]
        return Oid(revision) if revision in self.objects.commits else None

    def head(self, checkout: Checkout) -> Oid:
        """The commit that a tree is at."""
        return self.refs.get(checkout.head) or Oid(checkout.head)

    def holder(self, ref: str) -> str | None:
        """The path of the working tree that has a branch checked out."""
        return next((path for path, c in self.checkouts.items() if c.head == ref), None)

    def trees_of(self, run: str) -> Iterator[tuple[str, Checkout]]:
        """The working trees of a run by their path."""
        return ((path, c) for path, c in self.checkouts.items() if c.run == run)

    def with_ref(self, ref: str, commit: Oid) -> GitState:
        """A branch moved, or made."""
        return evolve(self, refs={**self.refs, ref: commit})

    def without_ref(self, ref: str) -> GitState:
        """A branch deleted."""
        return evolve(self, refs={name: oid for name, oid in self.refs.items() if name != ref})

    def with_checkout(self, path: str, checkout: Checkout) -> GitState:
        """A working tree changed, or made."""
        return evolve(self, checkouts={**self.checkouts, path: checkout})

    def without_checkout(self, path: str) -> GitState:
        """A working tree gone."""
        left = {name: c for name, c in self.checkouts.items() if name != path}
        return evolve(self, checkouts=left)

    def with_origin(self, run: str, origin: Origin) -> GitState:
        """What a run remembers."""
        return evolve(self, origins={**self.origins, run: origin})

    def clashes(self, ref: str) -> bool:
        """Whether a branch cannot be, because another one is in its way: `a` and `a/b`."""
        return any(
            other.startswith(f"{ref}/") or ref.startswith(f"{other}/") for other in self.refs
        )
