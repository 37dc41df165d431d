"""Files written so that nobody ever sees half of one."""

from __future__ import annotations

import os


def replace_file(path: str, data: bytes) -> None:
    """Give a file new content by one rename. It is not made durable."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
