"""Where a port's error ends the whole run: as an error for the user."""

from __future__ import annotations

from typing import TypeAlias

from anabranch.effects import Effect, succeed
from anabranch.effects.work import record
from anabranch.environment import (
    FileError,
    JournalError,
    MapEnv,
    MergeError,
    WorktreeError,
)
from anabranch.lifecycle import Payload
from anabranch.values import HostError

PortError: TypeAlias = WorktreeError | MergeError | JournalError | FileError


def fatal(error: PortError) -> HostError:
    """The error of a port as one that the user can act on."""
    hint = None if isinstance(error, FileError) else error.hint
    code = type(error).__name__.removesuffix("Error").lower()
    return HostError.of(f"{code}-failed", str(error), hint=hint)


def note(*payloads: Payload) -> Effect[None, HostError, MapEnv]:
    """Write what happened to the journal, if anything did; a run that cannot is over."""
    return succeed(None) if not payloads else record(*payloads).map_error(fatal).as_(None)
