"""What a command touches: what its author declared, else what its text says.

The references in the text to variables are added to whatever was declared, since they can be
seen, and so are the captures: data never arrives before it was made, whatever was promised.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from attrs import evolve

from anabranch.planning.access import EVERYTHING, NOTHING, OUTPUTS, AccessSet
from anabranch.planning.commands import Command
from anabranch.planning.shell_access import shell_access

_REFERENCE: Final = re.compile(r"(?:\$\{|\{\{)\s*[#!]?([A-Za-z_][\w-]*)([.\[]?)|\$([A-Za-z_]\w*)")
_FIXED_SCOPES: Final = frozenset({"item", "map"})
_SHARED_OUTPUTS: Final = AccessSet(reads=frozenset({OUTPUTS}))
_ALL_OUTPUTS: Final = AccessSet(writes=frozenset({OUTPUTS}))


def access_of(command: Command) -> AccessSet:
    """Work out what a command reads and writes.

    Raises:
        ConfigError: a declared resource or captured variable is none.

    >>> sorted(map(str, access_of(Command('B="$A"', captures=frozenset({"C"}))).writes))
    ['var:B', 'var:C']
    """
    return _accesses(evolve(command, name=None, depends_on=()))[0]


def shared_access_of(command: Command) -> AccessSet:
    """Work out what a command touches, its part in the outputs of all steps included.

    Templates such as `${shell.output}` speak of an earlier step, whichever it is: a command with
    one follows all before it and precedes all after it, as one that writes what all others read.
    """
    return _accesses(evolve(command, name=None, depends_on=()))[1]


@lru_cache(maxsize=16384)
def _accesses(command: Command) -> tuple[AccessSet, AccessSet]:
    """Work out both kinds of access, once for commands that differ in names only."""
    declared = AccessSet.of(reads=command.reads or (), writes=command.writes or ())
    captured = AccessSet.of(writes=[f"var:{name}" for name in command.captures])
    found = declared | captured | _references("\n".join([command.text, *command.texts]))
    found |= _undeclared(command)
    return found, found if OUTPUTS in found.writes else found | _SHARED_OUTPUTS


def _undeclared(command: Command) -> AccessSet:
    """Read the text for what was not declared."""
    if command.parallel_safe or (command.reads is not None and command.writes is not None):
        return NOTHING
    found = shell_access(command.shell) if command.agent is None else EVERYTHING
    return AccessSet(
        reads=found.reads if command.reads is None else frozenset(),
        writes=found.writes if command.writes is None else frozenset(),
    )


def _references(text: str) -> AccessSet:
    """Find the variables that a text names; `${A-x}` may be `A-x` of a template or the shell's `A`."""
    found = [(braced or bare, path) for braced, path, bare in _REFERENCE.findall(text)]
    names = {name for whole, _ in found for name in (whole, whole.partition("-")[0])}
    looks_back = any(path and name not in _FIXED_SCOPES for name, path in found)
    access = AccessSet.of(reads=[f"var:{name}" for name in names])
    return access | _ALL_OUTPUTS if looks_back else access
