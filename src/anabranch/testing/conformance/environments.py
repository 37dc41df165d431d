"""The laws of all ports that an environment has."""

from __future__ import annotations

import shlex
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias, cast

from anabranch.environment import CommandOutput, CommandRunner, Invocation, Worktree
from anabranch.testing.conformance.commands import check_command_runner, command_answers
from anabranch.testing.conformance.files import check_files
from anabranch.testing.conformance.git import Hand, check_git
from anabranch.testing.conformance.journal import check_journal

_IDENTITY: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
}

Answers: TypeAlias = Mapping[str, CommandOutput]

EnvironmentMaker: TypeAlias = Callable[[Answers], Any]
"""Makes a new environment: the environment itself, or an asynchronous context with it.

It is given the answer to each shell command that the laws of commands will ask for; where
commands are processes it need not look at them.
"""


async def check_environment_laws(
    make_env: EnvironmentMaker,
    *,
    directory: str,
    hand: Hand | None = None,
    parent: str = "main",
) -> None:
    """Check that every port of an environment obeys its laws: `commands`, `files`, `journal`, git.

    A port that the environment does not have is left out, so a single port of yours can be
    checked with any object that has it as an attribute.

    Args:
        make_env: makes an environment, anew for each port.
        directory: an absolute path to run commands and write files in.
        hand: writes and commits a file in a worktree; by default the environment's commands do.
        parent: a branch that is there.

    Raises:
        AssertionError: a law does not hold; the text says what came and what was expected.

    >>> import anyio
    >>> from anabranch.testing import mock_env, printed
    >>> def make(answers):
    ...     return mock_env(commands={**answers, "*": printed()})
    >>> anyio.run(lambda: check_environment_laws(make, directory="/mock"))
    """
    async with _made(make_env, {}) as env:
        ports = {name for name in ("commands", "files", "journal", "merges") if hasattr(env, name)}
    assert ports, "the environment has no port at all"
    if "commands" in ports:
        async with _made(make_env, command_answers()) as env:
            await check_command_runner(lambda _: env.commands, directory)
    if "files" in ports:
        async with _made(make_env, {}) as env:
            await check_files(env.files, f"{directory}/files")
    if "journal" in ports:
        async with _made(make_env, {}) as env:
            await check_journal(env.journal)
    if "merges" in ports:
        async with _made(make_env, {}) as env:
            await check_git(env, hand or _by_command(env.commands), parent)


@asynccontextmanager
async def _made(make_env: EnvironmentMaker, answers: Answers) -> AsyncGenerator[Any]:
    env = make_env(answers)
    if isinstance(env, AbstractAsyncContextManager):
        context = cast("AbstractAsyncContextManager[Any]", env)
        async with context as entered:
            yield entered
    else:
        yield env


def _by_command(commands: CommandRunner) -> Hand:
    async def hand(tree: Worktree, path: str, data: bytes) -> object:
        name = shlex.quote(path)
        script = f"cat > {name} && git add {name} && git commit --quiet --message {name}"
        answer = await commands.run(
            Invocation(argv=("sh", "-c", script), cwd=tree.path, stdin=data, env=_IDENTITY)
        )
        output = answer.unwrap()
        assert output.exit_code == 0, f"`{script}` failed: {output.stderr.text}"
        return output

    return hand
