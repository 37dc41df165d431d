"""The commits that we make: objects, and messages with trailers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from attrs import frozen

from anabranch.environment import Oid

_TRAILER: Final = re.compile(r"[A-Za-z0-9-]+: \S.*|\s+\S.*")


def with_trailers(message: str, trailers: Sequence[tuple[str, str]]) -> str:
    """A commit message with trailers at its end, as `git interpret-trailers` would place them.

    A value of several lines is folded; NUL, which git refuses, becomes visible.

    >>> print(with_trailers("Merge agent-0", [("Anabranch-Agent", "agent-0")]), end="")
    Merge agent-0
    <BLANKLINE>
    Anabranch-Agent: agent-0
    """
    body = message.replace("\0", "\N{SYMBOL FOR NULL}").strip() or "anabranch"
    lines = [f"{name}: {_folded(value)}" for name, value in trailers]
    if not lines:
        return f"{body}\n"
    gap = "\n" if _ends_in_trailers(body) else "\n\n"
    return body + gap + "\n".join(lines) + "\n"


def _folded(value: str) -> str:
    text = value.replace("\0", "\N{SYMBOL FOR NULL}")
    return "\n ".join(line for line in text.splitlines() if line.strip()) or "-"


def _ends_in_trailers(body: str) -> bool:
    above, gap, last = body.rpartition("\n\n")
    return bool(above and gap) and all(map(_TRAILER.fullmatch, last.splitlines()))


@frozen(kw_only=True)
class Commit:
    """A commit object. Names and dates are kept as the bytes they are."""

    tree: str
    parents: tuple[Oid, ...]
    author: bytes
    committer: bytes
    message: str

    @classmethod
    def parse(cls, data: bytes) -> Commit:
        """Read a commit object; a signature is dropped, since it holds for one object only."""
        head, _, body = data.partition(b"\n\n")
        lines = [line.partition(b" ") for line in head.split(b"\n")]
        fields = {name: value for name, _, value in lines}
        return cls(
            tree=fields[b"tree"].decode(),
            parents=tuple(Oid(value.decode()) for name, _, value in lines if name == b"parent"),
            author=fields[b"author"],
            committer=fields[b"committer"],
            message=_decoded(body, fields.get(b"encoding", b"utf-8")),
        )

    def to_bytes(self) -> bytes:
        """The content of the commit object."""
        lines = [
            f"tree {self.tree}".encode(),
            *(f"parent {parent}".encode() for parent in self.parents),
            b"author " + self.author,
            b"committer " + self.committer,
        ]
        return b"\n".join(lines) + b"\n\n" + self.message.encode(errors="surrogateescape")


def _decoded(body: bytes, encoding: bytes) -> str:
    """The message, which is written as UTF-8 again; undecodable bytes stay as they are."""
    with suppress(LookupError, UnicodeDecodeError):
        return body.decode(encoding.decode())
    return body.decode(errors="surrogateescape")
