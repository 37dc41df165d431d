"""The usual forms of credentials, narrow enough to leave paths and source code alone.

A form is either unmistakable by its beginning (`ghp_…`, `AKIA…`, a private key's header) or by
the name it is assigned to. Long runs of letters and digits are none: commit ids, checksums and
paths look the same. Sources: the documentation of each issuer of the token.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from attrs import frozen

KEY_BEGIN: Final = b"-----BEGIN "
"""How a block begins that may go on over many lines."""


@frozen
class Pattern:
    """A form of credentials.

    Attributes:
        hints: one of these is in every text that has it; looking for them is fast.
        regex: the form; its group `secret`, or all of it if there is none, is masked.
    """

    hints: tuple[bytes, ...]
    regex: re.Pattern[bytes]

    @property
    def group(self) -> int | str:
        """What of a match is secret."""
        return "secret" if "secret" in self.regex.groupindex else 0


def _token(body: bytes, *beginnings: bytes) -> Pattern:
    starts = b"|".join(map(re.escape, beginnings))
    return Pattern(beginnings, re.compile(rb"(?<![A-Za-z0-9_-])(?:%s)%s" % (starts, body)))


_BREAK = rb"[ \t]*(?:(?:\\r|\\n|\r|\n)[ \t]*)+"
_NAME = rb"(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY)"
_NO_PATH = rb"(?![~.]{0,2}/|[\w.-]+(?:/[\w.-]+)+(?![\w/+=]))"
_QUOTED = rb"\"(?P<secret>[^\"\\\s*$]{4,})\""

_LAST: Final = ((b"rR", b"dD"), (b"wW", b"dD"), (b"eE", b"tT"), (b"eE", b"nN"), (b"eE", b"yY"))
"""The last two letters of the names that a quoted secret may have, in any case."""

PATTERNS: Final = (
    _token(rb"[A-Za-z0-9]{36,}", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    _token(rb"[A-Za-z0-9_]{40,}", b"github_pat_"),
    _token(rb"[A-Za-z0-9_-]{20,}", b"glpat-", b"sk-ant-", b"sk-proj-", b"dckr_pat_", b"pypi-AgE"),
    _token(rb"[A-Za-z0-9]{30,}", b"sk-", b"npm_", b"hf_"),
    _token(rb"[A-Za-z0-9]{16,}", b"sk_live_", b"sk_test_", b"rk_live_"),
    _token(rb"[A-Za-z0-9-]{10,}", b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-"),
    _token(rb"[0-9A-Z]{16}(?![0-9A-Za-z])", b"AKIA", b"ASIA"),
    _token(rb"[0-9A-Za-z_-]{35}", b"AIza"),
    _token(rb"[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}", b"eyJ"),
    Pattern(
        (b"://",),
        re.compile(rb"://(?P<secret>[^\s/?#@:*\"'<>${}]*:[^\s/?#@*\"'<>${}]+)(?=@)"),
    ),
    Pattern(
        (b"uthorization", b"UTHORIZATION"),
        re.compile(rb"(?i:authorization[\"']?\s*[:=]\s*[\"']?\w+)[ ]+(?P<secret>[\w.~+/=-]{8,})"),
    ),
    Pattern(
        (b"PASS", b"SECRET", b"TOKEN", b"KEY"),
        re.compile(
            rb"\b[A-Z0-9_]*%s=[\"']?%s(?P<secret>[^\s\"'`$<*&;|,()]{4,})" % (_NAME, _NO_PATH)
        ),
    ),
    Pattern(
        tuple(b'%c%c"' % ends for last in _LAST for ends in product(*last)),
        re.compile(
            rb"(?i:\"[\w-]*(?:password|passwd|secret|token|api[_-]?key)\")\s*:\s*%s" % _QUOTED
        ),
    ),
    Pattern(
        (b"ecret_access_key", b"ECRET_ACCESS_KEY", b"ecretAccessKey"),
        re.compile(
            rb"(?i:secret_?access_?key)[\"']?\s*[:=]\s*[\"']?"
            rb"(?P<secret>[A-Za-z0-9/+=]{40})(?![A-Za-z0-9/+=])"
        ),
    ),
    Pattern(
        (KEY_BEGIN,),
        re.compile(
            rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            rb"(?:%(b)s(?:[A-Za-z0-9+/=]{1,100}|[A-Za-z-]{1,40}: [^\r\n\\]{0,100})"
            rb"(?=\s|\\|[\"']|$))*"
            rb"(?:%(b)s-----END [^-\r\n]{0,60}-----)?" % {b"b": _BREAK}
        ),
    ),
)
"""All forms, in no order that matters."""

ANY_HINT: Final = re.compile(
    b"|".join(re.escape(hint) for pattern in PATTERNS for hint in pattern.hints)
)
"""What every text has that has any of the forms: one look instead of one for each."""
