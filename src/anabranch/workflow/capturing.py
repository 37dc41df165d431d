"""Captures in workflow files, in our words and in Prodigy's."""

from __future__ import annotations

from typing import Final, TypeAlias

from returns.result import Result

from anabranch.planning.captures import Capture, CaptureFormat
from anabranch.values import ConfigError, Location, Problem
from anabranch.values.yaml import Node, Scalar, Spot
from anabranch.workflow.checks import Problems, capture_name
from anabranch.workflow.shapes import Key, Shape, choice, flag, text

_NameOrFlag: TypeAlias = str | bool

CAPTURING: Final = frozenset({"capture", "capture_output", "capture_format"})
"""The keys of a step that say what is captured."""

_NAME: Final = text("the name of a variable", check=capture_name, pattern=r"^[A-Za-z_]")
_FLAG: Final = flag()


def _read_output(node: Node, spot: Spot) -> Result[_NameOrFlag, Problems]:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return _FLAG.read(node, spot).map(bool)
    return _NAME.read(node, spot).map(str)


_OUTPUT: Final[Shape[_NameOrFlag]] = Shape(
    _read_output,
    {"anyOf": [_FLAG.schema, _NAME.schema]},
    "the name of a variable, `true` or `false`",
)

CAPTURE_KEYS: Final = (
    Key("capture", _NAME, "A variable that gets what it prints."),
    Key("capture_output", _OUTPUT, "The same; `true` is `shell.output` or `claude.output`."),
    Key("capture_format", choice(CaptureFormat), "How what it prints is read."),
)


def captured_by(
    kind: str,
    *,
    capture: str | None = None,
    capture_output: _NameOrFlag = False,
    capture_format: CaptureFormat | None = None,
) -> Capture | None:
    """What a step captures.

    Args:
        kind: what the step is: `shell`, or the name of an agent.
        capture: a name.
        capture_output: a name, or whether to capture at all.
        capture_format: how what is printed is read.

    Raises:
        ConfigError: they do not go together.
    """
    if capture is not None and capture_output:
        raise _refused("capture_output", "captures the same in other words as `capture`")
    name = capture or (f"{kind}.output" if capture_output is True else capture_output or None)
    if name is None:
        if capture_format is not None:
            raise _refused("capture_format", "nothing is captured")
        return None
    return Capture(name=name, format=capture_format or CaptureFormat.STRING)


def _refused(key: str, message: str) -> ConfigError:
    return ConfigError(Problem(code="bad-capture", message=message, where=Location(path=key)))
