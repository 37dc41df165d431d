"""The one tree of errors that users see, split by who can act on them.

An error is data first: a tuple of `Problem`, each with what, where, the offending value,
what was expected and a hint. Its text is made from that data, so the command line, an
API answer and a test all read the same facts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from attrs import field, frozen


class Severity(StrEnum):
    """How bad a problem is: an *error* refuses the input, a *warning* does not."""

    ERROR = "error"
    WARNING = "warning"


@frozen(kw_only=True)
class Location:
    """Where a problem is. Every part is optional; lines and columns count from 1.

    >>> str(Location(file="flow.yml", line=3, column=5, path="map.agent_template[1].shell"))
    'flow.yml:3:5 (map.agent_template[1].shell)'
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        """The form editors make clickable: `file:line:column (path)`."""
        numbers = (str(n) for n in (self.line, self.column) if n is not None)
        place = ":".join([*([self.file] if self.file else []), *numbers])
        if not self.path:
            return place
        return f"{place} ({self.path})" if place else self.path


@frozen(kw_only=True)
class Problem:
    """One thing that is wrong, as data.

    Attributes:
        code: stable, kebab-case, for tools (`unknown-key`).
        message: what is wrong, one sentence without a full stop.
        where: file, line, column and path, as far as known.
        value: the offending value as text, if showing it helps.
        expected: what would have been right.
        hint: what to do next ("did you mean `max_parallel`?").
    """

    code: str
    message: str
    where: Location = field(factory=Location)
    value: str | None = None
    expected: str | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """One problem as the user reads it, over one to four lines."""
        place = str(self.where)
        head = f"{place}: {self.message}" if place else self.message
        lines = [head if self.value is None else f"{head}: {self.value}"]
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.hint is not None:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class AnabranchError(Exception):
    """The root of every error that anabranch raises on purpose.

    Attributes:
        problems: everything that is wrong, in the order of the input; never empty.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    @classmethod
    def of(
        cls, code: str, message: str, *, value: str | None = None, hint: str | None = None
    ) -> Self:
        """Make an error of one problem that has no place in a file."""
        return cls(Problem(code=code, message=message, value=value, hint=hint))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class ConfigError(AnabranchError):
    """The workflow file is wrong; its author can mend it (exit code 2)."""

    exit_code = 2


class UsageError(AnabranchError):
    """The call is wrong: command line or API arguments (exit code 2)."""

    exit_code = 2


class HostError(AnabranchError):
    """The machine or the repository is not fit for it: git missing, no space (exit code 3)."""

    exit_code = 3


class RunError(AnabranchError):
    """A run went to its end and something in it failed (exit code 1)."""

    exit_code = 1
