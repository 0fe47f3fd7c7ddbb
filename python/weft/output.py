"""Files that are written for a person: complete under their name, or not there."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complete"]


@contextmanager
def complete(name: str, *, replace: bool) -> Iterator[Path]:
    """Give the path to write to; after the block the file has its name.

    A file of another name is written and then renamed, so that who finds the file finds all of it, and an
    old one stays until then. A pipe or a device cannot be replaced by a finished file, and is written to.

    Parameters
    ----------
    name : str
        The file.
    replace : bool
        Whether one that is there may go.

    Raises
    ------
    InvalidInput
        It is there and may not go.
    """
    from weft.errors import InvalidInput

    path = Path(name)
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise InvalidInput(f"{name} is a folder: name a file")
        yield path
        return
    if path.exists() and not replace:
        raise InvalidInput(f"{name} is there already: name another file, or say --force to replace it")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        if path.exists() and not replace:
            raise InvalidInput(f"{name} has appeared meanwhile: name another file, or say --force")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
