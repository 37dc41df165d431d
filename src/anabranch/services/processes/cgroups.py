"""Where this process stands in the hierarchy of cgroup v2."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath


def own_cgroup() -> str | None:
    """The directory of this process's cgroup, if version 2 is mounted."""
    with suppress(OSError):
        proc = Path("/proc/self")
        told = ((proc / name).read_bytes() for name in ("cgroup", "mountinfo"))
        return locate(*map(os.fsdecode, told))
    return None


def locate(cgroup: str, mountinfo: str) -> str | None:
    r"""The directory of a cgroup, from what `/proc/self/cgroup` and `mountinfo` say.

    >>> locate("1:cpu:/\n0::/user/me\n", "3 2 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    '/sys/fs/cgroup/user/me'
    """
    paths = [line[3:] for line in cgroup.splitlines() if line.startswith("0::")]
    mounts = [line.split() for line in mountinfo.splitlines() if " - cgroup2 " in line]
    if not paths or not mounts or paths[0].startswith("/.."):
        return None
    with suppress(ValueError):
        return str(PurePosixPath(mounts[0][4]) / PurePosixPath(paths[0]).relative_to(mounts[0][3]))
    return None
