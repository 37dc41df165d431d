from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from anabranch.planning import AGENTS, AgentTemplate, Command, RetryPolicy
from anabranch.values import ConfigError
from anabranch.workflow import (
    InDoubt,
    Step,
    StepOptions,
    Workflow,
    load_workflow,
    map_phase,
    map_reduce,
    plan_text,
    prompt,
    step,
    to_yaml,
)
from anabranch.workflow.plan import make_plan

HEAD = "name: w\nmode: mapreduce\nmap:\n  input: i\n  agent_template:\n"


def loaded(steps: str, agents: str = "") -> Workflow:
    return load_workflow(f"{HEAD}{steps}\n{agents}", file="w.yml")


def command(steps: str, agents: str = "") -> Command:
    return loaded(steps, agents).map.agent_template[0].command


def refused(steps: str, agents: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(steps, agents)
    return str(caught.value)


def test_a_step_may_be_a_prompt_for_claude() -> None:
    assert Command(agent="claude", prompt="/fix ${item.path}") == command(
        '    - claude: "/fix ${item.path}"'
    )


def test_a_step_may_be_a_prompt_for_any_known_agent() -> None:
    step = "    - agent: {use: codex, prompt: 'Mend ${item}'}"
    assert Command(agent="codex", prompt="Mend ${item}") == command(step)


def test_an_agent_of_ones_own_is_a_command_line() -> None:
    flow = loaded(
        "    - agent: {use: mine, prompt: go}",
        "agents:\n  mine: [my-agent, --ask, '${prompt}']",
    )
    assert AgentTemplate(("my-agent", "--ask", "${prompt}")) == flow.template("mine")


def test_arguments_are_added_to_those_of_a_known_agent() -> None:
    flow = loaded("    - claude: go", "agents:\n  claude: {arguments: [--model, opus]}")
    assert AGENTS["claude"].with_arguments("--model", "opus") == flow.template("claude")


def test_a_known_agent_may_be_another_program() -> None:
    flow = loaded("    - claude: go", "agents:\n  claude: {command: [stub], arguments: [-x]}")
    assert AgentTemplate(("stub", "-x")) == flow.template("claude")


def test_no_permission_is_given_that_nobody_wrote() -> None:
    arguments = {word for one in AGENTS.values() for word in one.argv}
    assert set() == {word for word in arguments if "permission" in word or "yes" in word}


@pytest.mark.parametrize(
    ("steps", "agents", "told"),
    [
        (
            "    - agent: {use: clude, prompt: x}",
            "",
            "w.yml:6:20 (map.agent_template[0].agent.use): there is no agent of this name: clude",
        ),
        ("    - agent: {use: clude, prompt: x}", "", "did you mean `claude`?"),
        ("    - {claude: x, shell: y}", "", "w.yml:6:19 (map.agent_template[0].shell): it cannot"),
        ("    - {name: x}", "", "expected: one of `shell:`, `claude:`, `agent:`"),
        ("    - {claud: x}", "", "did you mean `claude`?"),
        ("    - claude: ' '", "", "is blank"),
        ("    - claude: '${map.total}'", "", "`map` is only known in `reduce`"),
        ("    - claude: '${HOME}'", "", "nothing by this name: ${HOME}"),
        ("    - claude: x", "agents: {mine: {}}", "w.yml:7:16 (agents.mine)"),
        ("    - claude: x", "agents: {mine: ['${prompt}']}", "an agent needs a program to call"),
        ("    - claude: x", "agents: {mine: [a, '${item}']}", "only `${prompt}` is known"),
        ("    - claude: x", "agents: {mine: [a], b: {arguments: []}}", "w.yml:7:24 (agents.b)"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(steps: str, agents: str, told: str) -> None:
    assert told in refused(steps, agents)


def test_the_place_of_an_unknown_agent_is_found_below_commands_too() -> None:
    text = HEAD.replace("agent_template:\n", "agent_template: {commands: [") + (
        "{agent: {use: nobody, prompt: x}}]}"
    )
    with pytest.raises(ConfigError) as caught:
        load_workflow(text)
    assert "map.agent_template.commands[0].agent.use" == caught.value.problems[0].where.path


def test_only_one_mistake_is_told_where_a_key_is_misspelt() -> None:
    assert 1 == refused("    - {claud: x}").count("w.yml")


def test_a_dollar_name_in_a_prompt_that_nobody_knows_is_left_alone() -> None:
    assert "cost $5 in $HOME" == command("    - claude: cost $5 in $HOME").prompt


def test_agents_made_in_python_are_written_and_read_back() -> None:
    flow = map_reduce(
        "w",
        map=map_phase("i", [prompt("Mend ${item}"), prompt("Look", agent="mine", timeout="5m")]),
        agents={"mine": AgentTemplate(("my-agent",))},
    )
    assert flow == load_workflow(to_yaml(flow))


def test_a_workflow_made_in_python_knows_its_agents_too() -> None:
    with pytest.raises(ConfigError, match=r"map\.agent_template\[0\]\.agent\.use"):
        map_reduce("w", map=map_phase("i", [prompt("x", agent="nobody")]))


def test_a_plan_says_which_agent_is_asked_what() -> None:
    flow = map_reduce("w", map=map_phase("i", [prompt("Mend ${item}", agent="codex")]))
    assert "1. codex: Mend ${item}" in plan_text(make_plan(flow))


def test_an_agent_may_touch_everything_and_stays_in_its_place() -> None:
    steps: list[str | Step] = ["make", prompt("Mend it"), "A=1", prompt("Look")]
    plan = make_plan(map_reduce("w", map=map_phase("i", steps)))
    assert ((0,), (1,), (2,), (3,)) == plan.agent


ALL_OPTIONS: StepOptions = {
    "name": "n",
    "when": "item.ready",
    "timeout": "5m",
    "env": {"A": "1"},
    "commit_required": True,
    "auto_commit": True,
    "commit_message": "Mend",
    "capture": "said",
    "depends_on": ["before"],
    "reads": ["file:src"],
    "writes": ["file:out"],
    "parallel_safe": True,
    "resources": ["gpu"],
    "optional": True,
    "estimate": 30,
    "retry": RetryPolicy.fixed("1s", max_attempts=2),
    "retry_on": [],
    "in_doubt": InDoubt.ASK,
    "probe": None,
}


def test_a_prompt_takes_every_option_that_a_shell_step_takes() -> None:
    asked, ran = prompt("p", **ALL_OPTIONS), step("s", **ALL_OPTIONS)
    assert set(ALL_OPTIONS) == StepOptions.__optional_keys__
    assert ran == evolve(asked, command=ran.command)
    assert ran.command == evolve(asked.command, agent=None, prompt="", shell="s")
    assert ("gpu", frozenset({"file:out"})) == (asked.resources[0].name, asked.command.writes)


def test_an_option_that_is_none_is_refused() -> None:
    options: dict[str, Any] = {"tiemout": "5m"}
    with pytest.raises(TypeError, match="tiemout"):
        step("s", **options)
