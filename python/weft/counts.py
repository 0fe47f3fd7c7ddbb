"""Counts that a caller gives: results, cells, candidates, queries."""

from __future__ import annotations

from operator import index
from typing import Any

from weft.errors import InvalidInput

__all__ = ["as_count"]

_ALL = 1 << 32


def as_count(name: str, value: Any) -> int:
    """Check a count, and let it fit the engine's: what is more than any index holds is all of it.

    Parameters
    ----------
    name : str
        What the caller calls it.
    value : int, or an object that is one
        The count.

    Returns
    -------
    int
        At least 1, and at most 2 to the 32nd.

    Raises
    ------
    InvalidInput
        It is no whole number of at least 1.
    """
    try:
        number = 0 if isinstance(value, bool) else index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise InvalidInput(f"{name} is {value!r}: a whole number of at least 1 is needed")
    return min(number, _ALL)
