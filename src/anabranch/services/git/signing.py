"""Who commits, and when: what `git var` would say, without a process for each commit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from anabranch.services.git.runner import Git

_FALLBACK: Final = {"NAME": "anabranch", "EMAIL": "anabranch@localhost"}
_ROLES: Final = ("AUTHOR", "COMMITTER")


@frozen(kw_only=True)
class Names:
    """Author and committer of one commit, each with a time."""

    author: bytes
    committer: bytes


@frozen(kw_only=True)
class Signer:
    """Who commits. A date that the environment prescribes stays; else it is the time of day.

    Attributes:
        author, committer: name and address as git has them, `Ada <ada@example.org>`, followed by
            a date if that is prescribed.
    """

    author: bytes
    committer: bytes

    def names(self) -> Names:
        """Author and committer at this moment."""
        offset = time.localtime().tm_gmtoff // 60
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}"
        now = f" {int(time.time())} {zone}".encode()
        return Names(
            author=self.author + (now if self.author.endswith(b">") else b""),
            committer=self.committer + (now if self.committer.endswith(b">") else b""),
        )


def signing(git: Git) -> tuple[Mapping[str, str], Signer]:
    """Who commits, and the variables that say so for whoever has no name or address."""
    lines = {role: git.attempt("var", f"GIT_{role}_IDENT") for role in _ROLES}
    nameless = [role for role, line in lines.items() if line.code != 0]
    missing = _missing(git, nameless)
    if nameless:
        named = git.with_environ(missing)
        lines = {role: named.run("var", f"GIT_{role}_IDENT") for role in _ROLES}
    author, committer = (_name(git, role, line.stdout) for role, line in lines.items())
    return missing, Signer(author=author, committer=committer)


def _name(git: Git, role: str, line: bytes) -> bytes:
    line = line.rstrip(b"\n")
    return line if git.environ.get(f"GIT_{role}_DATE") else line.rsplit(b" ", 2)[0]


def _missing(git: Git, roles: Iterable[str]) -> Mapping[str, str]:
    """Variables for roles without a name: never for what somebody did configure."""
    return {
        f"GIT_{role}_{part}": value
        for role in roles
        for part, value in _FALLBACK.items()
        if not _is_configured(git, role, part)
    }


def _is_configured(git: Git, role: str, part: str) -> bool:
    keys = (f"{role.lower()}.{part.lower()}", f"user.{part.lower()}")
    inherited = git.environ.get(f"GIT_{role}_{part}")
    return bool(inherited) or any(git.attempt("config", "--get", key).text for key in keys)
