from __future__ import annotations

import pytest

from anabranch.planning.access import EVERYTHING, AccessSet
from anabranch.planning.shell_access import shell_access

LOCALE = ["var:LANG", "var:LC_ALL", "var:LC_CTYPE", "var:LC_NUMERIC"]


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("", [], []),
        ("# only a comment", [], []),
        ("true && false || :", [], []),
        ("echo hello 'big world' \"$\" a\\ b # c", [], []),
        ("B=1", [], ["var:B"]),
        ("B=1 C=2; D=3\nE=4", [], ["var:B", "var:C", "var:D", "var:E"]),
        ("B=$A", ["var:A"], ["var:B"]),
        ("B=${A}x${C:-none}", ["var:A", "var:C"], ["var:B"]),
        ("B=${A:-$C}", ["var:A", "var:C"], ["var:B"]),
        ("B=${#A}", ["var:A"], ["var:B"]),
        ('B=$(echo "$A")', ["var:A"], ["var:B"]),
        ('echo "${A%.*}"', ["var:A"], []),
        (': "${A:=1}"', ["var:A"], ["var:A"]),
        ("echo '$A'", [], []),
        ("echo \\$A", [], []),
        ('echo "\\$A"', [], []),
        ("echo '${item.path}'", [], []),
        ("echo ${item.path}", ["var:item"], []),
        ('echo "${item.tags[0]}"', ["var:item"], []),
        ("echo $A", ["var:A", "workspace"], []),
        ("echo *.py", ["workspace"], []),
        ("echo ~/x", ["var:HOME"], []),
        ("echo $(true)", ["workspace"], []),
        ('echo "$1 $? $#"', [], []),
        ("echo a > out/log", [], ["file:out/log"]),
        ("echo a >>out/log 2>&1", [], ["file:out/log"]),
        ("echo a 2>/dev/null >&2", [], []),
        ("> 'a b'", [], ["file:a b"]),
        ("echo a >| b", [], ["file:b"]),
        ("true < src/a.py", ["file:src/a.py"], []),
        ("echo a > /tmp/x", [], ["file:**"]),
        ('echo a > "$F"', ["var:F"], ["workspace"]),
        ('true < "$F"', ["var:F", "workspace"], []),
        ("printf '%s\\n' \"$A\"", ["var:A", *LOCALE], []),
        ("export A=1 B", [], ["var:A", "var:B"]),
        ('[ "$A" = 1 ] && B=2', ["var:A"], ["var:B"]),
        ('test -n "$A"', ["var:A"], []),
        ('test "$A" -gt 3', ["var:A"], []),
        ("test -f src/a.py", ["workspace"], []),
        ('test ! -e "$A"', ["var:A", "workspace"], []),
    ],
)
def test_what_the_shell_itself_touches_is_known(
    text: str, reads: list[str], writes: list[str]
) -> None:
    assert AccessSet.of(reads=reads, writes=writes) == shell_access(text)


@pytest.mark.parametrize(
    "text",
    [
        "make",
        "./echo a",
        "$CMD a",
        "B=1 make",
        "A=$(make)",
        'echo "$(make)"',
        "echo `date`",
        "echo $((A + 1))",
        "echo ${!A}",
        "echo ${A[B]}",
        "echo ${A@P}",
        "echo ${A:1:2}",
        "echo ${A",
        "if true; then echo a; fi",
        "for x in a; do echo $x; done",
        "{ echo a; }",
        "( A=1 )",
        "f() { echo a; }",
        "echo a &",
        "cat <<E\na\nE",
        "true <<< a",
        "echo a &> b",
        "echo a >& b",
        "echo a >&1b",
        "echo a <> b",
        "echo a | tee b",
        "echo $'a'",
        "echo {a,b}",
        "echo ~root",
        "A=~/x",
        "A=(1 2)",
        "A+=1",
        "echo 'a",
        'echo "a',
        "echo a\\",
        "! true",
        "cd src",
        "eval A=1",
        "set -e",
        "unset A",
        "printf -v A x",
        "printf '%n' A",
        "printf $A",
        "printf",
        "export",
        "export $A",
        "export A=$B",
        "export -p",
        "[ a = b",
        "true;; true",
        "true ) true",
        "echo a >",
        "echo " + "$(echo " * 2000,
        "echo " + "${A:-" * 2000,
    ],
)
def test_what_may_do_anything_touches_everything(text: str) -> None:
    assert EVERYTHING == shell_access(text)
