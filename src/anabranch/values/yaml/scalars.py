"""What a plain scalar means: the core schema of YAML 1.2.2, section 10.3.2.

`yes`, `on` and `014` are what they look like: two words and the number fourteen.
"""

from __future__ import annotations

import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DECIMAL = re.compile(r"[-+]?[0-9]{1,300}\Z")
_PREFIXED = re.compile(r"(0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)\Z")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})


def resolve(text: str) -> bool | float | str | None:
    """The value that an unquoted scalar stands for.

    >>> [resolve(t) for t in ("on", "014", "0o14", "1e3", "true", "~", "1.2.3")]
    ['on', 14, 12, 1000.0, True, None, '1.2.3']
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    return _number(text)


def _number(text: str) -> float | str:
    if _DECIMAL.match(text):
        return int(text)
    if _PREFIXED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    if _INFINITE.match(text):
        return float(text.replace(".", ""))
    return float("nan") if text in _NOT_A_NUMBER else text
