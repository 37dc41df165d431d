"""Secrets, kept out of everything that is shown or stored.

Two kinds are recognised: values that were declared secret, and texts that have the form of
well-known credentials (`patterns.py`). Each becomes `***`, whatever it is part of.

A declared value is looked for as it is, in its usual disguises (escaped for JSON, quoted for
a URL, in base64), and line by line if it has several. One of four to seven characters is only
masked where it stands alone, so that a password such as `test` does not blot out `tests/` and
`/src/test/a.py`; one that is shorter still cannot be told from ordinary text and is left.

Streams are masked in pieces: what might be the beginning of a secret is held back until the
rest has come, so the result does not depend on where the pieces end.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Self, TypeAlias, TypeVar, get_args
from urllib.parse import quote

from attrs import evolve, field, fields, frozen

from anabranch.lifecycle.events import Payload
from anabranch.lifecycle.patterns import ANY_HINT, KEY_BEGIN, PATTERNS
from anabranch.values import AnabranchError, Json, Masked, Problem

STARS: Final = b"***"

E = TypeVar("E", bound=AnabranchError)

_SHORTEST: Final = 4
_SHORTEST_ANYWHERE: Final = 8
_LONGEST_LINE: Final = 1 << 16
_LONGEST_TOKEN: Final = 1 << 13
_TEXT: Final = re.compile(r"\b(?:str|Json)\b")
_LINE_END: Final = re.compile(rb"[\r\n]")
_ALONE: Final = rb"(?<![\w./\\-])%s(?![\w./\\-])"

_Find: TypeAlias = tuple[int, int, tuple[int, int]]
"""Where a form begins and ends, and where the secret in it does."""


@frozen
class Masker:
    """What is secret.

    >>> masker = Masker.of(["correct horse"])
    >>> masker.text("the battery: correct horse, and https://me:staple@example.org")
    'the battery: ***, and https://***@example.org'
    """

    anywhere: tuple[bytes, ...] = ()
    alone: tuple[re.Pattern[bytes], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, values: Iterable[str]) -> Self:
        """Make one for declared values, besides the usual patterns."""
        forms = {form for value in values for form in _forms(value)}
        ranked = sorted(forms, key=lambda form: (-len(form), form))
        return cls(
            tuple(form for form in ranked if _is_distinct(form)),
            tuple(re.compile(_ALONE % re.escape(f)) for f in ranked if not _is_distinct(f)),
        )

    def text(self, text: str) -> Masked:
        """A text without its secrets."""
        data = text.encode(errors="surrogatepass")
        if not self._may_hold_any(data):
            return Masked(text)
        return Masked(self.data(data).decode(errors="surrogatepass"))

    def data(self, data: bytes) -> bytes:
        """Bytes without their secrets."""
        return _starred(data, self._found(data))

    def json(self, value: Json) -> Json:
        """A value of JSON without the secrets in its texts and keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return type(value)(map(self.json, value))
        if isinstance(value, Mapping):
            return {self.text(key): self.json(inner) for key, inner in value.items()}
        return value

    def payload(self, payload: Payload) -> Payload:
        """An event's payload without the secrets in what it says; ids stay as they are."""
        changed: dict[str, Any] = {}
        for name in _SAID[type(payload)]:
            old = getattr(payload, name)
            if old and (new := self.json(old)) != old:
                changed[name] = new
        whole: Any = payload
        masked: Payload = evolve(whole, **changed) if changed else payload
        return masked

    def problem(self, problem: Problem) -> Problem:
        """A problem without the secrets in what it says."""
        return evolve(
            problem,
            message=self.text(problem.message),
            value=problem.value and self.text(problem.value),
            expected=problem.expected and self.text(problem.expected),
            hint=problem.hint and self.text(problem.hint),
        )

    def error(self, error: E) -> E:
        """An error without the secrets in what it says."""
        return type(error)(*map(self.problem, error.problems))

    def feed(self, held: Held, piece: bytes) -> tuple[bytes, Held]:
        """Go on with a stream.

        Returns:
            What can be shown, and what has to be held back until more comes.
        """
        data = held.before + held.data + piece
        found = self._found(data)
        cut = max(self._cut(data, found), len(held.before))
        shown = _starred(data, found, len(held.before), cut)
        return shown, Held(data[cut:], data[cut - 1 : cut])

    def flush(self, held: Held) -> bytes:
        """What was held back, when nothing more comes."""
        data = held.before + held.data
        return _starred(data, self._found(data), len(held.before))

    def _may_hold_any(self, data: bytes) -> bool:
        """One look, which is enough for nearly every text: `False` if no secret is in it."""
        if ANY_HINT.search(data) is not None:
            return True
        return any(map(data.__contains__, self.anywhere)) or any(p.search(data) for p in self.alone)

    def _found(self, data: bytes) -> list[_Find]:
        """Every secret, by where its form begins."""
        return sorted([*self._declared(data), *_usual(data)])

    def _declared(self, data: bytes) -> Iterator[_Find]:
        for secret in self.anywhere:
            start = data.find(secret)
            while start >= 0:
                span = start, start + len(secret)
                yield *span, span
                start = data.find(secret, start + 1)
        for pattern in self.alone:
            yield from ((*match.span(), match.span()) for match in pattern.finditer(data))

    def _cut(self, data: bytes, found: Sequence[_Find]) -> int:
        """How much can be shown: whole lines, without what may still become a secret."""
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if len(data) - cut > _LONGEST_LINE:
            cut = len(data) - max(_LONGEST_TOKEN, *map(len, self.anywhere[:1]), 0)
        cut = min(cut, *(_begun(data, secret) for secret in self.anywhere), len(data))
        for start, end, _ in reversed(found):
            open_key = data.startswith(KEY_BEGIN, start) and not data[end:cut].strip()
            if start < cut and (end > cut or open_key):
                cut = start
        most = 2 * max(_LONGEST_LINE, *map(len, self.anywhere[:1]), 0)
        return cut if len(data) - cut <= most else len(data)


