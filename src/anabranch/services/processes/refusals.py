"""Why a process could not be started, told so that its author can mend it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Final

from anabranch.environment import CommandFault
from anabranch.services.processes.child import Refusal, Start

_HINTS: Final = {
    errno.EACCES: "is it executable (`chmod +x`), and may you enter its directory?",
    errno.ENOEXEC: "a script needs a first line such as `#!/bin/sh`",
    errno.E2BIG: "arguments and environment are too long together: pass the text on stdin",
    errno.EAGAIN: "too many processes: see `ulimit -u`",
    errno.EMFILE: "too many open files: see `ulimit -n`",
}


def refused(start: Start, number: int) -> Refusal:
    """Explain an error number of the operating system, such as `errno.ENOENT`."""
    program, cwd, path = start.argv[0], start.cwd, os.fsdecode(start.env.get(b"PATH", b""))
    if not Path(cwd).is_dir():
        return _not_started(f"no such directory: {cwd}", None)
    missing = number in {errno.ENOENT, errno.ENOTDIR}
    if missing and not _exists(program, cwd, path):
        return Refusal(
            fault=CommandFault.NOT_FOUND,
            message=f"command not found: {program}",
            hint=None if "/" in program else f"it is on no directory of PATH: {path or '(empty)'}",
        )
    if "/" in program and Path(cwd, program).is_dir():
        return _not_started(f"cannot run {program}: it is a directory", None)
    hint = "the program that its first line names is missing" if missing else _HINTS.get(number)
    return _not_started(f"cannot run {program}: {os.strerror(number)}", hint)


def _exists(program: str, cwd: str, path: str) -> bool:
    if "/" in program:
        return Path(cwd, program).exists()
    return shutil.which(program, path=path) is not None


def out_of(error: OSError) -> Refusal:
    """Explain why not even an attempt could be made, such as too many open files."""
    hint = _HINTS.get(error.errno or 0)
    return _not_started(f"cannot start a process: {error.strerror}", hint)


def unspeakable(reason: str) -> Refusal:
    """The request itself is nonsense, such as an argument with a NUL in it."""
    return _not_started(f"cannot run: {reason}", None)


def _not_started(message: str, hint: str | None) -> Refusal:
    return Refusal(fault=CommandFault.NOT_STARTED, message=message, hint=hint)
