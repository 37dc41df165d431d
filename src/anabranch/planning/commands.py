"""A command, as a value: what one step runs, and what is known of what it touches."""

from __future__ import annotations

from attrs import frozen

from anabranch.values import ConfigError


@frozen
class Command:
    """One shell command, or one prompt for an agent, and what its author declared about it.

    What is neither (a Python tool) has an empty `shell` and declares both sets; the set that
    stands for *everything* is `{"workspace"}`.

    Attributes:
        shell: the text given to `sh -c`, with references such as `${item.path}`.
        name: what `depends_on` calls it; `None` is its index.
        reads: resources it reads (`var:A`, `file:src/**`, `workspace`); `None` is to be worked
            out from the text.
        writes: resources it writes; `None` is to be worked out.
        captures: variables that are set from what it prints. They count as written, always.
        depends_on: names of commands that must come first.
        parallel_safe: the author's promise that it touches no file another command touches.
        agent: the agent that gets the prompt, by name; `None` is a shell command.
        prompt: what the agent is to do, with references.
        texts: other texts with references that are filled in before it starts.

    >>> Command("echo $A", name="show").shell
    'echo $A'
    >>> Command(agent="claude", prompt="Mend ${item.path}").text
    'Mend ${item.path}'
    """

    shell: str = ""
    name: str | None = None
    reads: frozenset[str] | None = None
    writes: frozenset[str] | None = None
    captures: frozenset[str] = frozenset()
    depends_on: tuple[str, ...] = ()
    parallel_safe: bool = False
    agent: str | None = None
    prompt: str = ""
    texts: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if (self.shell and self.agent is not None) or (self.prompt and self.agent is None):
            raise ConfigError.of(
                "bad-command",
                "a command is a shell command, or an agent with a prompt",
                value=repr(self.text),
            )

    @property
    def text(self) -> str:
        """What the author wrote: the shell command, or the prompt."""
        return self.shell if self.agent is None else self.prompt
