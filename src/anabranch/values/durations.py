"""Durations: text or seconds in configuration, `timedelta` in Python.

The grammar of units is Go's (`1h30m`, `500ms`); spaces between the parts are allowed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import durationpy

from anabranch.values.errors import ConfigError, Problem

_EXPECTED: Final = "a number of seconds, or text such as `500ms`, `30s`, `1m 30s`, `2h`"


def parse_duration(text: str | float | timedelta) -> timedelta:
    """Read a duration; a bare number is seconds.

    Raises:
        ConfigError: not a duration, or a negative one.

    >>> parse_duration("1m 30s")
    datetime.timedelta(seconds=90)
    >>> parse_duration(0.5)
    datetime.timedelta(microseconds=500000)
    """
    try:
        result = _parse(text)
        negative = result < timedelta()
    except (ValueError, TypeError, OverflowError, durationpy.DurationError):
        raise _refused(text) from None
    if negative:
        raise _refused(text)
    return result


def _parse(text: str | float | timedelta) -> timedelta:
    match text:
        case timedelta():
            return text
        case bool():
            raise ValueError
        case int() | float():
            return timedelta(seconds=text)
        case str():
            compact = "".join(text.split())
            try:
                return timedelta(seconds=float(compact))
            except ValueError:
                return durationpy.from_str(compact)


def _refused(text: object) -> ConfigError:
    return ConfigError(
        Problem(code="bad-duration", message="not a duration", value=repr(text), expected=_EXPECTED)
    )


def format_duration(duration: timedelta) -> str:
    """Write a duration for people: whole seconds, at most two units, hours never carried to days.

    >>> format_duration(timedelta(seconds=125)), format_duration(timedelta(hours=24))
    ('2m 5s', '24h 0m')
    """
    seconds = int(duration.total_seconds())
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m {seconds % 60}s" if minutes else f"{seconds}s"
