"""Templates: texts with references, such as `Review ${item.path:-everything}`.

A template is read once, without knowing the variables, into texts and references. Which
references are ours is decided when it is rendered: one whose first part is no known name is
left exactly as it stands, since in a command it belongs to the shell. There is one pass from
left to right, and what a value holds is never read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Final, TypeAlias

from attrs import field, frozen

from anabranch.expressions.paths import MISSING, FieldPath, Missing, read_path
from anabranch.expressions.rendering import apply_filter, is_filter, render, separator
from anabranch.expressions.scanner import Scanner, locator, refuse
from anabranch.expressions.scopes import Scope, is_known, lookup, names_beside
from anabranch.values import ConfigError, Json, Location, Problem, did_you_mean


@frozen(kw_only=True)
class Reference:
    """A place in a template where a value goes.

    Attributes:
        raw: the reference as it was written.
        path: the value it names.
        filters: what is done to the value, from left to right.
        default: what stands in for a value that is missing or null.
        braced: whether it was written with braces; `$name` is not.
        where: line and column of its first character.
    """

    raw: str
    path: FieldPath
    filters: tuple[str, ...] = ()
    default: Template | None = None
    braced: bool = True
    where: Location = field(factory=Location, eq=False)

    @property
    def head(self) -> str:
        """The first part of the path: the name that a scope knows or does not."""
        return str(self.path.names[0])

    def __str__(self) -> str:
        """The reference as it was written."""
        return self.raw


Part: TypeAlias = "str | Reference"


@frozen
class Template:
    """A template, read once.

    `str(template)` is the text it was read from.

    Attributes:
        text: what it was read from.
        parts: literal texts and references, in order.
        shell: whether it is a command: `$name` and unknown names are left to the shell.
    """

    text: str
    parts: tuple[Part, ...]
    shell: bool = field(default=False, kw_only=True)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every reference, in order, those inside defaults after the one they belong to."""
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        for part in self.parts:
            if isinstance(part, Reference):
                yield part
                if part.default is not None:
                    yield from part.default.references

    def render(self, scope: Scope, *, strict: bool = True) -> str:
        """The text with every known reference replaced by its value.

        Args:
            scope: the variables.
            strict: whether a braced reference to an unknown name is an error; if not, it is
                left as it stands. In a `shell` template it always is.

        Raises:
            ConfigError: every reference that has no value, with what there is instead.

        >>> parse_template("${a} costs ${b:-nothing}").render({"a": 2.0})
        '2 costs nothing'
        """
        resolved = self._resolve(scope, strict=strict)
        return "".join(
            part if isinstance(part, str) else render(part[0], part[1]) for part in resolved
        )

    def value(self, scope: Scope, *, strict: bool = True) -> Json:
        """Like `render`, but a template that is exactly one reference keeps the value's type.

        >>> parse_template("${item.tags}").value({"item": {"tags": ["a", "b"]}})
        ['a', 'b']
        """
        if len(self.parts) == 1:
            (part,) = self._resolve(scope, strict=strict)
            return part if isinstance(part, str) else part[0]
        return self.render(scope, strict=strict)

    def _resolve(self, scope: Scope, *, strict: bool) -> list[str | tuple[Json, str]]:
        """Each part's text, or its value and what joins it if it is a list."""
        problems: list[Problem] = []
        found: list[str | tuple[Json, str]] = []
        for part in self.parts:
            try:
                found.append(
                    part if isinstance(part, str) else self._resolve_one(part, scope, strict=strict)
                )
            except ConfigError as error:
                problems.extend(error.problems)
        refuse(problems)
        return found

    def _resolve_one(
        self, reference: Reference, scope: Scope, *, strict: bool
    ) -> str | tuple[Json, str]:
        if _belongs_elsewhere(reference, scope, shell=self.shell):
            if strict and reference.braced and not self.shell:
                raise ConfigError(unknown_name(reference, scope))
            return self._as_it_stands(reference, scope)
        return resolve(reference, scope, strict=strict), separator(reference.path)

    def _as_it_stands(self, reference: Reference, scope: Scope) -> str:
        """A reference that is not ours; what it defaults to is a template all the same."""
        if reference.default is None:
            return reference.raw
        before = reference.raw[: -len(reference.default.text) - 1]
        return before + reference.default.render(scope) + "}"

    def __str__(self) -> str:
        """The text it was read from."""
        return self.text


def _belongs_elsewhere(reference: Reference, scope: Scope, *, shell: bool) -> bool:
    """Whether a reference is left as it stands."""
    if not reference.braced:
        return lookup(scope, reference.path) is MISSING
    known = is_known(scope, reference.head)
    return left_to_shell(reference, known=known) if shell else not (known or reference.default)


def left_to_shell(reference: Reference, *, known: bool) -> bool:
    """Whether a reference in a command belongs to the shell: its name is unknown.

    One with a default that no shell could read, `${item.path:-none}`, is ours all the same.
    """
    if known:
        return False
    readable = reference.raw.startswith("${") and _SHELL_NAME.fullmatch(str(reference.path))
    return reference.default is None or readable is not None


def resolve(reference: Reference, scope: Scope, *, strict: bool = True) -> Json:
    """The value of a reference: looked up, defaulted, filtered.

    Raises:
        ConfigError: there is nothing at the path and no default, or a filter is unknown.
    """
    value = lookup(scope, reference.path)
    if (value is MISSING or value is None) and reference.default is not None:
        value = reference.default.render(scope, strict=strict)
    if isinstance(value, Missing):
        raise ConfigError(unknown_name(reference, scope))
    for name in reference.filters:
        if not is_filter(name):
            raise ConfigError(_unknown_filter(reference, name))
        value = apply_filter(name, value)
    return value


