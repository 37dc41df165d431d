from __future__ import annotations

import pytest

from anabranch.environment import Oid
from anabranch.program.git_state import GitState
from anabranch.values import ConfigError
from anabranch.workflow import load_workflow, order_of, refers_to_changes, step

FILE = "{name: w, mode: mapreduce, map: {input: i, agent_template: [%s]}}"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("echo ${step.files_added}", True),
        ("echo {{ step.commits:json }}", True),
        ("echo ${step:json}", True),
        ("echo ${step['commits']}", True),
        ("step.sh", False),
        ("echo the next step.", False),
        ("echo ${stepfather.commits}", False),
    ],
)
def test_only_steps_that_ask_for_the_state_are_watched(text: str, asks: bool) -> None:
    assert asks is refers_to_changes("step", [step(text)])


def test_a_probe_may_ask_for_the_state_too() -> None:
    assert refers_to_changes("step", [step("pay", probe="paid ${step.commits}")])


def test_a_step_whose_probe_names_a_capture_comes_after_what_is_captured() -> None:
    steps = [step("A=1", capture="order"), step("B=1", probe="paid ${order}")]
    assert [[0], [1]] == order_of(steps).parallel_batches()


def test_a_step_that_asks_in_its_environment_waits_for_the_one_before() -> None:
    steps = [step("A=1"), step("B=1", env={"X": "${step.commits}"}), step("C=1")]
    assert [[0], [1], [2]] == order_of(steps).parallel_batches()


@pytest.mark.parametrize(
    ("step_text", "told"),
    [
        ("{shell: x, commit_message: y}", "there is no commit for this message"),
        ("{shell: x, auto_commit: true, commit_message: ' '}", "is blank"),
        ("{shell: x, auto_commit: true, commit_message: '${map.total}'}", "only known in `reduce`"),
        ("{shell: 'echo ${step.file_added}'}", "did you mean `step.files_added`?"),
    ],
)
def test_what_means_nothing_is_refused(step_text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_workflow(FILE % step_text)
    assert told in str(caught.value)


def test_templates_see_all_that_is_known_of_the_state() -> None:
    state = GitState(
        commits=(Oid("c1"),),
        added=("a",),
        modified=("m",),
        deleted=("d",),
        renamed=(("old", "new"),),
        insertions=3,
        deletions=2,
    )
    assert {
        "commits": ["c1"],
        "commit_count": 1,
        "files_added": ["a"],
        "files_modified": ["m"],
        "files_deleted": ["d"],
        "files_renamed": ["new"],
        "files_changed": ["a", "d", "m", "new"],
        "insertions": 3,
        "deletions": 2,
    } == state.as_data()
