"""Every code that a file can reach, with its place, its severity and its level."""

from __future__ import annotations

import pytest

from anabranch.planning import Strictness
from anabranch.values import ConfigError, Problem, Severity
from anabranch.workflow import check_workflow

HEAD = "name: w\nmode: mapreduce\nresources: {gpu: 2, api: {starts: 1, per: 1s}}\n"
MAP = "map: {input: i, agent_template: [ls]}\n"


def problems_of(text: str, level: Strictness = Strictness.STANDARD) -> tuple[Problem, ...]:
    try:
        return check_workflow(text, file="w.yml", strictness=level)[1]
    except ConfigError as error:
        return error.problems


def setup(*steps: str) -> str:
    return HEAD + MAP + "setup:\n" + "".join(f"  - {step}\n" for step in steps)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (
            setup("{name: a, shell: x, depends_on: b}", "{name: b, shell: y, depends_on: a}"),
            "cycle",
            "w.yml:6:3 (setup)",
        ),
        (
            setup("{name: a, shell: x, depends_on: a}"),
            "self-loop",
            "w.yml:6:37 (setup[0].depends_on)",
        ),
        (setup("{shell: x, depends_on: [b]}"), "unknown-step", "w.yml:6:28 (setup[0].depends_on)"),
        (
            setup("{name: a, shell: x}", "{shell: y, depends_on: [a, a]}"),
            "duplicate-edge",
            "w.yml:7:28 (setup[1].depends_on)",
        ),
        (
            setup("{name: a, shell: x}", "{id: a, shell: y}"),
            "duplicate-name",
            "w.yml:7:5 (setup[1])",
        ),
        (setup("{shell: x, when: 1 > 2}"), "unreachable", "w.yml:6:22 (setup[0].when)"),
        (setup("{shell: x, writes: [], optional: true}"), "dead-end", "w.yml:6:5 (setup[0])"),
        (setup("{shell: 'echo ${item.id}'}"), "undefined-variable", "w.yml:6:19 (setup[0].shell)"),
        (setup('shell: sed -i "1i # a title" x'), "unclosed-quote", "w.yml:6:19 (setup[0].shell)"),
        (setup("{shell: x, when: itm.id}"), "undefined-variable", "w.yml:6:22 (setup[0].when)"),
        (
            setup("{shell: x, retry: {backoff: fixed}}"),
            "unbounded-retry",
            "w.yml:6:23 (setup[0].retry)",
        ),
        (
            HEAD + MAP + "setup: {timeout: 1m, commands: [{shell: x, timeout: 2m}]}",
            "timeout-too-long",
            "w.yml:5:53 (setup.commands[0].timeout)",
        ),
        (
            HEAD + "map: {input: i, agent_template: [ls], max_parallel: 0}",
            "limit-zero",
            "w.yml:4:53 (map.max_parallel)",
        ),
        (
            "name: w\nmode: mapreduce\n" + MAP + "resources: {gpu: 1, agents: 2}",
            "taken-name",
            "w.yml:4:29 (resources.agents)",
        ),
        (setup("{shell: x, timeout: 0}"), "limit-zero", "w.yml:6:25 (setup[0].timeout)"),
        (
            setup("{shell: x, resources: {gpu: 3}}"),
            "claim-too-large",
            "w.yml:6:27 (setup[0].resources)",
        ),
        (
            setup("{shell: x, resources: {gpu: shared}}"),
            "shared-claim",
            "w.yml:6:27 (setup[0].resources)",
        ),
        (setup("{shell: x, resources: {db: 2}}"), "lock-amount", "w.yml:6:27 (setup[0].resources)"),
        (setup("{shell: x, resources: gpus}"), "unknown-pool", "w.yml:6:27 (setup[0].resources)"),
    ],
)
def test_a_file_reaches_the_code_and_its_place_is_told(text: str, code: str, place: str) -> None:
    assert (code, place) in [(p.code, str(p.where)) for p in problems_of(text)]


DOUBTFUL = setup("{shell: x, when: itm.id}", "{shell: x, writes: [], optional: true}")


@pytest.mark.parametrize(
    ("level", "severities"),
    [
        (Strictness.MINIMAL, []),
        (Strictness.STANDARD, [Severity.WARNING] * 2),
        (Strictness.STRICT, [Severity.ERROR] * 2),
    ],
)
def test_a_level_says_how_much_is_asked(level: Strictness, severities: list[Severity]) -> None:
    assert severities == [problem.severity for problem in problems_of(DOUBTFUL, level)]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = setup(
        "{shell: x, depends_on: [b, 0]}",
        "{shell: y, resources: {db: 2}, timeout: soon}",
        "{shel: z}",
    )
    found = [p.where.line for p in problems_of(text)]
    assert sorted(filter(None, found)) == found
    assert len(found) >= 2
