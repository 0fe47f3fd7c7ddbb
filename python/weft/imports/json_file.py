"""JSON of a foreign index: read whole, and what was expected of it checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.imports.refusal import refused, require_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["count_in", "read_json", "read_lengths", "read_object"]

_MOST_TOKENS = 1 << 31


def read_json(path: Path) -> Any:
    """Parse a file.

    Raises
    ------
    UnreadableSource
        It cannot be read, or is no JSON.
    """
    require_file(path)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    except RecursionError:
        raise refused(path, "is nested too deeply") from None
    # Not UTF-8 is a ValueError too.
    except ValueError as error:
        raise refused(path, f"is no JSON: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """Parse a file that holds an object."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise refused(path, f"holds a {type(value).__name__} where an object belongs")
    return value


def count_in(path: Path, values: dict[str, Any], key: str, *, least: int = 0) -> int:
    """Get a whole number out of an object."""
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise refused(path, f"{key} is {str(value)[:40]!r}: a whole number of at least {least} is needed")
    return value


def read_lengths(path: Path) -> npt.NDArray[np.int64]:
    """Read the tokens of each passage of a chunk."""
    values = read_json(path)
    # Exactly int: true and 1.0 are no lengths.
    if not isinstance(values, list) or not all(
        type(one) is int and 0 <= one < _MOST_TOKENS for one in values
    ):
        raise refused(path, "is no list of lengths: whole numbers, one for each passage, are needed")
    return np.array(values, np.int64)
