"""The filter and condition language, and the template engine: text → frozen tree → value."""

from anabranch.expressions.conditions import Condition, parse_condition
from anabranch.expressions.paths import MISSING, FieldPath, Missing, parse_path
from anabranch.expressions.shell import ShellScript, check_shell, compile_shell
from anabranch.expressions.templates import Reference, Template, parse_template

__all__ = [
    "MISSING",
    "Condition",
    "FieldPath",
    "Missing",
    "Reference",
    "ShellScript",
    "Template",
    "check_shell",
    "compile_shell",
    "parse_condition",
    "parse_path",
    "parse_template",
]
