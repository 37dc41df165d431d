"""What an agent costs as agents grow, and as worktrees of others pile up: about the same.

    python -m benchmarks.git_growth [AT_ONCE]

Agents do what they do in `git_end_to_end`, in a repository of two files. The first agents pay for
the slots, so what counts is what each further agent costs. CPU is that of all processes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from anabranch.testing.repositories import ScratchRepository, git_repo
from benchmarks.git_end_to_end import by_anabranch

AGENTS = (100, 300, 1000)
OTHERS = (0, 100, 300)
FILES = {"a.txt": "one\n", "b.txt": "two\n"}


def further(above: str, agents: int, before: int, at_once: int, others: int = 0) -> float:
    """CPU milliseconds of each agent beyond the first `before` ones."""
    spent = [0.0, 0.0]
    for number, count in enumerate((before, before + agents)):
        repo = git_repo(Path(above, f"{others}-{agents}-{count}"), FILES)
        pile_up(repo, others)
        spent[number] = by_anabranch(repo, count, at_once).cpu
    return (spent[1] - spent[0]) / agents * 1e3


def pile_up(repo: ScratchRepository, others: int) -> None:
    for number in range(others):
        path = repo.path.with_name(f"{repo.path.name}-other-{number}")
        repo.git("worktree", "add", "--quiet", "--detach", "--no-checkout", path)


def main(at_once: int = 8) -> None:
    with tempfile.TemporaryDirectory() as above:
        first = 0.0
        for agents in AGENTS:
            each = further(above, agents, 2 * at_once, at_once)
            first = first or each
            print(
                f"{agents:5} agents more: {each:6.2f} ms CPU each, x{each / first:.2f}", flush=True
            )
        first = 0.0
        for others in OTHERS:
            each = further(above, 200, 2 * at_once, at_once, others)
            first = first or each
            print(f"{others:5} other worktrees: {each:6.2f} ms CPU each, x{each / first:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
