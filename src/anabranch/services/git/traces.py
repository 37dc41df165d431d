"""What merges left behind on a branch: the trailers by which a resumed run knows them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anabranch.environment import Oid, Trace
from anabranch.services.git.runner import Git

_FORMAT: Final = "%H %P%n%(trailers:only,unfold)"


def traces(git: Git, branch: str, since: str) -> Iterator[Trace]:
    """The commits with trailers that a branch went through since a revision, oldest first."""
    walk = ("log", "-z", "--first-parent", "--reverse", "--no-show-signature", "--no-color")
    ends = (f"{since}^{{commit}}..refs/heads/{branch}", "--")
    listed = git.run(*walk, f"--format={_FORMAT}", "--end-of-options", *ends).text
    for text in filter(None, listed.split("\0")):
        commits, *lines = text.splitlines()
        commit, *parents = commits.split(" ")
        pairs = (line.partition(": ") for line in lines)
        trailers = tuple((name, value) for name, colon, value in pairs if colon)
        if trailers and parents:
            yield Trace(commit=Oid(commit), before=Oid(parents[0]), trailers=trailers)
