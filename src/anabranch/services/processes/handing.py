"""Files that a command is handed at its start, because they do not fit into its environment."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import anyio
from attrs import evolve, frozen
from returns.result import Failure, Result

from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    CommandRunner,
    Invocation,
    OutputListener,
)


@frozen
class HandingFiles:
    """A `CommandRunner` around another: it writes `Invocation.files` and takes them away again.

    Args:
        inner: runs the command itself.
        directory: where private directories are made; `None` is the system's temporary one.
    """

    inner: CommandRunner
    directory: str | None = None

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run the command with its files, if it has any, in a directory of their own."""
        if not invocation.files:
            return await self.inner.run(invocation, listener)
        try:
            place = Path(mkdtemp(prefix="anabranch-", dir=self.directory))
        except OSError as error:
            return _unwritten(invocation, error)
        try:
            for name, data in invocation.files.items():
                await anyio.Path(place, name).write_bytes(data)
        except OSError as error:
            return _unwritten(invocation, error)
        else:
            env = {**invocation.env, invocation.files_variable: str(place)}
            return await self.inner.run(evolve(invocation, env=env, files={}), listener)
        finally:
            rmtree(place, ignore_errors=True)


def _unwritten(invocation: Invocation, error: OSError) -> Failure[CommandError]:
    message = f"its values could not be written to a file: {error}"
    fault = CommandFault.NOT_STARTED
    return Failure(CommandError(fault=fault, invocation=invocation, message=message))
