"""A repository in memory: its state, the ports over it, and trees to work in."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from anabranch.environment import Oid, Worktree
from anabranch.services.git.commits import with_trailers
from anabranch.testing.git.checkouts import added, dirty_paths
from anabranch.testing.git.faults import Faults, NotModelled, none
from anabranch.testing.git.ignoring import ATTRIBUTES_FILE
from anabranch.testing.git.merges import MemoryMerges
from anabranch.testing.git.objects import EXECUTABLE, FILE, LINK, Entry, Objects
from anabranch.testing.git.renames import parents
from anabranch.testing.git.state import HEADS, Checkout, GitState
from anabranch.testing.git.store import HOME, Store
from anabranch.testing.git.worktrees import MemoryWorktrees


@frozen(kw_only=True)
class MemoryRun:
    """What a run needs of git: the two ports. As a process would, it forgets when it ends."""

    worktrees: MemoryWorktrees
    merges: MemoryMerges


@frozen
class MemoryRepository:
    """A repository without git and without files.

    Its state is a value: keep it to come back to it later, compare it, put it into another
    repository. A crash is a run that ends, and another `run` on the same repository.

    Attributes:
        store: holds the state, and says what goes wrong.
    """

    store: Store

    @property
    def state(self) -> GitState:
        """Everything there is."""
        return self.store.state

    def restore(self, state: GitState) -> None:
        """Be as it was then, or as another repository is."""
        self.store.state = state

    def run(self, run: str) -> MemoryRun:
        """The ports of a run, as a process that has just started sees them."""
        worktrees, merges = MemoryWorktrees(self.store, run), MemoryMerges(self.store, run)
        return MemoryRun(worktrees=worktrees, merges=merges)

    @property
    def home(self) -> MemoryTree:
        """The user's own working tree."""
        return MemoryTree(self.store, HOME)

    def tree(self, place: Worktree | str) -> MemoryTree:
        """A working tree, to work in as a command would."""
        return MemoryTree(self.store, place if isinstance(place, str) else place.path)

    def commit_at(self, revision: str) -> Oid | None:
        """The commit of a branch or an id; of `HEAD`, that of the user's working tree."""
        return self.store.commit_at(revision)

    def files(self, revision: str = "HEAD") -> dict[str, bytes]:
        """What a commit holds, by path."""
        commit = self.commit_at(revision)
        assert commit is not None, f"no such revision: {revision}"
        return {path: entry.data for path, entry in self.state.objects.tree(commit).items()}

    @property
    def branches(self) -> dict[str, Oid]:
        """All branches and their commits."""
        return {ref.removeprefix(HEADS): oid for ref, oid in self.state.refs.items()}

    def message(self, revision: str = "HEAD") -> str:
        """The message of a commit, trailers and all."""
        commit = self.commit_at(revision)
        assert commit is not None, f"no such revision: {revision}"
        return self.state.objects.commits[commit].message


