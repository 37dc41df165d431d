"""Taking things away: out of sight by one rename, then deleted at leisure.

Whoever looks sees a whole tree or none. A process that still writes into the tree cannot make
the path exist again, and a `kill -9` in the middle leaves rubbish in a place for rubbish.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.services.git.threads import step_aside

TRASH: Final = ".trash"

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says where there is no room."""


@frozen
class Mount:
    """A file system in the tree of files: where, of which kind, and made of what."""

    point: str
    kind: str
    options: tuple[str, ...]


def mounts() -> list[Mount]:
    """What is mounted; nothing where the system does not say."""
    with suppress(OSError):
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
        return [_mount(line) for line in lines]
    return []


def _mount(line: bytes) -> Mount:
    before, _, after = line.partition(b" - ")
    point = os.fsdecode(_unescaped(before.split(b" ")[4]))
    kind, _, options = after.split(b" ", 2)
    return Mount(point, kind.decode(), tuple(os.fsdecode(_unescaped(options)).split(",")))


def mount_points_below(path: str) -> list[str]:
    """What is mounted inside a directory: deleting would reach through to it."""
    return [mount.point for mount in mounts() if mount.point.startswith(f"{path}/")]


def _unescaped(field: bytes) -> bytes:
    for code, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        field = field.replace(code, char)
    return field


def put_away(path: str, trash: str) -> str | None:
    """Rename a directory or file into a trash directory on the same file system.

    Where the disk is too full for a directory more, it is deleted where it is, which makes room.

    Returns:
        Where it is now, for `delete`; `None` if there was nothing, or is nothing any more.
    """
    target = os.path.join(trash, uuid.uuid4().hex)
    while os.path.lexists(path):
        # `delete` of another thread may take the empty trash directory away in between.
        with suppress(FileExistsError):
            if not _made(trash):
                erase(path)
                return None
        with suppress(FileNotFoundError):
            os.rename(path, target)
            return target
    return None


def _made(directory: str) -> bool:
    """Make a directory; `False` if there is no room for it."""
    try:
        os.makedirs(directory)
    except OSError as error:
        if error.errno in FULL:
            return False
        raise
    return True


def delete(path: str) -> None:
    """Delete what was put away, and the trash directory with it if it is empty then."""
    erase(path)
    with suppress(OSError):
        os.rmdir(os.path.dirname(path))


def erase(path: str) -> None:
    """Delete a file or a tree, read-only directories included. What cannot go stays."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError:
        if os.path.isdir(path) and not os.path.islink(path):
            step_aside()
            shutil.rmtree(path, onerror=_make_way)
        else:
            _make_way(os.unlink, path, None)


def _make_way(function: Callable[..., object], path: str, _: object) -> None:
    """Try once more with the directories writable: read-only ones refuse to lose their files."""
    with suppress(OSError):
        for directory in (os.path.dirname(path), path):
            if os.path.isdir(directory) and not os.path.islink(directory):
                os.chmod(directory, os.stat(directory).st_mode | stat.S_IRWXU)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=function is os.rmdir)
        else:
            os.unlink(path)
