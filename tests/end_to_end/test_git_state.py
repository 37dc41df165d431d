"""What steps know of what the steps before them did, in real repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anabranch.testing.repositories import ScratchRepository, git_repo

SOURCE = str(Path(__file__).parents[2] / "src")

HEAD = """
name: state
mode: mapreduce
setup:
  - echo '[1]' > items.json
map:
  input: items.json
  agent_template:
"""


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    files = {"a.md": "one\ntwo\n", "b.md": "b\n", "c.py": "c\n" * 9, "d.txt": "d\n"}
    return git_repo(tmp_path / "project", files)


def run_in(repository: ScratchRepository, steps: str) -> subprocess.CompletedProcess[str]:
    top = repository.path.parent
    (top / "flow.yml").write_text(HEAD + steps)
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "anabranch", "run", str(top / "flow.yml"), "--json"],
        cwd=repository.path,
        env={**hidden, "HOME": str(top), "PYTHONPATH": SOURCE, "NO_COLOR": "1", "OUT": str(top)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def said(repository: ScratchRepository, name: str) -> str:
    return (repository.path.parent / name).read_text()


def test_a_step_knows_what_the_one_before_it_committed_and_left(
    repository: ScratchRepository,
) -> None:
    done = run_in(
        repository,
        """
    - |
      echo three >> a.md; git rm --quiet b.md; git mv c.py e.py
      echo n > 'new file.md'; git add a.md 'new file.md'; git commit --quiet -m one
      echo left > left.py; echo more >> d.txt
    - |
      printf '%s|' ${step.files_added} > "$OUT/added"
      printf '%s|' ${step.files_added:*.md} > "$OUT/markdown"
      echo ${step:json} > "$OUT/state"
""",
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "left.py|new file.md|" == said(repository, "added")
    assert "new file.md|" == said(repository, "markdown")
    state = json.loads(said(repository, "state"))
    assert 1 == len(state.pop("commits"))
    assert {
        "commit_count": 1,
        "files_added": ["left.py", "new file.md"],
        "files_modified": ["a.md", "d.txt"],
        "files_deleted": ["b.md"],
        "files_renamed": ["e.py"],
        "files_changed": ["a.md", "b.md", "d.txt", "e.py", "left.py", "new file.md"],
        "insertions": 2,
        "deletions": 1,
    } == state


def test_what_was_there_already_belongs_to_no_later_step(repository: ScratchRepository) -> None:
    done = run_in(
        repository,
        """
    - echo 1 > first; echo 2 > second
    - echo 3 > third; echo more >> second; echo "${step.files_added}" > "$OUT/one"
    - echo "${step.files_added} / ${step.files_modified}" > "$OUT/two"
""",
    )
    assert 0 == done.returncode, done.stdout
    assert "first second\n" == said(repository, "one")
    assert "third / second\n" == said(repository, "two")


def test_conditions_and_environments_know_it_too(repository: ScratchRepository) -> None:
    done = run_in(
        repository,
        """
    - git commit --quiet --allow-empty -m one
    - shell: touch "$OUT/yes"
      when: step.commit_count == 1
    - shell: touch "$OUT/no"
      when: step.commit_count > 0
    - shell: echo "$COUNT" > "$OUT/count"
      env: {COUNT: "${step.commit_count}"}
""",
    )
    assert 0 == done.returncode, done.stdout
    assert {"yes", "count"} == {"yes", "no", "count"} & {
        path.name for path in repository.path.parent.iterdir()
    }
    assert "0\n" == said(repository, "count")


def test_what_a_step_left_is_committed_and_nothing_else(repository: ScratchRepository) -> None:
    done = run_in(
        repository,
        """
    - echo stays > stays
    - shell: echo x > '-odd
        name'; rm b.md; mkdir sub; echo y > sub/new; cd sub
      name: tidy
      auto_commit: true
      commit_required: true
      commit_message: "Tidy ${step.files_added:*new} in ${item}"
    - git log -1 --format=%s > "$OUT/subject"; git status --short > "$OUT/status"
