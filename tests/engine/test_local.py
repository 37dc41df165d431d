"""Effects in a repository of this machine, run from ordinary code."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Never

import pytest
from returns.result import Result, Success

from anabranch import from_function
from anabranch.effects import Effect
from anabranch.engine import run_in_repository
from anabranch.testing.repositories import ScratchRepository, git_repo


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    return git_repo(tmp_path / "project", {"README": "hello\n"})


def test_what_an_effect_raises_comes_out_as_it_is(repository: ScratchRepository) -> None:
    defect = ZeroDivisionError("a defect")

    def broken(_: object) -> Result[None, Never]:
        raise defect

    with pytest.raises(ZeroDivisionError) as raised:
        run_in_repository(from_function(broken).span("the third step"), str(repository.path))
    assert defect is raised.value
    assert ["in the third step"] == defect.__notes__


def test_an_effect_is_run_in_any_thread(repository: ScratchRepository) -> None:
    def thread(_: object) -> Result[str, Never]:
        return Success(threading.current_thread().name)

    effect: Effect[str, Never, object] = from_function(thread)
    found: list[Result[str, Never]] = []
    helper = threading.Thread(
        target=lambda: found.append(run_in_repository(effect, str(repository.path))),
        name="helper",
    )
    helper.start()
    helper.join()
    assert [Success("helper")] == found
