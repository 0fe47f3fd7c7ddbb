"""From an exception to one line on standard error and an exit status."""

from __future__ import annotations

import sys

from weft.errors import (
    CorruptIndex,
    IncompatibleIndex,
    IndexLocked,
    IndexNotFound,
    UnreadableSource,
    WeftError,
)

__all__ = ["DONE", "FAILED", "INTERRUPTED", "LOCKED", "UNREADABLE", "failed", "status_of"]

DONE = 0
FAILED = 1
UNREADABLE = 3
LOCKED = 4
INTERRUPTED = 130

_LONGEST = 2000  # Characters of a message.


def status_of(error: Exception) -> int:
    """Choose the exit status: what a script can act on has its own."""
    if isinstance(error, (IndexNotFound, CorruptIndex, IncompatibleIndex, UnreadableSource)):
        return UNREADABLE
    if isinstance(error, IndexLocked):
        return LOCKED
    return FAILED


def failed(error: Exception) -> int:
    """Say what went wrong and return the exit status."""
    if isinstance(error, WeftError):
        message = str(error)
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}"
    else:
        message = f"unexpected {type(error).__name__}: {error}: run again with --debug and report it"
    line = " ".join(message.split())
    if len(line) > _LONGEST:
        # A hostile file may put megabytes into a name: what is wrong with it stands at either end.
        line = f"{line[: _LONGEST // 2]} [...] {line[-_LONGEST // 2 :]}"
    print(f"weft: {line}", file=sys.stderr)
    return status_of(error)