@frozen
class MemoryTree:
    """A working tree, seen from a command that runs in it.

    Attributes:
        store: the repository that it belongs to.
        path: of its directory.
    """

    store: Store
    path: str

    @property
    def files(self) -> dict[str, bytes]:
        """Everything that lies there, tracked or not."""
        return {path: entry.data for path, entry in self._checkout.files.items()}

    @property
    def head(self) -> Oid:
        """The commit that is checked out."""
        return self.store.state.head(self._checkout)

    @property
    def dirty(self) -> tuple[str, ...]:
        """What `git status` names."""
        return dirty_paths(self._checkout, self.store.state.objects.tree(self.head))

    def read(self, path: str) -> bytes:
        """A file's content; of a symbolic link, where it points.

        Raises:
            FileNotFoundError: there is none.
        """
        if path not in self._checkout.files:
            raise FileNotFoundError(path)
        return self._checkout.files[path].data

    def write(self, path: str, data: bytes | str, *, executable: bool = False) -> None:
        """Write a file, making its directories."""
        content = data if isinstance(data, bytes) else data.encode()
        self._put(path, Entry(content, EXECUTABLE if executable else FILE))

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        self._put(path, Entry(target.encode(), LINK))

    def delete(self, path: str) -> None:
        """Delete a file, and directories that are empty then.

        Raises:
            FileNotFoundError: there is none.
        """
        self.read(path)
        files = {name: entry for name, entry in self._checkout.files.items() if name != path}
        self._change(evolve(self._checkout, files=files))

    def add(self) -> None:
        """Stage everything: `git add --all`."""
        self._change(added(self._checkout))

    def commit(
        self,
        files: Mapping[str, bytes | str | None] | None = None,
        message: str = "work",
        *,
        trailers: tuple[tuple[str, str], ...] = (),
    ) -> Oid:
        """Write files (`None` deletes one), commit everything in the tree, answer the commit.

        As with `git commit --allow-empty`, there need not be anything new in it.
        """
        for path, data in (files or {}).items():
            if data is None:
                self.delete(path)
            else:
                self.write(path, data)
        self.add()
        return self.commit_staged(with_trailers(message, trailers))

    def commit_staged(self, message: str = "work\n") -> Oid:
        """Commit what was added, and nothing else; where a merge is under way, it is that.

        Raises:
            NotModelled: some of it is still in conflict.
        """
        checkout, state = self._checkout, self.store.state
        if checkout.unmerged:
            raise NotModelled("a commit of what is in conflict")
        parents = (self.head,) if checkout.merging is None else (self.head, checkout.merging)
        commit = state.objects.commit(checkout.index, parents, message)
        checkout = evolve(checkout, merging=None)
        state = self.store.state = state.with_checkout(self.path, checkout)
        if checkout.head in state.refs:
            self.store.state = state.with_ref(checkout.head, commit)
        else:
            self._change(evolve(checkout, head=commit))
        return commit

    def switch(self, branch: str, *, create: bool = False) -> None:
        """Check a branch out; with `create`, make it where the tree is.

        Raises:
            NotModelled: something was changed and not committed, or the branch is in use.
        """
        ref, state = f"{HEADS}{branch}", self.store.state
        if create:
            state = state.with_ref(ref, self.head)
        elif self.dirty or ref not in state.refs or state.holder(ref) not in {None, self.path}:
            raise NotModelled(f"switching to {branch}")
        tree, old = state.objects.tree(state.refs[ref]), self._checkout.index
        kept = {path: entry for path, entry in self._checkout.files.items() if path not in old}
        changed = evolve(self._checkout, head=ref, index=tree, files={**kept, **tree})
        self.store.state = state.with_checkout(self.path, changed)

    def detach(self) -> None:
        """Leave the branch, and stay at its commit."""
        self._change(evolve(self._checkout, head=self.head))

    @property
    def _checkout(self) -> Checkout:
        return self.store.state.checkouts[self.path]

    def _put(self, path: str, entry: Entry) -> None:
        files = self._checkout.files
        if path.rpartition("/")[2] == ATTRIBUTES_FILE:
            raise NotModelled(f"attributes: {path}")
        for above in parents(path):
            if above in files:
                raise NotADirectoryError(above)
        if any(name.startswith(f"{path}/") for name in files):
            raise IsADirectoryError(path)
        self._change(evolve(self._checkout, files={**files, path: entry}))

    def _change(self, checkout: Checkout) -> None:
        self.store.state = self.store.state.with_checkout(self.path, checkout)


def memory_repository(
    files: Mapping[str, bytes | str] | None = None, *, faults: Faults = none
) -> MemoryRepository:
    r"""Make a repository in memory with one commit on `main`, and a user who is on it.

    Args:
        files: what the commit holds; a `README` unless given.
        faults: says what goes wrong, of what is asked for.

    >>> repository = memory_repository({"a.txt": "hello"})
    >>> _ = repository.home.commit({"b.txt": "more"}, "Add b")
    >>> repository.files(), repository.message()
    ({'a.txt': b'hello', 'b.txt': b'more'}, 'Add b\n')
    """
    objects, ref = Objects(), f"{HEADS}main"
    tree = {
        path: Entry(data if isinstance(data, bytes) else data.encode())
        for path, data in (files or {"README": "hello\n"}).items()
    }
    state = GitState(
        objects=objects,
        refs={ref: objects.commit(tree, (), "start\n")},
        checkouts={HOME: Checkout(head=ref, index=tree, files=tree)},
    )
    return MemoryRepository(Store(state, faults))
