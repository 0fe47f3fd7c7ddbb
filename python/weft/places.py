"""What a path may be: where something new is made, and what is opened as a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from weft.errors import InvalidInput

__all__ = ["check_apart", "is_special"]


def is_special(path: Path) -> bool:
    """Say whether a path leads to a pipe, a socket or a device, which may block for ever or never end."""
    try:
        mode = path.stat().st_mode
    except OSError:
        # Opening it will say what is wrong.
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_apart(source: str | os.PathLike[str], destination: str | os.PathLike[str]) -> None:
    """Raise `InvalidInput` when the destination is the source or lies inside of it, links followed.

    >>> check_apart("old", "old/new")
    Traceback (most recent call last):
        ...
    weft.errors.InvalidInput: old/new: lies inside of old, which is not to be changed: name another place
    """
    # Not Path.resolve, which raises RuntimeError for links that go in a circle.
    if Path(os.path.realpath(destination)).is_relative_to(os.path.realpath(source)):
        raise InvalidInput(
            f"{os.fspath(destination)}: lies inside of {os.fspath(source)}, which is not to be changed: "
            "name another place"
        )
