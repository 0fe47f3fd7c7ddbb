"""How the refusal of a file of another library is said: the file first, then what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.errors import InvalidInput, UnreadableSource
from weft.metadata import as_metadata

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["metadata_of", "refused"]


def refused(file: Path, problem: str) -> UnreadableSource:
    """Make the error for one file of an index that is being imported."""
    return UnreadableSource(f"{file}: {problem}")


def metadata_of(value: object, file: Path, name: str) -> str | None:
    """Write metadata as JSON; what cannot be is a refusal of the file it is from."""
    try:
        return as_metadata(value, name)
    except InvalidInput as error:
        raise refused(file, str(error)) from error