_MOST_NAMES: Final = 20


def unknown_name(reference: Reference, scope: Scope) -> Problem:
    """What to say of a reference that finds nothing: what there is instead."""
    names = names_beside(scope, reference.path)
    shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    return Problem(
        code="undefined-variable",
        message="nothing by this name",
        where=reference.where,
        value=reference.raw,
        expected=f"one of {shown}" if shown else None,
        hint=did_you_mean(str(reference.path.names[-1]), names) if reference.path.names else None,
    )


def _unknown_filter(reference: Reference, name: str) -> Problem:
    return Problem(
        code="unknown-filter",
        message="unknown filter",
        where=reference.where,
        value=f"{reference.raw} (`:{name}`)",
        expected="`:json`, `:lines`, `:csv`, or a glob such as `:*.md`",
        hint=did_you_mean(name, ("json", "lines", "csv")),
    )


# --- reading -------------------------------------------------------------------------------------

_BARE: Final = re.compile(r"\$([A-Za-z_]\w*|\d+)", re.ASCII)
_SHELL_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FILTER: Final = re.compile(r"[A-Za-z_*\[./][^:}\s]*")
_PLACE: Final = re.compile(r"\$|\{\{")
_BRACE: Final = re.compile(r"[{}]")
_DEEPEST: Final = 20


@lru_cache(maxsize=512)
def parse_template(text: str, *, shell: bool = False) -> Template:
    """Read a template.

    `${path}`, `${path:-default}` and `{{ path }}` are references; filters follow the path:
    `${step.files_added:*.md:json}`. `$${` is a literal `${`. Outside of commands `$name` is a
    reference too.

    Args:
        text: the template.
        shell: whether a shell will read it; `compile_shell` is what makes it fit to run.

    Raises:
        ConfigError: defaults inside defaults, too deep.

    >>> [str(reference) for reference in parse_template("${a} {{ b.c }} ${d:-${e}}").references]
    ['${a}', '{{ b.c }}', '${d:-${e}}', '${e}']
    """
    return TemplateReader(text, shell=shell).template(0, len(text))


class TemplateReader:
    """Reads the references of one text; a default is a template inside it."""

    def __init__(self, text: str, *, shell: bool) -> None:
        self.text = text
        self.shell = shell
        self._depth = 0

    @cached_property
    def where(self) -> Callable[[int], Location]:
        """The function that says where an offset is."""
        return locator(self.text)

    @cached_property
    def _braces(self) -> Mapping[int, int]:
        """Each brace that is closed, and where."""
        opened: list[int] = []
        pairs: dict[int, int] = {}
        for brace in _BRACE.finditer(self.text):
            if brace[0] == "{":
                opened.append(brace.start())
            elif opened:
                pairs[opened.pop()] = brace.start()
        return pairs

    def template(self, start: int, stop: int) -> Template:
        """The template between two offsets."""
        return Template(self.text[start:stop], tuple(self._parts(start, stop)), shell=self.shell)

    def _parts(self, start: int, stop: int) -> Iterator[Part]:
        pos, done, literal = start, start, ""
        while (place := _PLACE.search(self.text, pos, stop)) is not None:
            pos = place.start()
            if self.text.startswith("$${", pos):
                literal += self.text[done:pos] + "${"
                pos = done = pos + 3
            elif (found := self.reference(pos)) is not None:
                if literal := literal + self.text[done:pos]:
                    yield literal
                yield found
                literal = ""
                pos = done = pos + len(found.raw)
            else:
                pos += 2 if self.shell and self.text.startswith("$$", pos) else 1
        if literal := literal + self.text[done:stop]:
            yield literal

    def reference(self, start: int) -> Reference | None:
        """The reference that starts at an offset, if one does."""
        for opening, closing in (("${", "}"), ("{{", "}}")):
            if self.text.startswith(opening, start):
                return self._braced(start, closing)
        bare = None if self.shell else _BARE.match(self.text, start)
        if bare is None:
            return None
        where = self.where(start)
        return Reference(raw=bare[0], path=FieldPath((bare[1],)), braced=False, where=where)

    def _braced(self, start: int, closing: str) -> Reference | None:
        scanner = Scanner(self.text, start + 2)
        scanner.skip_space()
        path = read_path(scanner)
        if path is None or not path.names:
            return None
        filters = tuple(_read_filters(scanner))
        default = self._default(scanner, start, closing) if scanner.take(":-") else None
        scanner.skip_space()
        if not scanner.take(closing):
            return None
        return Reference(
            raw=self.text[start : scanner.pos],
            path=path,
            filters=filters,
            default=default,
            where=self.where(start),
        )

    def _default(self, scanner: Scanner, start: int, closing: str) -> Template | None:
        """The template up to the brace that closes the reference."""
        stop = self._closing(start, closing)
        if stop is None:
            return None
        if self._depth == _DEEPEST:
            raise ConfigError(scanner.problem("too-deep", f"more than {_DEEPEST} nested defaults"))
        if closing == "}}":
            stop = scanner.pos + len(self.text[scanner.pos : stop].rstrip())
        self._depth += 1
        default = self.template(scanner.pos, stop)
        self._depth -= 1
        scanner.pos = stop
        return default

    def _closing(self, start: int, closing: str) -> int | None:
        inner = self._braces.get(start + 1)
        if closing == "}" or inner is None:
            return inner
        return inner if self._braces.get(start) == inner + 1 else None


def _read_filters(scanner: Scanner) -> Iterator[str]:
    while scanner.peek(":") and (name := _FILTER.match(scanner.text, scanner.pos + 1)):
        scanner.pos = name.end()
        yield name[0]
