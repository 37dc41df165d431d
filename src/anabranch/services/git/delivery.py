"""The one step that touches the user's checkout: all of it, or nothing.

`git merge --ff-only --no-overwrite-ignore` takes a checkout forward without losing anything
that is uncommitted, untracked or ignored in it, and refuses, having touched nothing, if a
file would be in the way. What it had touched when it could not go on is taken back. Everything
else here finds out what to bring forward to what.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Final

from attrs import asdict, evolve, frozen

from anabranch.environment import Delivery, MergeFault, Oid
from anabranch.services.git.advancing import complete
from anabranch.services.git.checkouts import Checkout, checkout_at, checkouts
from anabranch.services.git.commits import with_trailers
from anabranch.services.git.faults import Unmerged
from anabranch.services.git.merging import Merger, unknown
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.runner import Git, GitError
from anabranch.services.git.withdrawing import Before


@frozen(kw_only=True)
class Origin:
    """Where a run came from, remembered in a file so that a resumed run finds it.

    Attributes:
        home: the top of the user's working tree.
        branch: the full name of the branch it was on; `None` is a detached HEAD.
        delivered: the result, once the user has it.
        begun: what the user's checkout was last to be brought to.
    """

    home: str
    branch: str | None
    delivered: Oid | None = None
    begun: Oid | None = None

    @classmethod
    def load(cls, path: str) -> Origin | None:
        """Read it; `None` if the run never started."""
        with suppress(FileNotFoundError):
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        return None

    def save(self, path: str) -> None:
        """Write it, all at once."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fields = asdict(self)
        temporary = Path(f"{path}.new")
        temporary.write_text(json.dumps(fields), encoding="utf-8")
        temporary.replace(path)


