"""Commands for a shell in which every value is data: `compile_shell`."""

from anabranch.expressions.shell.scripts import ShellScript, compile_shell

__all__ = ["ShellScript", "compile_shell"]
