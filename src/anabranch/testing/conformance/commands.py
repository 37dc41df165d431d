r"""The laws of a `CommandRunner`, whether it starts processes or makes its answers up.

1. What was printed comes back, both streams apart, byte for byte.
2. An exit code is data, whatever it is: not a failure.
3. The listener hears the lines of each stream in order, without their ends, a partial last
   line too; never an empty list, and nothing of a stream that says nothing.
4. Whether anybody listens changes nothing about what comes back.
5. Commands that run at the same time know nothing of each other.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import anyio
from attrs import evolve, frozen
from returns.result import Success

from anabranch.environment import (
    Captured,
    CommandOutput,
    CommandRunner,
    Invocation,
)
from anabranch.values import lines_of

RunnerMaker: TypeAlias = Callable[[Mapping[str, CommandOutput]], CommandRunner]
"""Makes a runner, given the answer to each shell command, its last argument; a runner that
starts processes need not look at it, for that is what these commands do."""

_PRINTED: Final = (b"", b"\n", b"one\n", b"one\ntwo", b"\n\nthree\r\n", b"\0\xff\xfe\n\x1b(0mfour")
_EXIT_CODES: Final = (0, 1, 77, 255)


@frozen
class _Heard:
    """A listener that keeps everything."""

    lines: dict[str, list[bytes]]

    def __call__(self, stream: str, lines: Sequence[bytes]) -> None:
        assert len(lines) > 0, "the listener was called without a line"
        self.lines.setdefault(stream, []).extend(lines)


async def check_command_runner(make: RunnerMaker, cwd: str = "/") -> None:
    """Check that a runner obeys the laws.

    Args:
        make: makes a runner.
        cwd: a directory to run commands in.

    Raises:
        AssertionError: it does not; the text says what came and what was expected.

    >>> from anabranch.services.processes import LocalCommands
    >>> anyio.run(check_command_runner, lambda answers: LocalCommands())
    """
    answers = command_answers()
    runner = make(answers)
    for script, expected in answers.items():
        await _check_one(runner, _invocation(script, cwd), expected)
    async with anyio.create_task_group() as tasks:
        for script, expected in answers.items():
            tasks.start_soon(_check_one, runner, _invocation(script, cwd), expected)


def command_answers() -> dict[str, CommandOutput]:
    """What each shell command answers that the laws ask for."""
    return {_script(output): output for output in _outputs()}


def _outputs() -> list[CommandOutput]:
    return [
        CommandOutput(exit_code=code, stdout=Captured.of(out), stderr=Captured.of(err))
        for out, err, code in zip(_PRINTED, reversed(_PRINTED), _EXIT_CODES * 2, strict=False)
    ]


def _script(output: CommandOutput) -> str:
    out, err = _printf(output.stdout.head), _printf(output.stderr.head)
    return f"{out}; {err} >&2; exit {output.exit_code}"


def _printf(data: bytes) -> str:
    octal = "".join(rf"\{byte:03o}" for byte in data)
    return f"printf {shlex.quote(octal)}"


def _invocation(script: str, cwd: str) -> Invocation:
    return Invocation(argv=("sh", "-c", script), cwd=cwd)


async def _check_one(
    runner: CommandRunner, invocation: Invocation, expected: CommandOutput
) -> None:
    heard = _Heard({})
    listened = await runner.run(invocation, heard)
    alone = await runner.run(invocation)
    for result in (listened, alone):
        assert isinstance(result, Success), f"an exit code is not a failure: {result}"
        came = evolve(result.unwrap(), duration=expected.duration, usage=None)
        assert expected == came, f"came {came}, expected {expected}"
    streams = {"stdout": expected.stdout, "stderr": expected.stderr}
    lines = {name: lines_of(stream.head) for name, stream in streams.items() if stream.size}
    assert lines == heard.lines, f"the listener heard {heard.lines}, expected {lines}"
