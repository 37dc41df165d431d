"""A conflict is laid out in memory as git lays it out, and what comes back is judged alike."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given, settings
from hypothesis import strategies as st

from anabranch.environment import MergeRequest, Oid
from anabranch.testing.git.objects import EXECUTABLE, LINK, Entry, Tree
from anabranch.testing.strategies.repositories import edited_git_trees, line_texts
from property_tests.testing.git.test_repositories import RESULT, START, Worlds

BASE = {path: Entry(text.encode()) for path, text in START.items()}


def put(world: Worlds, name: str, tree: Tree) -> None:
    """Make both working trees of a name hold this, and nothing else."""
    real, model = world.places(name)
    for path in sorted({*model.files} - {*tree}):
        model.delete(path)
        (real.path / path).unlink()
        above = (real.path / path).parent
        while above != real.path and not any(above.iterdir()):
            above.rmdir()
            above = above.parent
    for path, entry in tree.items():
        full = real.path / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.unlink(missing_ok=True)
        if entry.mode == LINK:
            model.link(path, entry.data.decode())
            full.symlink_to(entry.data.decode())
        else:
            model.write(path, entry.data, executable=entry.mode == EXECUTABLE)
            full.write_bytes(entry.data)
            full.chmod(0o755 if entry.mode == EXECUTABLE else 0o644)


def edits() -> st.SearchStrategy[Tree]:
    """Mostly other lines in one file, so that two of them meet; else anything."""
    lines = line_texts(max_size=4).map(lambda text: {**BASE, "a": Entry(text)})
    return st.one_of(lines, lines, edited_git_trees(BASE))


@settings(max_examples=10, deadline=None)
@given(edits(), edits(), st.booleans(), st.data())
def test_a_conflict_is_laid_out_and_its_resolution_is_taken_as_by_git(
    ours: Tree, theirs: Tree, linear: bool, data: st.DataObject
) -> None:
    with ExitStack() as stack:
        world = Worlds()
        stack.callback(world.teardown)
        world.start()
        base = world.model.home.head
        heads: list[Oid] = []
        for name, tree in (("agent-0", ours), ("agent-1", theirs)):
            world.create(name, RESULT, branch=True, again=False)
            put(world, name, tree)
            real, model = world.places(name)
            heads.append(model.commit())
            assert heads[-1] == real.commit()
        first = MergeRequest(target=RESULT, source=heads[0], base=base, message="One")
        world.both(lambda _, merges, __: merges.merge(first))
        world.resolve_between(heads[1], base, data, linear=linear)
        world.the_branches_are_the_same()
        world.the_trees_hold_the_same()
