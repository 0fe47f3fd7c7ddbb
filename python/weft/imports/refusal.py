"""How the refusal of a file of another library is said: the file first, then what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.errors import InvalidInput, UnreadableSource
from weft.metadata import as_metadata
from weft.places import is_special

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["metadata_of", "refused", "require_file"]


def refused(file: Path, problem: str) -> UnreadableSource:
    """Make the error for one file of an index that is being imported."""
    return UnreadableSource(f"{file}: {problem}")


def require_file(file: Path) -> None:
    """Refuse a pipe or a device in the place of a file: reading it would wait for ever, or never end."""
    if is_special(file):
        raise refused(file, "is a pipe or a device: a file is needed")


def metadata_of(value: object, file: Path, name: str) -> str | None:
    """Write metadata as JSON; what cannot be is a refusal of the file it is from."""
    try:
        return as_metadata(value, name)
    except InvalidInput as error:
        raise refused(file, str(error)) from error
