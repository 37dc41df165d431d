"""Effects among values of `returns`: conversions, pointfree functions, and a container.

`Result` is what effects end in, so most code needs nothing from here. This package is for
code that already speaks `returns`: its futures, its readers, its `flow` and `pipe`, its laws.
"""

from anabranch.interop.containers import EffectContainer
from anabranch.interop.conversions import (
    from_context,
    from_future,
    from_io,
    from_maybe,
    to_context,
    to_future,
    to_io,
)
from anabranch.interop.pointfree import alt, bind, lash, map_

__all__ = [
    "EffectContainer",
    "alt",
    "bind",
    "from_context",
    "from_future",
    "from_io",
    "from_maybe",
    "lash",
    "map_",
    "to_context",
    "to_future",
    "to_io",
]
