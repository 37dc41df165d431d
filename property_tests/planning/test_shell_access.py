"""What the reader says of a text, against what real shells do with it.

Only texts that the reader claims to understand are run: by its own word they run no program and
touch nothing but the variables and files that it names.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import example, given
from hypothesis import strategies as st

from anabranch.planning.access import EVERYTHING, AccessSet, parse_resource
from anabranch.planning.shell_access import shell_access

SHELLS = [path for path in map(shutil.which, ["sh", "bash"]) if path]
VARIABLES = {"A": "a  b", "B": "-n", "C": "*"}
CHANGED = {"A": "f other", "B": "= $A", "C": "'"}
FILES = {"f": "f\n", "g": "g\n"}
SHOW = '\nprintf "@@%s@@%s@@%s" "$A" "$B" "$C"'

words = st.sampled_from(
    ["x", "f", "A", "-n", "-e", "=", "!", "1", "$A", '"$B"', "'$C'", "${A}", '"${C:-$A}"', "${B:=1}",
     "$(echo $A)", '"$(B=2)"', "\\$A", "*", "#", "~", '"a$"', "${#A}", "[", "]", "A=1", "B=$C", "f*", "%s",
     "${A%b}", "$1", "'a'\"$A\"", "\\\n", "{", "`", "$((A))", "${item.x}", "a#b", "=~", "--", "\\"]
)  # fmt: skip
starts = st.sampled_from(
    ["echo", "printf '%s'", "test", "[", ":", "true", "false", "export", "A=$B", "C=x", "B=", "", "printf"]
)  # fmt: skip
redirections = st.sampled_from(
    ["", "", "", " >f", " >> f", " <f", " 2>g", " >&2", ' >"f"', " > '$A'"]
)
joints = st.sampled_from([";", "\n", " && ", " || ", " | ", " & ", "; # "])


@st.composite
def texts(draw: st.DrawFn) -> str:
    found = ""
    for _ in range(draw(st.integers(1, 3))):
        gap = draw(st.sampled_from([" ", " ", ""]))
        found += gap.join([draw(starts), *draw(st.lists(words, max_size=4))])
        found += draw(redirections) + draw(joints)
    return found


@frozen(kw_only=True)
class Outcome:
    """What a text did: its exit code, its output, the variables after it, the files it changed."""

    code: int
    out: str
    variables: tuple[str, ...]
    changed: frozenset[str]


def run(shell: str, text: str, variables: dict[str, str], files: dict[str, str]) -> Outcome:
    """Run a text among some files, then have the shell say what its variables are."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            Path(place, name).write_text(content)
        done = subprocess.run(
            [shell, "-c", text + SHOW],
            cwd=place,
            env={"PATH": "", "HOME": "/nowhere", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        now = {path.name: path.read_text() for path in Path(place).iterdir()}
    out, *values = done.stdout.decode().rsplit("@@", 3)
    return Outcome(
        code=done.returncode,
        out=out,
        variables=tuple(values),
        changed=frozenset(n for n in {*now, *files} if now.get(n) != files.get(n)),
    )


def reads(access: AccessSet, resource: str) -> bool:
    return any(parse_resource(resource).overlaps(read) for read in access.reads)


@pytest.mark.parametrize("shell", SHELLS)
@given(text=texts())
@example(text='B=${B:=1}; test "$B" = 1 >f')
@example(text="printf '%s' \"$A\"x >'$A'")
def test_what_is_not_read_does_not_matter_and_what_is_not_written_does_not_change(
    shell: str, text: str
) -> None:
    access = shell_access(text)
    if access == EVERYTHING:
        return
    outcome = run(shell, text, VARIABLES, FILES)
    written = {str(resource) for resource in access.writes}
    for name, value in zip(VARIABLES, outcome.variables, strict=False):
        assert value == VARIABLES[name] or f"var:{name}" in written
    for name in outcome.changed:
        assert any(resource.covers(name) for resource in access.writes)
    others = {n: v if reads(access, f"var:{n}") else CHANGED[n] for n, v in VARIABLES.items()}
    files = {n: v if reads(access, f"file:{n}") else f"other {v}" for n, v in FILES.items()}
    if not reads(access, "file:new"):
        files["new"] = ""
    again = run(shell, text, others, files)
    assert (outcome.code, outcome.out) == (again.code, again.out)
