"""What commands inherit: encoded, checked and written down once, not again for each of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import final

_ILLEGAL = "illegal environment variable name"


@final
class Inherited:
    """An environment that many commands begin with.

    Attributes:
        variables: by name, encoded.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.variables = encoded(env)

    @cached_property
    def block(self) -> bytes:
        """All of it as a warden is told.

        Raises:
            ValueError: a name or a value is none.
        """
        written = b"\0".join(entries(checked(self.variables)))
        if written.count(b"\0") >= max(len(self.variables), 1):
            raise ValueError("embedded null byte")
        return written


def entries(env: Mapping[bytes, bytes]) -> list[bytes]:
    """An environment as `execve` takes it."""
    return [name + b"=" + value for name, value in env.items()]


def encoded(env: Mapping[str, str]) -> dict[bytes, bytes]:
    """An environment as the system has it."""
    return {os.fsencode(name): os.fsencode(value) for name, value in env.items()}


def checked(env: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """The same environment.

    Raises:
        ValueError: a name is none.
    """
    if not all(env) or b"=" in b"".join(env):
        raise ValueError(_ILLEGAL)
    return env
