"""Files that are a dictionary."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.environment import FileError
from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.commands import Call
from anabranch.testing.mocks.scripts import Reader

Content: TypeAlias = bytes | str | FileError
"""What is in a file, or why it cannot be read."""


@frozen
class MockFiles:
    """Files by path, or by the end of one.

    Attributes:
        answers: to `read`, by path.
        calls: where to note what was asked.
        clock: counts the time that it takes.
        written: what was written, which is read from then on.
    """

    answers: Reader[str, Content]
    calls: list[Call]
    clock: MockClock
    written: dict[str, bytes]

    async def read(self, path: str) -> Result[bytes, FileError]:
        """The bytes of the file whose path is this, or ends in this."""
        self.calls.append(("read", path))
        if path in self.written:
            return Success(self.written[path])
        reply = self.answers.reply(path)
        if reply is None:
            return Failure(FileError(path=path, message="no such file"))
        await self.clock.wait(reply.seconds)
        match reply.answer:
            case FileError() as error:
                return Failure(error)
            case str(text):
                return Success(text.encode())
            case data:
                return Success(data)

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        """Keep the bytes."""
        self.calls.append(("write", path))
        self.written[path] = data
        return Success(None)
