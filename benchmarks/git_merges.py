"""Merging many finished branches into one: `git merge` in a checkout, and in memory.

    python -m benchmarks.git_merges [BRANCHES] [FILES]

Each branch changes one file of its own; one in twenty changes the first line of a file that an
earlier branch changed too. Both ways have to fail exactly those, and to end with the same tree.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import anyio
from returns.pipeline import is_successful

from anabranch.environment import MergeRequest, Oid
from anabranch.services.git import GitRepository, git_run
from anabranch.testing.repositories import ScratchRepository, git_repo

TARGET = "anabranch/bench/run"


def history(path: Path, branches: int, files: int) -> tuple[ScratchRepository, list[Oid]]:
    """A repository with that many files, and one commit for each branch."""
    lines = "".join(f"line {n}\n" for n in range(40))
    names = [f"package{n % 12}/module{n}.py" for n in range(files)]
    repo = git_repo(path, dict.fromkeys(names, lines))
    base = repo.head
    stream: list[str] = []
    for number in range(branches):
        clash = number % 20 == 19
        name = names[(number - 1 if clash else number) % files]
        row = 0 if clash or number % 20 == 18 else 4 + number // files * 4
        text = "".join(f"branch {number}\n" if at == row else f"line {at}\n" for at in range(40))
        stream.append(
            f"commit refs/heads/b{number}\nmark :{number + 1}\n"
            f"committer Ada <ada@example.org> 981173106 +0000\ndata 4\nwork\nfrom {base}\n"
            f"M 100644 inline {name}\ndata {len(text)}\n{text}\n"
        )
    repo.git("fast-import", "--quiet", stdin="".join(stream).encode())
    heads = repo.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/b*")
    commits = dict(line.split(" ") for line in heads.splitlines())
    return repo, [Oid(commits[f"b{n}"]) for n in range(branches)]


def in_a_checkout(repo: ScratchRepository, commits: list[Oid]) -> tuple[float, set[int], str]:
    tree = repo.path.parent / "checkout"
    repo.git("worktree", "add", "--quiet", "--detach", tree)
    there, failed, began = repo.at(tree), set[int](), time.perf_counter()
    for number, commit in enumerate(commits):
        try:
            there.git("merge", "--no-ff", "--quiet", "-m", "merge", commit)
        except AssertionError:
            failed.add(number)
            there.git("merge", "--abort")
    return time.perf_counter() - began, failed, there.git("rev-parse", "HEAD^{tree}")


def in_memory(
    repo: ScratchRepository, commits: list[Oid], *, linear: bool
) -> tuple[float, set[int], str]:
    repository = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    target = f"{TARGET}-{linear}"

    async def main() -> tuple[float, set[int]]:
        failed = set[int]()
        async with git_run(repository, "bench") as git:
            base = (await git.merges.start(target)).unwrap()
            began = time.perf_counter()
            for number, commit in enumerate(commits):
                request = MergeRequest(
                    target=target,
                    source=commit,
                    base=base,
                    message=f"Merge agent-{number}",
                    trailers=(("Anabranch-Agent", f"agent-{number}"),),
                    linear=linear,
                )
                if not is_successful(await git.merges.merge(request)):
                    failed.add(number)
            return time.perf_counter() - began, failed

    seconds, failed = anyio.run(main)
    return seconds, failed, repo.git("rev-parse", f"{target}^{{tree}}")


def main(branches: int = 1000, files: int = 166) -> None:
    with tempfile.TemporaryDirectory() as above:
        repo, commits = history(Path(above, "repo"), branches, files)
        few = commits[: max(20, branches // 10)]
        slow, failed_slow, tree_slow = in_a_checkout(repo, few)
        check, failed_check, tree_check = in_memory(repo, few, linear=False)
        assert (failed_slow, tree_slow) == (failed_check, tree_check)
        repo.git("branch", "-D", f"{TARGET}-False")
        print(f"{files} files, {branches} branches")
        print(f"git merge in a checkout   {slow / len(few) * 1e3:7.2f} ms a merge ({len(few)})")
        print(f"in memory                 {check / len(few) * 1e3:7.2f} ms a merge ({len(few)})")
        for linear in (False, True):
            seconds, failed, _ = in_memory(repo, commits, linear=linear)
            name = "in memory, linear" if linear else "in memory"
            each = seconds / branches
            print(
                f"{name:25} {each * 1e3:7.2f} ms a merge ({branches}), "
                f"{each / (slow / len(few)):.3f} of a checkout's, {len(failed)} conflicts"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
