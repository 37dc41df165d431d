from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.planning import Command
from anabranch.workflow import Step, Workflow, digest, load_workflow, map_phase, map_reduce, to_yaml


def with_step(step: Step) -> Workflow:
    return map_reduce("w", map=map_phase("i.json", [step]))


def test_a_workflow_is_written_as_a_person_would() -> None:
    flow = map_reduce(
        "tidy: all",
        setup=["make items"],
        setup_timeout=90,
        map=map_phase(
            "items.json",
            [
                Step(
                    Command("sort ${item}\ngit add ${item}\n", name="sort"),
                    when="item != 'x'",
                    timeout=timedelta(milliseconds=1500),
                    env={"LC_ALL": "C", "EMPTY": ""},
                ),
                Step(Command("git commit -m 'Sort: all'"), commit_required=True),
            ],
            max_parallel=2,
        ),
    )
    assert (
        to_yaml(flow)
        == """\
name: "tidy: all"
mode: mapreduce
setup:
  timeout: 90
  commands:
    - shell: make items
map:
  input: items.json
  max_parallel: 2
  agent_template:
    - name: sort
      shell: |
        sort ${item}
        git add ${item}
      when: item != 'x'
      timeout: "1500ms"
      env:
        LC_ALL: C
        EMPTY: ""
    - shell: "git commit -m 'Sort: all'"
      commit_required: true
"""
    )


@pytest.mark.parametrize(
    "other",
    [
        Command("make", reads=frozenset({"file:a"})),
        Command("make", writes=frozenset()),
        Command("make", parallel_safe=True),
    ],
)
def test_whatever_is_said_of_a_command_counts_in_the_digest(other: Command) -> None:
    assert digest(with_step(Step(Command("make")))) != digest(with_step(Step(other)))


def test_what_a_file_is_written_in_does_not_count_in_the_digest() -> None:
    text = to_yaml(with_step(Step(Command("make"))))
    other = text.replace("    - shell: make", "    # nothing else\n    - make")
    assert text != other
    assert digest(load_workflow(text)) == digest(load_workflow(other))
