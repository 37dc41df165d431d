"""What the system says when it will not write, as faults of the journal."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from anabranch.environment import JournalError, JournalFault
from anabranch.values import HostError, Location, Problem

_FAULTS: Final = {
    errno.ENOSPC: JournalFault.NO_SPACE,
    errno.EDQUOT: JournalFault.NO_SPACE,
    errno.EFBIG: JournalFault.NO_SPACE,
    errno.EROFS: JournalFault.READ_ONLY,
    errno.EACCES: JournalFault.READ_ONLY,
    errno.EPERM: JournalFault.READ_ONLY,
}
_HINTS: Final = {
    JournalFault.NO_SPACE: "make room, then `anabranch resume`",
    JournalFault.READ_ONLY: "make the directory writable for you, or choose another repository",
    JournalFault.IO: "look at the disk, then `anabranch resume`",
}


def unwritten(path: Path, error: OSError) -> JournalError:
    """A system's error as what became of the events: they are not in the journal."""
    fault = _FAULTS.get(error.errno or 0, JournalFault.IO)
    message = f"cannot write the journal {path}: {error.strerror or error}"
    return JournalError(fault=fault, message=message, hint=_HINTS[fault])


def unopened(path: Path, error: OSError) -> HostError:
    """A system's error as the reason why a journal cannot be opened at all."""
    told = unwritten(path, error)
    where = Location(file=str(path))
    code = f"journal-{told.fault.value.replace('_', '-')}"
    return HostError(Problem(code=code, message=told.message, where=where, hint=told.hint))