@frozen
class Held:
    """What is held back of a stream; begin with an empty one.

    Attributes:
        data: bytes that were not shown yet.
        before: the last byte that was.
    """

    data: bytes = b""
    before: bytes = b""


NAMES: Final = frozenset(
    {
        *("run", "digest", "branch", "base", "target", "parent", "source", "limits"),
        *("host", "boot", "process_started", "version", "subject", "phase", "needs", "uses"),
        *("worker", "upstream", "key", "fault", "log", "name", "verdict", "model", "session"),
        *("path", "commit", "before", "type"),
    }
)
"""The fields of payloads that name something which the rest of the run must find again.

All other texts are what people or programs said, and are masked.
"""


_SAID: Final[Mapping[type[Payload], tuple[str, ...]]] = {
    kind: tuple(
        each.name
        for each in fields(kind)
        if each.name not in NAMES and _TEXT.search(str(each.type))
    )
    for kind in get_args(Payload)
}
"""The fields of each payload that may hold texts which are no names."""


def _forms(value: str) -> Iterator[bytes]:
    """A declared value, and how it looks where it was quoted."""
    data = value.encode(errors="surrogatepass")
    spoken = [
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        value.replace("'", "'\\''"),
        quote(data, safe=""),
        b64encode(data).decode().rstrip("="),
    ]
    lines = [line.strip() for line in value.splitlines() if not line.startswith("-----")]
    spoken += [line for line in lines if len(line) >= _SHORTEST_ANYWHERE]
    encoded = (form.encode(errors="surrogatepass") for form in spoken)
    return (form for form in encoded if len(form) >= _SHORTEST)


def _is_distinct(form: bytes) -> bool:
    """Whether a form is masked wherever it is: it is long, or has several lines."""
    return len(form) >= _SHORTEST_ANYWHERE or _LINE_END.search(form) is not None


def _usual(data: bytes) -> Iterator[_Find]:
    for pattern in PATTERNS if ANY_HINT.search(data) else ():
        if any(hint in data for hint in pattern.hints):
            for match in pattern.regex.finditer(data):
                yield *match.span(), match.span(pattern.group)


def _begun(data: bytes, secret: bytes) -> int:
    """Where a secret of several lines may have begun at the end of the data."""
    if _LINE_END.search(secret):
        for start in range(max(len(data) - len(secret) + 1, 0), len(data)):
            if secret.startswith(data[start:]):
                return start
    return len(data)


def _starred(data: bytes, found: Sequence[_Find], start: int = 0, end: int | None = None) -> bytes:
    """From start to end with stars for secrets, of which none lies across the end."""
    end = len(data) if end is None else end
    pieces: list[bytes] = []
    for first, last in sorted(span for _, _, span in found):
        if first >= end or last <= start:
            continue
        if first >= start:
            pieces += (data[start:first], STARS)
        start = max(start, last)
    return b"".join([*pieces, data[start:end]])