""",
    )
    assert 0 == done.returncode, done.stdout
    assert "Tidy sub/new in 1\n" == said(repository, "subject")
    assert "?? items.json\n?? stays\n" == said(repository, "status")
    assert "y\n" == (repository.path / "sub/new").read_text()
    assert "x\n" == (repository.path / "-odd name").read_text()
    assert not (repository.path / "b.md").exists()


def test_the_message_of_a_commit_names_files_that_are_no_text(
    repository: ScratchRepository,
) -> None:
    done = run_in(
        repository,
        r"""
    - shell: touch "$(printf 'caf\351')"
      auto_commit: true
      commit_message: "Add ${step.files_added}"
    - git log -1 --format=%s > "$OUT/subject"
""",
    )
    assert 0 == done.returncode, done.stdout
    # Some versions of git take the byte for Latin 1.
    subjects = {b"Add caf\xe9\n", b"Add caf\xc3\xa9\n"}
    assert (repository.path.parent / "subject").read_bytes() in subjects


def test_a_message_of_a_commit_that_is_no_text_fails_its_step(
    repository: ScratchRepository,
) -> None:
    done = run_in(
        repository,
        r"""
    - shell: printf '"\\ud800"'
      capture: half
      capture_format: json
    - shell: touch made
      auto_commit: true
      commit_message: "Add ${half}"
""",
    )
    assert 1 == done.returncode, done.stdout
    assert "the message of the commit holds half a surrogate pair" in done.stdout


def test_what_a_step_staged_is_committed_whatever_it_is(repository: ScratchRepository) -> None:
    done = run_in(
        repository,
        """
    - shell: mkdir dir; echo x > dir/x; git add dir; git commit --quiet -m dir
    - shell: |
        git mv a.md moved; git rm --quiet b.md; git rm --quiet -r dir; echo file > dir
        rm c.py; mkdir c.py; echo in > c.py/in; echo s > staged; git add staged; rm staged
        ln -s nowhere link; echo run > run; chmod +x run
      auto_commit: true
      commit_required: true
    - git status --short > "$OUT/status"
""",
    )
    assert 0 == done.returncode, done.stdout
    assert "?? items.json\n" == said(repository, "status")
    names = repository.git("ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD").splitlines()
    assert {"100644 moved", "100644 dir", "100644 c.py/in", "120000 link", "100755 run"} <= {*names}
    assert {"a.md", "b.md", "staged"}.isdisjoint(name.split()[1] for name in names)


def test_a_repository_that_a_step_made_inside_of_its_tree_is_committed_as_one(
    repository: ScratchRepository,
) -> None:
    done = run_in(
        repository,
        """
    - shell: |
        git init --quiet inner; cd inner; echo x > x; git add x; git commit --quiet -m inner
        git rev-parse HEAD > "$OUT/inner"
      auto_commit: true
      commit_required: true
""",
    )
    assert 0 == done.returncode, done.stdout
    assert said(repository, "inner").strip() == repository.git("rev-parse", "HEAD:inner")


def test_with_nothing_to_commit_there_is_no_commit(repository: ScratchRepository) -> None:
    done = run_in(repository, "    - {shell: 'true', auto_commit: true, commit_required: true}")
    assert "made none" in json.loads(done.stdout)["failed"][0]["message"]


def test_a_hook_that_refuses_the_commit_fails_the_step(repository: ScratchRepository) -> None:
    hook = repository.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not so >&2\nexit 1\n")
    hook.chmod(0o755)
    done = run_in(repository, "    - {shell: touch x, auto_commit: true}")
    assert "not so" in json.loads(done.stdout)["failed"][0]["message"]


def test_reduce_knows_all_that_came_from_agents(repository: ScratchRepository) -> None:
    done = run_in(
        repository,
        """
    - {shell: echo x > made.md; echo y > d.txt, auto_commit: true}
reduce:
  - echo "${map.files_added} ${map.files_modified} ${map.insertions}" > "$OUT/all"
""",
    )
    assert 0 == done.returncode, done.stdout
    assert "made.md d.txt 2\n" == said(repository, "all")