_COMMAND: Final = (
    *("merge", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--quiet"),
    *("--no-stat", "--no-verify-signatures"),
)
_LOCKED: Final = re.compile(rb"Unable to create '.*\.lock': File exists")
_SHOWN: Final = 3
_RACES: Final = 4
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.1


class _Stays(Exception):  # noqa: N818 - not an error: an answer, on its way out
    """The result stays on the run's branch, for a reason."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class _Moved(_Stays):
    """The user's branch moved while this was at work."""


@frozen(kw_only=True)
class Courier:
    """Delivers the result of a run."""

    repository: GitRepository
    merger: Merger
    origin: str

    def remember(self) -> None:
        """Note where the user is, once for a run."""
        if Origin.load(self.origin) is None:
            here = checkout_at(self.repository.git)
            Origin(home=here.path, branch=here.branch).save(self.origin)

    def deliver(self, branch: str) -> Delivery:
        """Bring the user's branch and checkout forward to a branch of ours."""
        origin = Origin.load(self.origin)
        result = self.merger.refs.commit_at(f"refs/heads/{branch}")
        if origin is None or result is None:
            if origin is not None and origin.delivered is not None:
                return Delivery(commit=origin.delivered, delivered=True)
            raise unknown(branch)
        try:
            commit = self._bring(origin, branch, result)
        except _Stays as stays:
            return Delivery(
                commit=result, delivered=False, branch=branch, reason=stays.reason, hint=stays.hint
            )
        evolve(origin, delivered=commit, begun=None).save(self.origin)
        if origin.branch is None:
            hint = f"the checkout is on no branch; the result is also on {branch}"
            return Delivery(commit=commit, delivered=True, branch=branch, hint=hint)
        self.merger.refs.delete(f"refs/heads/{branch}", result)
        return Delivery(commit=commit, delivered=True)

    def _bring(self, origin: Origin, branch: str, result: Oid) -> Oid:
        """Anew if the user, or another run, moves the branch meanwhile."""
        for _ in range(_RACES):
            with suppress(_Moved):
                return self._brought(origin, branch, result)
        return self._brought(origin, branch, result)

    def _brought(self, origin: Origin, branch: str, result: Oid) -> Oid:
        checkout = self._checkout(origin, branch)
        if checkout is not None and checkout.under_way is not None:
            reason = f"a {checkout.under_way} is under way in {checkout.path}"
            raise _Stays(reason, f"finish it, then: {_take(checkout, branch)}")
        ref = origin.branch or "HEAD"
        where = self.repository.git if checkout is None else self.repository.git.at(checkout.path)
        tip = evolve(self.merger.refs, git=where).commit_at(ref)
        if tip is None:
            name = ref.removeprefix("refs/heads/")
            raise _Stays(f"branch {name} is gone", f"git branch {name} {branch}")
        take = _take(checkout, branch)
        if checkout is None and not self.repository.bare:
            take = f"git switch {shlex.quote(ref.removeprefix('refs/heads/'))} && {take}"
        target = self._target(tip, result, branch, take)
        if checkout is None:
            self._move(ref, tip, target, branch)
        elif target != tip:
            self._forward(origin, checkout, tip, target, branch)
        return target

    def _checkout(self, origin: Origin, branch: str) -> Checkout | None:
        """The working tree that has to come forward, if there is one."""
        if origin.branch is not None:
            found = (c for c in checkouts(self.repository) if c.branch == origin.branch)
            return next(found, None)
        if not os.path.isdir(origin.home):
            raise _Stays(f"{origin.home} is gone", f"git merge --no-overwrite-ignore {branch}")
        here = checkout_at(self.repository.git.at(origin.home))
        if here.branch is not None:
            name = here.branch.removeprefix("refs/heads/")
            raise _Stays(f"{here.path} was on no branch and is now on {name}", _take(here, branch))
        return here

    def _target(self, tip: Oid, result: Oid, branch: str, take: str) -> Oid:
        """What the user's branch should become: the result, or both if it moved meanwhile."""
        if self.merger.is_ancestor(tip, result):
            return result
        try:
            return self.merger.join(tip, result, with_trailers(f"Merge branch '{branch}'", ()))
        except Unmerged as unmerged:
            error = unmerged.error
            if error.fault is MergeFault.UNRELATED:
                take = f"{take} --allow-unrelated-histories"
            reason = f"your branch has moved meanwhile, and the two do not merge: {error.message}"
            raise _Stays(reason, take) from None

    def _move(self, ref: str, tip: Oid, target: Oid, branch: str) -> None:
        name = ref.removeprefix("refs/heads/")
        if not self.merger.refs.move(ref, tip, target):
            hint = f"git fetch . {branch}:{name}"
            raise _Moved(f"branch {name} moved again and again", hint)

    def _forward(
        self, origin: Origin, checkout: Checkout, tip: Oid, target: Oid, branch: str
    ) -> None:
        evolve(origin, begun=target).save(self.origin)
        git = self.repository.git.at(checkout.path).with_config(_plain_merge(checkout))
        take = _take(checkout, branch)
        lock = self._lock_that_stays(checkout)
        if lock is not None:
            hint = f"if no git is at work: rm {shlex.quote(lock)}, then: {take}"
            raise _Stays(f"another git is at work, or was killed: {lock} is there", hint)
        complaint = _fast_forward(git, tip, target, again=origin.begun is not None)
        if complaint is not None and git.attempt("rev-parse", "HEAD").text != tip:
            raise _Moved("your branch moved again and again", take)
        if complaint is not None:
            raise _Stays(complaint, f"once nothing stands in the way: {take}")

    def _lock_that_stays(self, checkout: Checkout) -> str | None:
        """A lock of git that would stop us half way, if it does not go within a while."""
        names = [os.path.join(checkout.admin, name) for name in ("index.lock", "HEAD.lock")]
        if checkout.branch is not None:
            names.append(os.path.join(self.repository.common, f"{checkout.branch}.lock"))
        for _ in range(_TRIES):
            if not any(map(os.path.lexists, names)):
                return None
            sleep(_PAUSE_SECONDS)
        return next(filter(os.path.lexists, names), None)


def _plain_merge(checkout: Checkout) -> tuple[str, str]:
    """What keeps git from merging with options that the user wants for merges of their own.

    Such as `--squash`, with which a branch does not move, or `-s ours`, which drops the result.
    """
    name = "HEAD" if checkout.branch is None else checkout.branch.removeprefix("refs/heads/")
    return f"branch.{name}.mergeOptions", ""


def _fast_forward(git: Git, tip: Oid, target: Oid, *, again: bool) -> str | None:
    """Let git do it, all or nothing; why it could not.

    Once more if another git command is just at work there. `again` is whether it was begun before.
    """
    for _ in range(_TRIES):
        before = Before.of(git, tip, target)
        blocking = before.way.blocking(git.directory)
        if blocking:
            return None if again and _finished(git, tip, target) else _in_the_way(blocking)
        done = git.attempt(*_COMMAND, target)
        if done.code == 0:
            return None if _is_there(git, target) else "git brought it forward, and a hook back"
        if again and _finished(git, tip, target):
            return None
        before.bring_back(git)
        if not _LOCKED.search(done.stderr):
            return done.complaint
        sleep(_PAUSE_SECONDS)
    return "another git is at work"


def _in_the_way(paths: Sequence[str]) -> str:
    """Said before git is asked, which takes some of it away: a link where a directory was."""
    names = ", ".join(paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"in the way of the result, and not committed: {names}{more}"


def _is_there(git: Git, target: Oid) -> bool:
    return git.attempt("merge-base", "--is-ancestor", target, "HEAD").code == 0


def _finished(git: Git, tip: Oid, target: Oid) -> bool:
    """Complete a delivery that was killed: its files look to git like changes of the user."""
    try:
        return complete(git, tip, target)
    except GitError:
        return False


def _take(checkout: Checkout | None, branch: str) -> str:
    """The command that takes the result."""
    where = f" -C {shlex.quote(checkout.path)}" if checkout is not None else ""
    return f"git{where} merge --no-overwrite-ignore {shlex.quote(branch)}"
