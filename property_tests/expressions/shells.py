"""Commands for the tests of `compile_shell`, and real shells to run them in."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Final

from attrs import frozen
from hypothesis import strategies as st

from anabranch.expressions import ShellScript

SHELLS: Final = [shell for shell in ("dash", "bash") if which(shell)]
CAT: Final = which("cat") or "cat"
SH: Final = which("sh") or "sh"


@contextmanager
def directory() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run(shell: str, script: ShellScript, where: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a script with an empty PATH, so that a shell that runs a value finds only builtins."""
    files = where / "files"
    files.mkdir(exist_ok=True)
    for name, content in script.files.items():
        (files / name).write_bytes(content)
    work = where / "work"
    work.mkdir(exist_ok=True)
    env = {"PATH": str(files), "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8")}
    return subprocess.run(
        [which(shell) or shell, "-c", script.script],
        cwd=work,
        env={**env, **script.environment(str(files))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def left_behind(where: Path) -> list[str]:
    return sorted(path.name for path in (where / "work").iterdir())


@frozen
class Printer:
    """A command that prints a text made of a value: in both, `@` is where the value goes."""

    command: str
    printed: str

    def of(self, reference: str) -> str:
        return self.command.replace("@", reference)

    def expected(self, value: str) -> bytes:
        return self.printed.replace("@", value).encode()

    def inside(self, outer: Printer) -> Printer:
        """This command where the outer one has its `§`."""
        return Printer(
            outer.command.replace("§", self.command).replace("¶", in_backticks(self.command)),
            outer.printed.replace("§", self.printed).replace("¶", self.printed),
        )


def in_backticks(command: str) -> str:
    return command.replace("\\", "\\\\").replace("`", "\\`").replace("$$", "\\$$")


def printers(*pairs: tuple[str, str]) -> list[Printer]:
    return [Printer(command, printed) for command, printed in pairs]


LEAVES: Final = printers(
    ("printf %s @", "@"),
    ("printf %s a@b@'c'@\"d\"", "a@b@c@d"),
    ('printf %s "@"', "@"),
    ('printf %s "a@ b\\$\\"@"', 'a@ b$"@'),
    ("printf %s '@'", "@"),
    ("printf %s '$a `b` \\@ \"@'", '$a `b` \\@ "@'),
    ("printf %s --option=@", "--option=@"),
    ("printf %s \\\n  @", "@"),
    ('x=@; printf %s "$x"', "@"),
    ('x="a @" y=@; printf %s "$x$y"', "a @@"),
    ("x=1 printf %s @", "@"),
    ("set -- @ '@'; printf %s \"$#$1$2\"", "2@@"),
    ('printf %s ${UNSET-@} "${UNSET:-@}"', "@@"),
    ("printf %s ${UNSET:-\"a@\" 'b@'}", "a@b@"),
    ('x=p@; printf %s "${x#p}" "${x%@}" "${x##p}"', "@p@"),
    ('x=@; printf %s "${x+a@}"', "a@"),
    ("case @ in @) printf %s @;; *) printf no;; esac", "@"),
    ("case x@ in (y | x\"@\") printf %s '@' ;; esac", "@"),
    ("case xy@ in x) printf no; esac; printf %s @", "@"),
    ('for x in a @ b; do printf %s "$x"; done', "a@b"),
    ('f() { printf %s "$1"; }; f @', "@"),
    ("printf %s @ # it's \"@ `@ $(@", "@"),
    ("# @ '\nprintf %s @", "@"),
    ("printf %s @ >&1 2>/dev/null", "@"),
    (f"{SH} -c 'printf %s \"$1\"' sh @", "@"),
    (f"{CAT} <<EOF\na @ \\$x \\\\\n@\nEOF\n", "a @ $x \\\n@\n"),
    (
        f"{CAT} <<'EOF'\na @ $x `y` \\ \\\\ \\$ ' \"@\nb\\\n@\nEOF\n",
        "a @ $x `y` \\ \\\\ \\$ ' \"@\nb\\\n@\n",
    ),
    (f'{CAT} <<-"E O F"\n\t\t@ $x\n\t E O F\n\tE O F\n', "@ $x\n E O F\n"),
    (f"{CAT} <<A - <<'B'\n@\nA\n$x @\nB\n", "$x @\n"),
    (f"{CAT} <<EOF\n${{UNSET:-@}}$(printf %s '@'.)`printf %s @.`\nEOF\n", "@@.@.\n"),
    ('printf %s "$(( 1 + 1 ))@"', "2@"),
    ("if [ @ = @ ] && test -n x@; then printf %s @; fi", "@"),
    ("printf %s $${UNSET-a}@ '$${x}'", "a@${x}"),
    ("true && ! false && printf %s @", "@"),
)
"""Commands in which a value stands in every kind of place."""

WRAPPERS: Final = printers(
    ("{ §\n}", "§"),
    ("( §\n)", "§"),
    ("if true; then §\nfi", "§"),
    ("if ( true ) then §\nfi", "§"),
    ("while true; do §\nbreak; done", "§"),
    ("case a in (b) ;; a) §\n;; esac", "§"),
    ('printf %s "$( §\nprintf x)"', "§x"),
    ('x=$( §\nprintf x); printf %s "$x"', "§x"),
    ('printf %s "${UNSET-$( §\nprintf x)}"', "§x"),
    ('printf %s "`¶\nprintf x`"', "¶x"),
    ('x=`¶\nprintf x`; printf %s "$x"', "¶x"),
    (f"{CAT} <<OUTER\n$( §\nprintf x)\nOUTER\n", "§x\n"),
    ("for y in 1; do §\ndone", "§"),
    ("g() {\n§\n}\ng", "§"),
)
"""Commands that run another one and print what it prints."""


def nested_printers() -> st.SearchStrategy[Printer]:
    """A leaf inside up to three wrappers."""

    def nest(leaf: Printer, wrappers: list[Printer]) -> Printer:
        for number, wrapper in enumerate(wrappers):
            delimited = wrapper.command.replace("OUTER", f"OUTER_{number}")
            leaf = leaf.inside(Printer(delimited, wrapper.printed))
        return leaf

    return st.builds(nest, st.sampled_from(LEAVES), st.lists(st.sampled_from(WRAPPERS), max_size=3))


FRAGMENTS: Final = (
    *("'", '"', "`", "\\", "$", "(", ")", "{", "}", "\n", " ", ";", "#", "|", "&", "<", ">"),
    *("$(", "$((", "))", "((", "${x:-", "${x#", "${x:=", "${x:", "${x/", "}", "$'", '$"', "$["),
    *("<<E\n", "<<'E'\n", "<<-E\n", "\nE\n", "<<<", "<(", "[[ ", " ]]", " -eq ", "-v ", "a[", "]="),
    *(
        "case ",
        " in ",
        ") ",
        ";;",
        " esac",
        "if ",
        "; then ",
        "; fi",
        "for x in ",
        "; do ",
        "; done",
    ),
    *("x=", "=(", "f() {", "eval ", "sh -c ", "printf ", "echo ", "declare ", "export ", "set -- "),
    *("@", "@", "@", "@", "@", "@", "@", "\\@", "$${x}", "$x", " @ ", "'@'", '"@"', "\n@\n"),
)
"""Pieces of the shell's language, to be put together at random."""
