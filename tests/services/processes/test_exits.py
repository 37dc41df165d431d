from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

from anabranch.environment import Invocation
from anabranch.services.processes import GroupContainment, LocalCommands
from anabranch.services.processes.child import Exit
from anabranch.services.processes.exits import news_of


@pytest.fixture(params=["pidfd", "thread"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "thread":
        monkeypatch.delattr(os, "pidfd_open")


def readable(fd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd)
    return bool(poll.poll(seconds * 1000))


def test_the_descriptor_is_readable_once_the_child_has_ended() -> None:
    process = subprocess.Popen(["sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE)
    news = news_of(process.pid)
    assert not readable(news.fileno(), 0)
    process.communicate(b"go\n", timeout=30)
    assert readable(news.fileno(), 30)
    news.close()


def test_an_exit_code_and_what_was_used_are_told() -> None:
    process = subprocess.Popen(["sh", "-c", "exit 3"])
    news = news_of(process.pid)
    assert readable(news.fileno(), 30)
    ended = news.look()
    process.returncode = 3
    assert ended is not None
    assert ended.usage is not None
    assert Exit(code=3, usage=ended.usage) == ended
    news.close()


@pytest.mark.anyio
async def test_commands_run_in_sessions_and_groups_either_way(tmp_path: Path) -> None:
    async with LocalCommands(containment=GroupContainment()) as runner:
        command = Invocation(argv=("sh", "-c", "echo on; kill -HUP $$"), cwd=str(tmp_path))
        output = (await runner.run(command)).unwrap()
    assert (b"on\n", -1) == (output.stdout.head, output.exit_code)
