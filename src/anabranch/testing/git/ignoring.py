"""Which files git looks away from: the `.gitignore` at the top of a tree, in its simple forms."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from attrs import frozen

from anabranch.testing.git.faults import NotModelled
from anabranch.testing.git.objects import Tree

IGNORE_FILE: Final = ".gitignore"
ATTRIBUTES_FILE: Final = ".gitattributes"
Ignores: TypeAlias = Callable[[str], bool]


@frozen
class _Pattern:
    """A line of a `.gitignore`: a name with wildcards, perhaps at the top, perhaps a directory."""

    glob: str
    anchored: bool
    directory: bool

    def fits(self, path: str) -> bool:
        parts = path.split("/")
        last = len(parts) - self.directory
        candidates = parts[: min(last, 1)] if self.anchored else parts[:last]
        return any(fnmatchcase(part, self.glob) for part in candidates)


def ignores(files: Tree) -> Ignores:
    r"""What says of a path whether it is ignored.

    >>> from anabranch.testing.git.objects import Entry
    >>> ignored = ignores({".gitignore": Entry(b"*.log\n/build/\n")})
    >>> [ignored(path) for path in ("a/b.log", "build/x", "a/build/x", "c")]
    [True, True, False, False]

    Raises:
        NotModelled: a pattern of the harder sort, or a `.gitignore` below the top.
    """
    if any(path.endswith(f"/{IGNORE_FILE}") for path in files):
        raise NotModelled(f"a {IGNORE_FILE} below the top of the tree")
    entry = files.get(IGNORE_FILE)
    lines = [] if entry is None else entry.data.decode().splitlines()
    patterns = [_pattern(line) for line in lines if line.strip() and not line.startswith("#")]
    return lambda path: any(pattern.fits(path) for pattern in patterns)


def _pattern(line: str) -> _Pattern:
    glob = line.removesuffix("/").removeprefix("/")
    if line != line.strip() or set(line) & set("!\\[]") or "**" in line or "/" in glob:
        raise NotModelled(f"a pattern in {IGNORE_FILE}: {line!r}")
    return _Pattern(glob, anchored=line.startswith("/"), directory=line.endswith("/"))
