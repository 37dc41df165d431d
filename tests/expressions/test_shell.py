from __future__ import annotations

from typing import Any

import pytest

from anabranch.expressions import ShellScript, check_shell, compile_shell
from anabranch.expressions.shell.scripts import BUDGET
from anabranch.values import ConfigError

SCOPE: dict[str, Any] = {
    "item": {
        "v": "a b",
        "l": ["x", "y z"],
        "n": 7,
        "m": -3,
        "one": ["x"],
        "none": [],
        "array": "(a $(id))",
    },
    "step": {"files_added": ["a.md", "b c.md"]},
    "name": "N",
}


def filled(script: ShellScript) -> str:
    """The script with each variable of ours named after its value."""
    text = script.script
    for name, value in script.env.items():
        text = text.replace(f"{{{name}}}", f"{{{value}}}")
    return text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("echo ${item.v}", 'echo "${a b}"'),
        ("echo {{ item.v }}", 'echo "${a b}"'),
        ("echo 'x ${item.v}' \"y ${item.v}\"", "echo 'x '\"${a b}\"'' \"y ${a b}\""),
        ("git add ${step.files_added} --", 'git add "${a.md}" "${b c.md}" --'),
        ("git add ${item.none} .", "git add  ."),
        ('echo "${step.files_added}"', 'echo "${a.md b c.md}"'),
        ("echo '${item.l}'", "echo ''\"${x, y z}\"''"),
        ("x=${item.l} y[${item.n}]=${item.v}", 'x="${x, y z}" y[7]="${a b}"'),
        ("a=(${item.l} [${item.n}]=${item.v})", 'a=("${x}" "${y z}" [7]="${a b}")'),
        ("echo $((${item.n} - ${item.m}))", "echo $((7 - (-3)))"),
        ("((x = ${item.n})) && echo $((  x[${item.n}] ))", "((x = 7)) && echo $((  x[7] ))"),
        ("echo ${x:${item.n}}", "echo ${x:7}"),
        ("echo > ${item.one}", 'echo > "${x}"'),
        ("cat <<< ${item.v} 2>&1", 'cat <<< "${a b}" 2>&1'),
        ("cat < <(echo ${item.v}) |& tee", 'cat < <(echo "${a b}") |& tee'),
        ("echo `echo ${item.v}` `id`", 'echo $( echo "${a b}"\n) `id`'),
        ("echo `(echo ${item.v})`", 'echo $( (echo "${a b}")\n)'),
        ("[[ ${item.v} == a* && ${item.n} -gt 3 ]]", '[[ "${a b}" == a* && "${7}" -gt 3 ]]'),
        ("[[ $x =~ ^(a|b)\\ ${item.v}$ ]] && echo", '[[ $x =~ ^(a|b)\\ "${a b}"$ ]] && echo'),
        ('echo ${y-${item.v}} "${y-${item.v}}"', 'echo ${y-"${a b}"} "${y-${a b}}"'),
        ('echo "${y#${item.v}}"', 'echo "${y#"${a b}"}"'),
        ("echo \"${y-'it'} ${item.v}\"", "echo \"${y-'it'} ${a b}\""),
        ("echo \\${item.v} # ${item.v} it's", "echo \\${item.v} # ${item.v} it's"),
        ("cat <<'E'\n$x ${item.v} `\\\nE\nid", "cat <<E\n\\$x ${a b} \\`\\\\\nE\nid"),
        ("cat <<'E E'\n${item.v}\nE E", "cat <<ANABRANCH_END\n${a b}\nANABRANCH_END"),
        ("cat <<'E'\n$x $${y}\nE\necho ${item.v}", "cat <<'E'\n$x ${y}\nE\necho \"${a b}\""),
        ("echo $$${item.v} $${item.v}", 'echo $$"${a b}" ${item.v}'),
        ("f () { echo ${item.v}; }; function g { :; }", 'f () { echo "${a b}"; }; function g { :; }'),
        ("for ((i = 0; i < ${item.n}; i++)); do :; done", "for ((i = 0; i < 7; i++)); do :; done"),
        ("case $x in ${item.v}) ;; esac; (id)", 'case $x in "${a b}") ;; esac; (id)'),
        ("sh -c 'echo \"$1\"' sh ${item.v}", "sh -c 'echo \"$1\"' sh \"${a b}\""),
        ("export x=${item.v} && local y=${item.v}", 'export x="${a b}" && local y="${a b}"'),
        ("sh file <<E\n${item.v}\nE\n", "sh file <<E\n${a b}\nE\n"),
        ("cat <<E | sh\n${item.v}\nE\n", "cat <<E | sh\n${a b}\nE\n"),
        ("while read l; do :; done <<E\n${item.v}\nE\n", "while read l; do :; done <<E\n${a b}\nE\n"),
        ("[[ a\rb == c\r# ]] && x=(a\r#') '${item.v})", "[[ a\rb == c\r# ]] && x=(a\r#') '\"${a b}\")"),
        ("declare -r x=${item.v}", 'declare -r x="${a b}"'),
        ("read -p ${item.v} x", 'read -p "${a b}" x'),
    ],
)  # fmt: skip
def test_a_reference_is_written_so_that_its_value_is_data_there(text: str, script: str) -> None:
    assert script == filled(compile_shell(text, SCOPE))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("echo '${item.v}", "unclosed-quote"),
        ('echo "${item.v}', "unclosed-quote"),
        ("echo `${item.v}", "unclear-shell"),
        ("echo $(${item.v}", "unclear-shell"),
        ("echo ${x-${item.v}", "unclear-shell"),
        ("echo ${item.v} )", "unclear-shell"),
        ("case ${item.v} in a) x", "unclear-shell"),
        ("case ${item.v} on a) x;; esac", "unclear-shell"),
        ("cat <<E\n${item.v}", "unclear-shell"),
        ("cat <<E ${item.v}", "unclear-shell"),
        ("cat << ; echo ${item.v}", "unclear-shell"),
        ("cat <<E\nx\\\nE\n${item.v}\n", "unclear-shell"),
        ("cat <<E\nE\\\n\n${item.v}", "unclear-shell"),
        ('cat <<E "a\n${item.v}"\nE\n', "unclear-shell"),
        ("echo $((${item.n}) )", "unclear-shell"),
        ("echo $(( ' )) ${item.n}", "unclear-shell"),
        ("echo $[ ${item.n} ]", "unclear-shell"),
        ("echo $'\\'' ${item.v}", "unclear-shell"),
        ("echo \"${x-it's ${item.v}}\"", "unclear-shell"),
        ("echo a(b) ${item.v}", "unclear-shell"),
        ("a=(;) ${item.v}", "unclear-shell"),
        ("a=(b & ${item.v}", "unclear-shell"),
        ("[[ # ]] \n ${item.v}", "unclear-shell"),
        ("$(" * 100 + "${item.v}" + ")" * 100, "unclear-shell"),
        ("echo $'${item.v}'", "no-place-for-value"),
        ("echo ${x/${item.v}/b}", "no-place-for-value"),
        ("echo ${x:=${item.v}}", "no-place-for-value"),
        ("cat <<E\n${x#${item.v}}\nE\n", "no-place-for-value"),
        ("for ${item.v} in a; do :; done", "no-place-for-value"),
        ("function ${item.v} { :; }", "no-place-for-value"),
        ("eval ${item.v}", "value-as-code"),
        ("e\\v'al' \"x ${item.v}\"", "value-as-code"),
        ('x=1 command eval "${item.v}"', "value-as-code"),
        ("trap 'rm ${item.v}' EXIT", "value-as-code"),
        ("bash -euc 'echo ${item.v}'", "value-as-code"),
        ('sudo -u x /bin/sh -c -- "echo ${item.v}"', "value-as-code"),
        ("find . -exec sh -c 'echo ${item.v}' \\;", "value-as-code"),
        ('su - x -c "${item.v}"', "value-as-code"),
        ("let x=${item.n}", "value-as-code"),
        ("unset ${item.v}", "value-as-code"),
        ("export ${item.v}", "value-as-code"),
        ("declare ${item.v}=1", "value-as-code"),
        ("declare -i x=${item.v}", "unclear-shell"),
        ("local -rn x; x=${item.v}", "unclear-shell"),
        ("declare -a x=${item.v}", "value-as-code"),
        ("local -rA x=(${item.v}) y=${item.v}", "value-as-code"),
        ("declare x=${item.array}", "value-as-code"),
        ("local -x x='${item.array}'", "value-as-code"),
        ("compgen -W ${item.v}", "value-as-code"),
        ("PS4=${item.v}; set -x", "value-as-code"),
        ("bash <<E\necho ${item.v}\nE\n", "value-as-code"),
        ("sh -s <<'E' ; id\necho ${item.v}\nE\n", "value-as-code"),
        ("sudo bash <<< 'echo ${item.v}'", "value-as-code"),
        ("x=1 bash -eu <<E | cat\necho ${item.v}\nE\n", "value-as-code"),
        ("printf -v ${item.v} x", "value-as-code"),
        ("printf -v${item.v} x", "value-as-code"),
        ("[ -v ${item.v} ]", "value-as-code"),
        ("[[ -v ${item.v} ]]", "value-as-code"),
        ("read ${item.v}", "value-as-code"),
        ("mapfile -t ${item.v}x; read -r ${item.v}", "value-as-code"),
        ("echo $((${item.v}))", "not-an-integer"),
        ("echo $(( ${x-${item.v}} ))", "not-an-integer"),
        ("((x = ${item.v}))", "not-an-integer"),
        ("a[${item.v}]=1", "not-an-integer"),
        ('a["${item.v}"]=1', "not-an-integer"),
        ("a=([${item.v}]=1)", "not-an-integer"),
        ("echo ${x[${item.v}]}", "not-an-integer"),
        ("echo ${x:0:${item.v}}", "not-an-integer"),
        ("[[ ${item.v} -eq 1 ]]", "not-an-integer"),
        ("[[ 1 -lt x${item.v} ]]", "not-an-integer"),
        ("echo > ${item.l}", "list-for-a-word"),
        ("cat <<< ${item.none}", "list-for-a-word"),
        ("case ${item.l} in x) ;; esac", "list-for-a-word"),
        ("echo ${item.vv}", "undefined-variable"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_keep_its_values_as_data_is_refused(text: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_shell(text, SCOPE)
    assert {code} == {problem.code for problem in caught.value.problems}


@pytest.mark.parametrize("text", ["eval $name", 'echo "$\'" `', "$((", "case x", "<<E", "${x/a/b}"])
def test_a_command_without_references_of_ours_is_none_of_our_business(text: str) -> None:
    assert text == compile_shell(text, {"item": 1}).script


def test_every_problem_of_a_command_is_reported_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_shell("echo ${item.vv}\ncat <<E\n$((${item.v}))\nE\n: ${item.zz}", SCOPE)
    assert ["1:6", "3:4", "5:3"] == [str(problem.where) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("value", "code"),
    [("a\0b", "nul-in-value"), ("\ud800", "bad-text"), (["x", "\0"], "nul-in-value")],
)
def test_what_no_process_can_be_given_is_refused(value: Any, code: str) -> None:
    for command in ("echo ${v}", "echo $v"):
        with pytest.raises(ConfigError) as caught:
            compile_shell(command, {"v": value})
        assert [code] == [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "code"), [("a\0b", "nul-in-value"), ("\ud800", "bad-text")])
def test_a_command_that_is_no_text_is_refused(text: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_shell(text, {})
    assert [code] == [problem.code for problem in caught.value.problems]


def test_bytes_that_are_no_text_pass_as_python_writes_them() -> None:
    assert ["\udcff"] == list(compile_shell("echo ${v}", {"v": "\udcff"}).env.values())


def test_variables_that_a_command_names_as_the_shell_does_come_in_its_environment() -> None:
    script = compile_shell("echo $name ${name%x} ${other} '${item.v}' $item", SCOPE)
    assert {"name", "item", "__anabranch_0"} == set(script.env)
    assert "N" == script.env["name"]


def test_a_value_that_fits_comes_in_the_environment() -> None:
    script = compile_shell("echo ${v}", {"v": "x" * 1000})
    assert ({}, script.env) == (script.files, script.environment())


def test_a_value_that_does_not_fit_comes_in_a_file() -> None:
    script = compile_shell("echo ${v} ${w}", {"v": "it's" * BUDGET, "w": "small"})
    content = script.files["script.sh"].decode()
    assert {"__anabranch_1": "small", "__anabranch_directory": "/d"} == script.environment("/d")
    assert '. "${__anabranch_directory}/script.sh"' == script.script
    assert content.startswith("__anabranch_0='it'\\''s")
    assert content.endswith('\necho "${__anabranch_0}" "${__anabranch_1}"')


def test_a_command_that_does_not_fit_is_a_file() -> None:
    script = compile_shell("echo ${v}", {"v": ["x", "y"] * BUDGET})
    assert script.files["script.sh"].count(b'"${__anabranch_1}"') == BUDGET


def test_files_need_a_directory() -> None:
    script = compile_shell("echo ${v}", {"v": "x" * BUDGET})
    with pytest.raises(ValueError, match="directory"):
        script.environment()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("echo ${item.path} $(( ${item.n} )) > ${item.p}", []),
        ("echo '${item.path}", ["unclosed-quote"]),
        ('sed -i "1i', ["unclosed-quote"]),
        ("echo $(printf %s 'a)", ["unclosed-quote"]),
        ("echo it\\'s  # isn't it", []),
        ("cat <<'E'\nit's\nE\n", []),
        ("echo $'it\\'s' $(( 08 ", []),
        ("eval ${item.path} ${other.x}; sh -c ${item.x}", ["value-as-code", "value-as-code"]),
        ("eval ${other.path} $item", []),
    ],
)
def test_what_no_value_could_make_right_is_known_before_there_are_values(
    text: str, codes: list[str]
) -> None:
    assert codes == [problem.code for problem in check_shell(text, ["item"])]
