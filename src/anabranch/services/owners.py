"""Who owns something on disk: a process, named so that nobody else ever has the same name.

A process id alone is reused. Together with the moment the process started (in the kernel's
ticks since boot) and the id of that boot it is unique on a machine for ever; with the name of
the machine, everywhere.
"""

from __future__ import annotations

import json
import os
import socket
from enum import StrEnum
from pathlib import Path

from attrs import asdict, frozen

_PROC = Path("/proc")
_ENDED = ("Z", "X", "x")


@frozen(kw_only=True)
class Owner:
    """One process, past or present.

    Attributes:
        host: the name of its machine.
        boot: the id of the boot it lives in; empty where the system has none.
        pid: its process id.
        started: when it started, in ticks since boot; empty where the system does not say.
    """

    host: str
    boot: str
    pid: int
    started: str

    def __str__(self) -> str:
        """The owner for people."""
        return f"process {self.pid} on {self.host}"


class Life(StrEnum):
    """What is known of an owner. `UNKNOWN` is one on another machine."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


def this_process() -> Owner:
    """The process that calls."""
    pid = os.getpid()
    return Owner(host=socket.gethostname(), boot=_boot(), pid=pid, started=_started(pid) or "")


def life_of(owner: Owner) -> Life:
    """Whether that very process, and not one that has its number now, still lives.

    The same boot is the same machine, whatever it calls itself. Where boots have no id, the
    name of the machine has to do.
    """
    boot, host = _boot(), socket.gethostname()
    if owner.boot != boot:
        return Life.DEAD if owner.host == host else Life.UNKNOWN
    if not boot and owner.host != host:
        return Life.UNKNOWN
    return Life.ALIVE if _started(owner.pid) == owner.started else Life.DEAD


def write_owner(owner: Owner) -> bytes:
    """An owner as a line of JSON."""
    return json.dumps(asdict(owner)).encode() + b"\n"


def read_owner(data: bytes) -> Owner | None:
    """What `write_owner` wrote; `None` for anything else.

    >>> me = this_process()
    >>> read_owner(write_owner(me)) == me, read_owner(b"{}")
    (True, None)
    """
    try:
        match json.loads(data):
            case {"host": str(host), "boot": str(boot), "pid": int(pid), "started": str(started)}:
                return Owner(host=host, boot=boot, pid=pid, started=started)
            case _:
                return None
    except ValueError:
        return None


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a living process started; `None` if there is none, or it is but a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None if (_PROC / "self").exists() else _signalled(pid)
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in _ENDED else fields[18]


def _signalled(pid: int) -> str | None:
    """The poorer answer of a system without `/proc`: empty text if the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""
