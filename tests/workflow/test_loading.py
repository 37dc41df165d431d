from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from anabranch.planning.commands import Command
from anabranch.values import ConfigError
from anabranch.workflow import MapPhase, Step, Workflow, load_workflow

EXAMPLES = Path(__file__).parents[2] / "examples"

SMALL = "name: w\nmode: mapreduce\nmap:\n  input: i.json\n  agent_template: [make]\n"


def load(text: str) -> Workflow:
    return load_workflow(dedent(text), file="flow.yml")


def problems(text: str | bytes) -> list[str]:
    """Each problem as its place and its first line."""
    with pytest.raises(ConfigError) as caught:
        load_workflow(dedent(text) if isinstance(text, str) else text, file="flow.yml")
    return [str(p).splitlines()[0].removeprefix("flow.yml:") for p in caught.value.problems]


def problem(text: str) -> str:
    """The only problem, whole."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def in_step(line: str) -> str:
    return SMALL.replace("[make]", f"\n    - shell: make\n      {line}")


def in_map(line: str) -> str:
    return f"{SMALL}  {line}\n"


def test_every_key_of_a_workflow_arrives_in_its_value() -> None:
    loaded = load("""
        name: tidy
        mode: mapreduce
        setup:
          timeout: 2m
          commands:
            - shell: git ls-files > files.txt
              name: list
        map:
          input: items.json
          json_path: $.modules[*]
          filter: size > 10
          sort_by: path ASC
          distinct: path
          offset: 1
          max_items: 5
          max_parallel: 3
          agent_template:
            - git status
            - shell: make ${item.path}
              when: item.size > 20
              timeout: 90
              env: {LEVEL: 3, NAME: "${item.path}", STRICT: true}
              commit_required: true
        reduce:
          - cat summary.txt
        """)
    expected = Workflow(
        name="tidy",
        setup=(Step(Command("git ls-files > files.txt", name="list")),),
        setup_timeout=timedelta(minutes=2),
        map=MapPhase(
            input="items.json",
            json_path="$.modules[*]",
            filter="size > 10",
            sort_by="path ASC",
            distinct="path",
            offset=1,
            max_items=5,
            max_parallel=3,
            agent_template=(
                Step(Command("git status")),
                Step(
                    Command("make ${item.path}"),
                    when="item.size > 20",
                    timeout=timedelta(seconds=90),
                    env={"LEVEL": "3", "NAME": "${item.path}", "STRICT": "true"},
                    commit_required=True,
                ),
            ),
        ),
        reduce=(Step(Command("cat summary.txt")),),
    )
    assert expected == loaded


def test_what_is_not_said_has_its_default() -> None:
    made = MapPhase(input="i.json", agent_template=(Step(Command("make")),))
    assert Workflow(name="w", map=made) == load(SMALL)


def test_the_smallest_form_of_prodigy_loads_unchanged() -> None:
    workflow = load_workflow((EXAMPLES / "three-agents.yml").read_bytes())
    assert [
        len(workflow.setup),
        len(workflow.map.agent_template),
        len(workflow.reduce),
    ] == [1, 3, 2]
    assert workflow.map.agent_template[2].commit_required


@pytest.mark.parametrize("phase", ["agent_template", "reduce", "setup"])
def test_steps_under_commands_are_the_same_steps(phase: str) -> None:
    long = {"name": "w", "mode": "mapreduce", "map": {"input": "i", "agent_template": ["a"]}}
    short = json.loads(json.dumps(long))
    at = {"agent_template": "map"}.get(phase)
    (long[at] if at else long)[phase] = {"commands": ["b"]}  # type: ignore[index]  # JSON
    (short[at] if at else short)[phase] = ["b"]
    assert load_workflow(json.dumps(short)) == load_workflow(json.dumps(long))


def test_json_is_read_like_yaml_tabs_and_surrogate_pairs_included() -> None:
    text = (
        '{\n\t"name": "w\\ud83d\\ude00",\n\t"mode": "mapreduce",\n'
        '\t"map": {"input": "a\\/b", "agent_template": ["make"]}\n}'
    )
    assert ((w := load(text)).name, w.map.input) == ("w\N{GRINNING FACE}", "a/b")


def test_yaml_is_read_by_the_rules_of_version_1_2() -> None:
    assert load(SMALL.replace("name: w", "name: on")).name == "on"
    assert load(in_map("max_parallel: 014")).map.max_parallel == 14


def test_an_alias_is_the_value_it_stands_for() -> None:
    loaded = load(f"{SMALL.replace('[make]', '&steps [make]')}reduce: *steps\n")
    assert loaded.map.agent_template == loaded.reduce


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert load(SMALL) == load_workflow(b"\xef\xbb\xbf" + SMALL.encode())


def test_all_problems_of_a_file_are_told_at_once_in_its_order() -> None:
    assert problems("""
        name: ""
        mode: mapred
        setup:
          - shel: make
        map:
          input: items.json
          max_parallel: 0
          offset: -1
          offset: 2
          max_paralel: 3
          agent_template:
            - shell: make
              timeout: soon
            - shell: [make]
              env: {1A: x, OK: [1]}
        redcue: []
        """) == [
        "2:7 (name): is blank: ''",
        "3:7 (mode): wrong type: mapred",
        "5:5 (setup[0].shel): unknown key: shel",
        "8:17 (map.max_parallel): is too small: 0",
        "9:11 (map.offset): is too small: -1",
        "10:3: a key given twice: offset",
        "11:3 (map.max_paralel): unknown key: max_paralel",
        "14:16 (map.agent_template[0].timeout): not a duration: 'soon'",
        "15:14 (map.agent_template[1].shell): wrong type: a list",
        "16:13 (map.agent_template[1].env.1A): is no name of an environment variable: '1A'",
        "16:24 (map.agent_template[1].env.OK): wrong type: a list",
        "17:1 (redcue): unknown key: redcue",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file says nothing"),
        ("# only a comment\n", "2:1: the file says nothing"),
        ("just text", "1:1: wrong type: just text"),
        ("- a list", "1:1: wrong type: a list"),
        ("name: w\n---\nname: v\n", "2:1: a second document begins here"),
        ("a: 'open\n", "2:1: a quote that is not closed"),
        ("a: @x\n", "1:4: `@` cannot begin a value: a: @x"),
        ("a: 1\n b: 2\n", "2:3: a key where none can be: b: 2"),
        ("map:\n\tinput: x\n", "2:1: a tab where YAML wants spaces: input: x"),
        ("a: \x07\n", "1:4: a character that YAML does not allow: U+0007"),
        ('a: "\\ud800"\n', None),
        ("a: *b\n", None),
        ("a: &a [*a]\n", None),
        ("a: !secret b\n", None),
        ('a: "\\UFFFFFFFF"\n', None),
        ("%YAML 1.1\n---\na: b\n", None),
        ("? [a]\n: b\n", None),
        ("[" * 100, None),
        (b"name: w\nmode: \xff\n", "2:7: the file is not UTF-8 text"),
        (b"\xff\xfen\0a\0", "1:1: the file is not UTF-8 text"),
        (b"\x7fELF\0\0", "1:5: the file is binary"),
        ("a" * 1_000_001, "1:1: the file is too large for a workflow"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(
    text: str | bytes, expected: str | None
) -> None:
    found = problems(text)
    assert found
    assert expected is None or expected == found[0]


def test_aliases_of_aliases_cannot_make_a_document_grow() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )
    assert [p.split(": ")[1] for p in problems(laughs)] == ["too many values"]


def test_a_typing_error_is_recognised() -> None:
    assert problem(in_map("max_paralel: 4")) == (
        "flow.yml:6:3 (map.max_paralel): unknown key: max_paralel\n"
        "  hint: did you mean `max_parallel`?"
    )


def test_a_key_that_is_like_no_other_gets_the_list_of_all() -> None:
    assert "expected: one of `name`, `mode`, `setup`, `map`, `merge`, `reduce`" in problem(
        f"{SMALL}xyz: 1"
    )


def test_a_key_that_only_prodigy_carries_out_is_refused_with_that_reason() -> None:
    assert problem(in_step("on_failure: {shell: x}")) == (
        "flow.yml:7:7 (map.agent_template[0].on_failure): "
        "Prodigy knows this key, anabranch does not carry it out yet: on_failure"
    )


def test_a_missing_key_is_told_where_it_belongs() -> None:
    assert problems("name: w\nmode: mapreduce\n") == ["1:1: a key is missing: map"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (in_map('max_parallel: "4"'), "take the quotes away"),
        (in_map("filter: 12"), "put it in quotes"),
        (SMALL.replace("mapreduce", "map-reduce"), "did you mean `mapreduce`?"),
    ],
)
def test_a_value_of_the_wrong_type_gets_a_hint(text: str, hint: str) -> None:
    assert problem(text).endswith(f"hint: {hint}")


@pytest.mark.parametrize(
    "text",
    [
        in_map("max_items: 1.0"),
        in_map("max_items: true"),
        in_map("max_items: [1]"),
        in_map("offset: null"),
        in_map("json_path: {}"),
        in_step("commit_required: yes"),
        in_step("timeout: 0"),
        in_step("timeout: {}"),
        in_step("timeout: .nan"),
        in_step("timeout: 1e999"),
        in_step("env: [A]"),
        in_step("env: {A: null}"),
        in_step("name: |\n        two\n        lines"),
        SMALL.replace("[make]", "[]"),
        SMALL.replace("[make]", "make"),
        SMALL.replace("[make]", "{commands: []}"),
        SMALL.replace("[make]", "[make, [make]]"),
        SMALL.replace("[make]", '["a\\0b"]'),
        f"{SMALL}setup:\n",
    ],
)
def test_a_value_that_cannot_be_meant_is_one_problem(text: str) -> None:
    assert len(problems(text)) == 1


def test_a_mistake_in_a_condition_is_told_with_its_own_column() -> None:
    assert problems(in_map("filter: severity == 'high' and size >< 3"))[0].startswith("6:40 ")
    assert problems(in_map('filter: "size >< 3"'))[0].startswith("6:18 ")
    assert problems(in_step("when: length(a, b, c)"))[0].startswith("7:13 ")


def test_a_condition_in_escapes_is_told_with_the_column_in_its_text() -> None:
    (told,) = problems(in_map('filter: "\\x73ize >< 3"'))
    assert told.startswith("6:11 (map.filter): ")
    assert "(line 1, column 7 of the text)" in told


def test_a_reference_that_can_have_no_value_is_told_with_its_place() -> None:
    assert problems("""
        name: w
        mode: mapreduce
        setup:
          - shell: |
              make items

              echo ${item.path}
        map:
          input: i.json
          agent_template:
            - shell: echo ${item.path} ${map.failed}
        reduce:
          - shell: for item in a b; do echo ${item} ${map.faild} ${map.failed} ${HOME} ${map.x:-y}; done
            env: {WORST: "${item.path}"}
        """) == [
        (
            "8:12 (setup[0].shell): `item` is only known in `map.agent_template`, `merge.resolve`:"
            " ${item.path}"
        ),
        "12:32 (map.agent_template[0].shell): `map` is only known in `reduce`: ${map.failed}",
        "14:45 (reduce[0].shell): nothing by this name: ${map.faild}",
        (
            "15:19 (reduce[0].env.WORST): `item` is only known in `map.agent_template`,"
            " `merge.resolve`: ${item.path}"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("json_path: $.items[", "6:22"),
        ("sort_by: size DESCENDNG", "6:17"),
        ("distinct: a..b", "6:14"),
        ("filter: size >", "6:17"),
    ],
)
def test_what_chooses_the_items_is_read_when_the_file_is_loaded(line: str, place: str) -> None:
    (told,) = problems(in_map(line))
    assert f"{place} (map.{line.split(':', maxsplit=1)[0]})" == told.split(": ")[0]


def test_two_steps_of_one_name_are_told_apart() -> None:
    text = f"{SMALL}reduce:\n  - {{shell: make, name: '1'}}\n  - make\n"
    assert ["8:5 (reduce[1]): two steps have the same name: 1"] == problems(text)


def test_a_variable_that_only_a_shell_knows_is_unknown_where_no_shell_reads() -> None:
    assert (
        "flow.yml:7:17 (map.agent_template[0].env.A): nothing by this name: ${HOME}\n"
        "  expected: one of `workflow`, `step`, `agent`, `item`"
    ) == problem(in_step('env: {A: "${HOME}/a", B: "${HOME:-/}", C: "$HOME"}'))
