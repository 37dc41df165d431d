"""What makes two failures alike: everything but what varies from item to item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol, TypeVar

from anabranch.lifecycle.events import CommandEnded
from anabranch.values import Masked

_VARYING: Final = re.compile(
    r"(?:[\w.~-]*/)+[\w.@+-]*"  # paths
    r"|\b[\w-]+\.[a-z]{1,4}\b"  # names of files
    r"|\b[0-9a-f]{7,64}\b"  # commits, checksums
    r"|\d+(?:\.\d+)*"
)


class Signed(Protocol):
    """A failure that has a signature."""

    @property
    def signature(self) -> str:
        """Alike for alike failures."""
        ...


_Failure = TypeVar("_Failure", bound=Signed)


def by_signature(failures: Iterable[_Failure]) -> Mapping[str, tuple[_Failure, ...]]:
    """The same failures, those that are alike together, the largest group first."""
    found: dict[str, list[_Failure]] = {}
    for failure in failures:
        found.setdefault(failure.signature, []).append(failure)
    ranked = sorted(found.items(), key=lambda group: -len(group[1]))
    return {signature: tuple(group) for signature, group in ranked}


def failure_signature(at: str, message: Masked, ended: CommandEnded | None = None) -> str:
    """A text that is alike for alike failures: what varies from item to item is left out.

    Args:
        at: where it happened, such as `step[1]`; empty if in no step.
        message: the error.
        ended: how the command ended that failed, if one did; its last line counts, unless the error
            says the same.

    >>> ended = CommandEnded(subject="s", exit_code=2, fault="exit", tail="no rule for /src/a.c")
    >>> failure_signature("step[0]", Masked("`make a.o` ended with exit code 2"), ended)
    'step[0]: exit code 2: no rule for #'
    """
    said = "" if ended is None else ended.tail.rstrip().rpartition("\n")[2]
    exited = ended is not None and ended.fault == "exit" and ended.exit_code
    what = f"exit code {exited}" if exited else _unvarying(message)
    last = _unvarying(said)
    return ": ".join(part for part in (at, what, "" if last in what else last) if part)


def _unvarying(text: str) -> str:
    return " ".join(_VARYING.sub("#", text).split())
