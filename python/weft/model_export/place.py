"""A directory that is there when it is complete, and not before."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from weft.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MARK", "check_place", "complete_directory"]

MARK = "export.json"
"""The file that says how an export was made; a directory that has it may be replaced by another export."""


def check_place(out: Path, *, replace: bool) -> None:
    """See that an export may be written to `out`.

    Raises
    ------
    InvalidInput
        If something is there that must not be replaced. Only an empty directory, or with `replace` an earlier
        export, may be: a slip of the hand must not cost a folder of something else.
    """
    if not out.exists():
        if not out.parent.is_dir():
            raise InvalidInput(f"{out.parent}: no such folder to put the export into")
        return
    if not out.is_dir():
        raise InvalidInput(f"{out} is a file: name a folder")
    if not any(out.iterdir()):
        return
    if not (out / MARK).is_file():
        raise InvalidInput(
            f"{out} is there and is no export of Weft's (it has no {MARK}): name another folder"
        )
    if not replace:
        raise InvalidInput(f"{out} is there already: name another folder, or say --force to replace it")


@contextmanager
def complete_directory(out: Path, *, replace: bool) -> Iterator[Path]:
    """Give a directory to fill; after the block it has its name, or is gone when the block failed.

    An earlier export keeps its name until the new one is complete.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    part.mkdir()
    try:
        yield part
        # What has appeared meanwhile is judged as what was there before.
        check_place(out, replace=replace)
        if out.exists():
            out.rename(old)
        try:
            part.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
