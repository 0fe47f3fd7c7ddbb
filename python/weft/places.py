"""Where something new is made: not inside of what it is made from, which stays as it is."""

from __future__ import annotations

import os
from pathlib import Path

from weft.errors import InvalidInput

__all__ = ["check_apart"]


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
