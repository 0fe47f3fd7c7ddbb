"""How many threads may be asked for: the engine and the model make as many as they are told to."""

from __future__ import annotations

from weft.errors import InvalidInput

__all__ = ["check_threads"]

_MOST = 1 << 10
"""More than any one machine has processors. A million would be made, one after the other, for minutes."""


def check_threads(threads: int) -> None:
    """Raise `InvalidInput` unless it is a number of threads that can be made.

    >>> check_threads(1_000_000)
    Traceback (most recent call last):
        ...
    weft.errors.InvalidInput: threads is 1000000, expected 1 to 1024
    """
    if not isinstance(threads, int) or isinstance(threads, bool) or not 1 <= threads <= _MOST:
        raise InvalidInput(f"threads is {threads!r}, expected 1 to {_MOST}")
