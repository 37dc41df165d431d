"""Commands for a shell in which every value is data."""

from anabranch.expressions.shell.scripts import ShellScript, check_shell, compile_shell

__all__ = ["ShellScript", "check_shell", "compile_shell"]
