"""A command, as a value: what one step runs, and what is known of what it touches."""

from __future__ import annotations

from attrs import frozen


@frozen
class Command:
    """One shell command and what its author declared about it.

    What is no shell text (an agent's prompt, a Python tool) has an empty `shell` and declares
    both sets; the set that stands for *everything* is `{"workspace"}`.

    Attributes:
        shell: the text given to `sh -c`, with references such as `${item.path}`.
        name: what `depends_on` calls it; `None` is its index.
        reads: resources it reads (`var:A`, `file:src/**`, `workspace`); `None` is to be worked
            out from the text.
        writes: resources it writes; `None` is to be worked out.
        captures: variables that are set from what it prints. They count as written, always.
        depends_on: names of commands that must come first.
        parallel_safe: the author's promise that it touches no file another command touches.

    >>> Command("echo $A", name="show").shell
    'echo $A'
    """

    shell: str
    name: str | None = None
    reads: frozenset[str] | None = None
    writes: frozenset[str] | None = None
    captures: frozenset[str] = frozenset()
    depends_on: tuple[str, ...] = ()
    parallel_safe: bool = False
