"""A linear history: commits made anew on top of a branch, one by one, without a checkout.

Each new commit says in a trailer which one it was made from. That is how a resumed run finds
out what is there already: the new commits have other ids than those they came from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, evolve, field

from anabranch.environment import MergeRequest, Oid
from anabranch.services.git.commits import Commit, with_trailers
from anabranch.services.git.objects import Objects
from anabranch.services.git.runner import Git
from anabranch.services.git.signing import Signer

ORIGINAL: Final = "Anabranch-Commit"
"""The trailer that names the commit from which another was made."""

_NEAR: Final = 50


@define(kw_only=True)
class Replayer:
    """Replays commits.

    Attributes:
        git: runs in the repository.
        objects: of the repository.
        signer: says who commits, and when.
        merged: merges two commits, of which the first has the tree given; the merged tree.
    """

    git: Git
    objects: Objects
    signer: Signer
    merged: Callable[[Oid, Oid, str], str]
    _known: dict[tuple[str, Oid], set[str]] = field(
        factory=dict[tuple[str, Oid], set[str]], init=False, repr=False
    )

    def replay(self, before: Oid, request: MergeRequest) -> Oid:
        """The commits since the base, on top of `before`; `before` itself if all are there.

        A merge among them becomes one commit with what it brought to its first parent. A commit
        whose change is there already is left out.
        """
        known = self._originals(before, request)
        last, current = before, self.objects.commit(before)
        for oid in self._since(request.base, request.source):
            if oid in known:
                continue
            commit = self.objects.commit(oid)
            parent = commit.parents[0] if commit.parents else request.base
            tree = self._picked(current, oid, parent)
            if tree == current.tree and commit.tree != self.objects.commit(parent).tree:
                continue
            trailers = (*request.trailers, (ORIGINAL, oid))
            current = evolve(
                commit,
                tree=tree,
                parents=(last,),
                committer=self.signer.names().committer,
                message=with_trailers(commit.message, trailers),
            )
            last = self.objects.write(current)
        return last

    def trailers_of(self, request: MergeRequest) -> tuple[tuple[str, str], ...]:
        """What a commit says that stands for all those since the base."""
        return tuple((ORIGINAL, oid) for oid in self._since(request.base, request.source))

    def moved(self, request: MergeRequest) -> None:
        """Note that a replay has become visible; one that was not needed has nothing to note."""
        known = self._known.get((request.target, request.base))
        if known is not None:
            known.update(self._since(request.base, request.source))

    def _originals(self, before: Oid, request: MergeRequest) -> set[str]:
        """The commits that are on the target in another form."""
        key = request.target, request.base
        if key not in self._known:
            form = f"--format=%(trailers:key={ORIGINAL},valueonly)"
            found = self.git.run("log", form, f"{request.base}..{before}")
            self._known[key] = set(found.text.split())
        return self._known[key]

    def _since(self, base: Oid, source: Oid) -> list[Oid]:
        """The first parents from the base, which is left out, to the source, oldest first."""
        found, oid = list[Oid](), source
        while oid != base and len(found) < _NEAR:
            found.append(oid)
            parents = self.objects.commit(oid).parents
            if not parents:
                break
            oid = parents[0]
        if oid == base:
            return found[::-1]
        listed = self.git.run("rev-list", "--reverse", "--first-parent", f"{base}..{source}")
        return [Oid(line) for line in listed.text.split()]

    def _picked(self, onto: Commit, oid: Oid, parent: Oid) -> str:
        """The tree that holds a commit's change on top of another tree.

        The other tree is given the commit's own parent, for a moment: then that parent is the
        merge base, which older git cannot be told in another way.
        """
        beside = evolve(onto, parents=(parent,), message="anabranch\n")
        return self.merged(self.objects.write(beside), oid, onto.tree)
