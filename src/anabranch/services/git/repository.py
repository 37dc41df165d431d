"""A repository, opened: what git it is, where it is, and who commits in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from anabranch.services.git.places import place_for, survey
from anabranch.services.git.runner import (
    PLAIN_INDEX,
    QUIET,
    Git,
    GitError,
    anywhere,
    configured,
    git_environment,
)
from anabranch.services.git.signing import Signer, signing
from anabranch.values import HostError

OLDEST_GIT: Final = (2, 38)
"""The first git that merges in memory (`merge-tree --write-tree`)."""

_UNSAFE: Final = {
    b"safe.directory": "--add safe.directory {}",
    b"safe.bareRepository": "safe.bareRepository all",
}
"""Why git does not trust a directory, and the configuration that makes it do so."""


@frozen(kw_only=True)
class GitRepository:
    """A git repository that runs can work in.

    Attributes:
        home: where the user is: the top of their working tree, or the directory of a bare one.
        common: the absolute path of git's directory, which all worktrees share.
        bare: whether it has no main working tree.
        main: the top of that; `None` if there is none, or nothing says where it is.
        place: the directory that holds the worktrees of all runs.
        version: of git.
        identity: variables that name a committer; empty if the user's own configuration does.
        signer: who commits.
        hooks: the directory of the repository's hooks.
        git: runs in `home`; `trees` is the same without what suits the user's checkout only.
    """

    home: str
    common: str
    bare: bool
    main: str | None
    place: str
    version: tuple[int, ...]
    identity: Mapping[str, str]
    signer: Signer
    hooks: str
    git: Git = field(repr=False)

    @classmethod
    def open(
        cls, path: str, *, environ: Mapping[str, str] | None = None, place: str | None = None
    ) -> Result[GitRepository, HostError]:
        """Open the repository that a directory belongs to.

        Arguments:
            path: any directory of the repository.
            environ: environment variables; those of the process unless given.
            place: where worktrees are kept; beside the repository unless given.

        Fails with a `HostError`: no git, one that is too old or does not work, no repository, no
        commit.
        """
        try:
            return Success(_open(path, os.environ if environ is None else environ, place))
        except HostError as error:
            return Failure(error)
        except (GitError, OSError) as error:
            hint = "does `git status` work there?"
            return Failure(HostError.of("git-fails", "git fails", value=str(error), hint=hint))

    @property
    def trees(self) -> Git:
        """Git for worktrees of ours."""
        return self.git.with_config(*PLAIN_INDEX)

    @property
    def state(self) -> str:
        """Our own directory inside git's."""
        return os.path.join(self.common, "anabranch")

    @property
    def lock(self) -> str:
        """The lock around everything that touches metadata which worktrees share."""
        return os.path.join(self.state, "lock")

    def head(self) -> tuple[str, str | None]:
        """The commit that the user has checked out, and the branch; `None` if on none."""
        found = self.git.run("rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD").text
        commit, _, ref = found.partition("\n")
        return commit, ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None

    def has_hook(self, name: str) -> bool:
        """Whether the repository has a hook that git would run."""
        return os.access(os.path.join(self.hooks, name), os.X_OK)

    def command_environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of commands that run in our worktrees.

        A `git commit` there is one in that worktree, also if we were started by a hook of git,
        works on a machine that has no identity, starts no background collection and leaves no
        file system monitor behind.

        Arguments:
            environ: what we inherited; its own git configuration stays.
        """
        return configured({**anywhere(environ), **self.identity}, (*QUIET, *PLAIN_INDEX))


def _open(path: str, environ: Mapping[str, str], place: str | None) -> GitRepository:
    program = shutil.which("git", path=environ.get("PATH"))
    if program is None:
        raise HostError.of("git-missing", "git is not installed", hint="install git 2.38 or later")
    if not os.path.isdir(path):
        raise HostError.of("not-a-repository", "no such directory", value=path)
    git = Git(directory=located(path), environ=git_environment(environ), program=program)
    version = _version(git)
    common, inside = _common(git)
    home = git.run("rev-parse", "--show-toplevel").text if inside else common
    git = git.at(home)
    hooks = _hooks(git)
    identity, signs = signing(git)
    git = git.with_environ(identity)
    bare = git.inside(common).run("rev-parse", "--is-bare-repository").text == "true"
    main = None if bare else _main(git, home, common)
    _require_link(main, common)
    return GitRepository(
        home=home,
        common=common,
        bare=bare,
        main=main,
        place=os.path.realpath(place or place_for(survey(main or home, common))),
        version=version,
        identity=identity,
        signer=signs,
        hooks=os.path.join(home, hooks),
        git=git,
    )


def located(path: str) -> str:
    """An absolute path.

    Raises:
        HostError: it is relative to a directory that somebody has removed.
    """
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        message, hint = "the current directory was removed", "go to one that is there"
        raise HostError.of("not-a-repository", message, value=path, hint=hint) from None


def _version(git: Git) -> tuple[int, ...]:
    text = git.run("version").text
    found = re.search(r"\d+(?:\.\d+)+", text)
    version = tuple(map(int, found[0].split("."))) if found else ()
    if version < OLDEST_GIT:
        hint = "install git 2.38 or later"
        raise HostError.of("git-too-old", "this git cannot merge in memory", value=text, hint=hint)
    return version


def _common(git: Git) -> tuple[str, bool]:
    """Git's directory, and whether we are in a working tree."""
    asked = ("--is-inside-work-tree", "--path-format=absolute", "--git-common-dir")
    output = git.attempt("rev-parse", *asked)
    if output.code == 0:
        inside, _, common = output.text.partition("\n")
        return os.path.realpath(common), inside == "true"
    for setting, command in _UNSAFE.items():
        if setting in output.stderr:
            message = output.complaint.splitlines()[0].removeprefix("fatal: ")
            hint = f"git config --global {command.format(shlex.quote(git.directory))}"
            raise HostError.of("unsafe-repository", message, hint=hint)
    if b"not a git repository" not in output.stderr:
        raise HostError.of("git-refuses", output.complaint.removeprefix("fatal: "))
    hint = "start anabranch inside a git repository, or make one: `git init`"
    raise HostError.of("not-a-repository", "not a git repository", value=git.directory, hint=hint)


def _hooks(git: Git) -> str:
    """The directory of the hooks, of a repository with at least one commit."""
    found = git.attempt("rev-parse", "--git-path", "hooks", "HEAD^{commit}", "--")
    if found.code != 0:
        hint = "commit something first: `git commit --allow-empty -m start`"
        problem = "the repository has no commit"
        raise HostError.of("no-commits", problem, value=git.directory, hint=hint)
    return found.text.rsplit("\n", 2)[0]


def _require_link(main: str | None, common: str) -> None:
    """Refuse a working tree in which git does not find its repository by itself: nor would steps."""
    if main is not None and os.path.isdir(main) and not os.path.lexists(f"{main}/.git"):
        reason = "`core.worktree` names a directory in which git finds no repository"
        link = f"{shlex.quote(f'gitdir: {common}')} > {shlex.quote(f'{main}/.git')}"
        raise HostError.of("no-git-link", reason, value=main, hint=f"echo {link}")


def _main(git: Git, home: str, common: str) -> str | None:
    """The main working tree, also if the user is in another one."""
    own = git.run("rev-parse", "--absolute-git-dir").text
    if home != common and os.path.realpath(own) == common:
        return home
    told = git.inside(common).attempt("config", "--get", "core.worktree")
    if told.code == 0:
        return os.path.realpath(os.path.join(common, told.text))
    return os.path.dirname(common) if os.path.basename(common) == ".git" else None
