"""What does not fit into the environment of a command reaches it in files."""

from __future__ import annotations

import stat
from pathlib import Path

import anyio
import pytest
from attrs import define
from returns.result import Failure, Result, Success

from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    Invocation,
    OutputListener,
)
from anabranch.services.processes import HandingFiles

CALL = Invocation(
    argv=("sh", "-c", "."), cwd="/", files={"script.sh": b"echo hi"}, files_variable="WHERE"
)


@define
class Inner:
    """Runs nothing, and remembers what it was asked and found."""

    asked: Invocation | None = None
    modes: tuple[int, ...] = ()
    found: bytes = b""

    def look(self, place: Path) -> None:
        self.found = (place / "script.sh").read_bytes()
        self.modes = (stat.S_IMODE(place.stat().st_mode),)

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        del listener
        self.asked = invocation
        if "WHERE" in invocation.env:
            self.look(Path(invocation.env["WHERE"]))
        return Success(CommandOutput(exit_code=0))


def run(inner: Inner, call: Invocation, directory: Path) -> Result[CommandOutput, CommandError]:
    return anyio.run(HandingFiles(inner, str(directory)).run, call)


def test_a_command_finds_its_files_in_a_private_directory_that_goes_with_it(tmp_path: Path) -> None:
    inner = Inner()
    assert Success(CommandOutput(exit_code=0)) == run(inner, CALL, tmp_path)
    assert (b"echo hi", (0o700,)) == (inner.found, inner.modes)
    assert inner.asked is not None
    assert {} == inner.asked.files
    assert [] == list(tmp_path.iterdir())


def test_a_command_without_files_is_run_as_it_is(tmp_path: Path) -> None:
    inner, bare = Inner(), Invocation(argv=("true",), cwd="/")
    run(inner, bare, tmp_path)
    assert bare is inner.asked


@pytest.mark.parametrize(
    ("directory", "name"),
    [("missing", "script.sh"), (".", "no/such/directory/script.sh")],
)
def test_files_that_cannot_be_written_fail_the_command_and_nothing_else(
    tmp_path: Path, directory: str, name: str
) -> None:
    inner = Inner()
    call = Invocation(argv=("sh",), cwd="/", files={name: b"x"}, files_variable="WHERE")
    result = run(inner, call, tmp_path / directory)
    assert isinstance(result, Failure)
    assert CommandFault.NOT_STARTED is result.failure().fault
    assert "its values could not be written to a file" in result.failure().message
    assert inner.asked is None
    assert [] == list(tmp_path.iterdir())
