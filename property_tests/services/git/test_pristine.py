from __future__ import annotations

import tempfile
from pathlib import Path

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from anabranch.services.git.grounds import Recorded
from anabranch.services.git.pristine import Differences, Record
from anabranch.services.git.trees import Tree
from anabranch.testing.repositories import ScratchRepository
from anabranch.testing.strategies.git import Edits, Files, edited, edits_of, file_trees
from property_tests.services.git.workbench import REAL_GIT, apply


@st.composite
def edited_trees(draw: st.DrawFn) -> tuple[Files, Edits, str | None]:
    files = draw(file_trees())
    edits = draw(edits_of(files))
    directories = sorted({path.rpartition("/")[0] for path in edited(files, edits)})
    return files, edits, draw(st.none() | st.sampled_from(directories or [""]))


def told(found: Differences) -> tuple[set[str], set[str], set[tuple[str, int]]]:
    return set(found.extra), set(found.damaged), set(found.directories)


@REAL_GIT
@given(edited_trees())
def test_a_directory_that_need_not_be_listed_holds_what_a_list_would_show(
    given_: tuple[Files, Edits, str | None],
) -> None:
    files, edits, closed = given_
    with tempfile.TemporaryDirectory() as above:
        tree = ScratchRepository(path=Path(above, "tree"), environ={})
        tree.path.mkdir()
        apply(tree, files)
        record = Recorded.of(Tree(path=str(tree.path), admin="")).record
        assert record.modes.keys() == record.old.keys()
        assert not record.differences(str(tree.path))
        apply(tree, edits)
        if closed is not None:
            (tree.path / closed).chmod(0o711)
        listed: Record = evolve(record, old={})
        found = told(record.differences(str(tree.path)))
        assert told(listed.differences(str(tree.path))) == found
        extra, damaged, _ = found
        assert {path for path, content in edits.items() if path in files and content is None} <= (
            damaged
        )
        assert all(path in files for path in damaged)
        assert bool(edits or closed is not None) == bool(extra or damaged or found[2])
