"""Real git, given what the model has, and asked for the same."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from anabranch.environment import Conflict, Oid
from anabranch.services.git.conflicts import MergedTree, read_merge
from anabranch.testing.git.objects import Objects
from anabranch.testing.repositories import ScratchRepository, git_repo


@contextmanager
def scratch() -> Generator[ScratchRepository]:
    """A repository of its own, gone at the end."""
    above = tempfile.mkdtemp()
    try:
        yield git_repo(Path(above, "shop"))
    finally:
        shutil.rmtree(above)


def export(repo: ScratchRepository, objects: Objects) -> None:
    """Give real git every commit of the model, under the same ids."""
    refs = {oid: f"refs/scratch/{number}" for number, oid in enumerate(objects.commits)}
    stream = b"".join(_exported(objects, oid, refs) for oid in refs)
    repo.output("fast-import", "--quiet", "--force", stdin=stream)
    listed = repo.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/scratch")
    assert {f"{oid} {ref}" for oid, ref in refs.items()} <= set(listed.splitlines())


def _exported(objects: Objects, oid: Oid, refs: dict[Oid, str]) -> bytes:
    commit = objects.commits[oid]
    message = commit.message.encode()
    lines = [b"commit %s\n" % refs[oid].encode(), b"author %s\n" % commit.author]
    lines += [b"committer %s\n" % commit.committer, b"data %d\n%s" % (len(message), message)]
    lines += [
        f"{'merge' if second else 'from'} {refs[parent]}\n".encode()
        for second, parent in enumerate(commit.parents)
    ]
    lines.append(b"deleteall\n")
    for path, entry in objects.tree(oid).items():
        quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        head = os.fsencode(f'M {entry.mode} inline "{quoted}"\n')
        lines.append(head + b"data %d\n%s\n" % (len(entry.data), entry.data))
    return b"".join(lines)


def merged(repo: ScratchRepository, ours: Oid, theirs: Oid) -> MergedTree:
    """What git makes of two commits."""
    try:
        output, clean = repo.output("merge-tree", "--write-tree", "-z", ours, theirs), True
    except AssertionError as failed:
        output, clean = os.fsencode(str(failed)), False
    return read_merge(iter(output.split(b"\0")), clean=clean)


def conflicts(repo: ScratchRepository, tree: MergedTree, *sides: Oid) -> dict[str, Conflict]:
    """The conflicts by path, with both sides; a file that git moved aside is where it was."""
    asides = re.compile(rf"~({'|'.join(sides)})(_\d+)?$")
    found: dict[str, Conflict] = {}
    for clash in tree.clashes or ():
        path = asides.sub("", clash.path)
        had = found.get(path, Conflict(path=path))
        ours = had.ours if clash.ours is None else blob(repo, clash.ours.oid)
        theirs = had.theirs if clash.theirs is None else blob(repo, clash.theirs.oid)
        found[path] = Conflict(path=path, kind=clash.kind, ours=ours, theirs=theirs)
    return found


def blob(repo: ScratchRepository, oid: str) -> bytes:
    return repo.output("cat-file", "blob", oid)
