"""Git's index file: the entries' stat data replaced, everything else left as it is.

A tree that was copied from another needs that tree's index with its own files' times and
inodes; otherwise the first `git status` in it reads every file again. The layout is that of
git's `Documentation/gitformat-index.txt`, versions 2 and 3.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from typing import Final

_HEAD: Final = struct.Struct(">4sII")
_STAT: Final = struct.Struct(">10I")
_WORD: Final = 0xFFFFFFFF
_EXTENDED: Final = 0x4000
_SKIPPED: Final = 0x4000
_UNKNOWN: Final = frozenset({b"link", b"sdir"})
_PER_SECOND: Final = 1_000_000_000
_SHA1_DIGITS: Final = 40


def restamped(data: bytes, digits: int, look: Callable[[bytes], os.stat_result]) -> bytes | None:
    """The index with fresh stat data.

    Arguments:
        data: the file.
        digits: the length of an object id in hexadecimal.
        look: the state of a file, by the path that the index has for it.

    Returns:
        The new file; `None` if this one has a layout that is not understood here.
    """
    size = digits // 2
    parts = _parts(data, size)
    if parts is None or not _UNKNOWN.isdisjoint(parts):
        return None
    body = bytearray(data[:-size])
    for start, path, skipped, _ in _entries(data, size):
        if not skipped:
            _put(body, start, look(path))
    algorithm = hashlib.sha1 if digits == _SHA1_DIGITS else hashlib.sha256
    skip_hash = not any(data[-size:])
    return bytes(body) + (data[-size:] if skip_hash else algorithm(body).digest())


def tree_of_index(data: bytes, digits: int) -> str | None:
    """The tree that an index holds, if it says so itself, as it does after a commit.

    Arguments:
        data: the file.
        digits: the length of an object id in hexadecimal.
    """
    cached = (_parts(data, digits // 2) or {}).get(b"TREE", b"")
    head, _, rest = cached.partition(b"\n")
    if not head.startswith(b"\0") or head.startswith(b"\0-"):
        return None
    return rest[: digits // 2].hex()


def _parts(data: bytes, size: int) -> dict[bytes, bytes] | None:
    """What follows the entries, by signature; `None` for another version of the layout."""
    signature, version, _ = _HEAD.unpack_from(data)
    if signature != b"DIRC" or version not in {2, 3}:
        return None
    at, found = _HEAD.size, dict[bytes, bytes]()
    for _, _, _, at in _entries(data, size):  # noqa: B007 - where the last one ends
        pass
    while at < len(data) - size:
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        found[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        at += 8 + length
    return found


def _entries(data: bytes, size: int) -> Iterator[tuple[int, bytes, bool, int]]:
    """Start, path, whether it has no file (sparse checkout), and end of each entry."""
    at, count = _HEAD.size, _HEAD.unpack_from(data)[2]
    for _ in range(count):
        flags_at = at + _STAT.size + size
        flags = int.from_bytes(data[flags_at : flags_at + 2], "big")
        extended = bool(flags & _EXTENDED)
        name_at = flags_at + (4 if extended else 2)
        more = int.from_bytes(data[flags_at + 2 : flags_at + 4], "big") if extended else 0
        name_end = data.index(b"\0", name_at)
        end = at + ((name_end - at) // 8 + 1) * 8
        yield at, data[name_at:name_end], bool(more & _SKIPPED), end
        at = end


def _put(body: bytearray, at: int, seen: os.stat_result) -> None:
    """Times, device, inode, owner and size; the mode stays as it was committed."""
    mode = int.from_bytes(body[at + 24 : at + 28], "big")
    _STAT.pack_into(
        body,
        at,
        seen.st_ctime_ns // _PER_SECOND & _WORD,
        seen.st_ctime_ns % _PER_SECOND,
        seen.st_mtime_ns // _PER_SECOND & _WORD,
        seen.st_mtime_ns % _PER_SECOND,
        seen.st_dev & _WORD,
        seen.st_ino & _WORD,
        mode,
        seen.st_uid & _WORD,
        seen.st_gid & _WORD,
        seen.st_size & _WORD,
    )
