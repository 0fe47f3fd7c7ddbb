"""Saving what is whole of a damaged index."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft import _core

if TYPE_CHECKING:
    from weft.ingest import Progress

__all__ = ["Lost", "Repair", "repair"]


@dataclass(frozen=True, slots=True)
class Lost:
    """One document that could not be saved.

    Attributes
    ----------
    id : str
        Its id; where that is not readable either, the number it had.
    reason : str
        What is damaged.
    text_is_whole : bool
        Whether its text, title and metadata can still be read from the damaged index with
        `Index.get`, so that it can be added again.
    """

    id: str
    reason: str
    text_is_whole: bool


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of a repair.

    Attributes
    ----------
    destination : str
        The new index.
    documents, passages : int
        What was saved.
    lost : tuple of Lost
        What was not.
    """

    destination: str
    documents: int
    passages: int
    lost: tuple[Lost, ...]


def repair(
    path: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> Repair:
    """Save what is whole of a damaged index into a new one.

    The damaged index is not changed. A document is saved when its row in the catalogue and the vectors
    of all its passages are whole; vectors are taken over as they are.

    Parameters
    ----------
    path : str or path
        The damaged index.
    destination : str or path
        Where the new one is made; nothing may be there.
    progress : callable, optional
        Called with stage, done and total.

    Returns
    -------
    Repair
        What was saved and what was lost.

    Raises
    ------
    IndexNotFound
        Nothing is at `path`.
    IndexExists
        Something is at `destination`.
    CorruptIndex
        The catalogue cannot be read at all.

    Examples
    --------
    >>> saved = repair(index.path, index.path + ".saved")
    >>> saved.documents, saved.lost
    (3, ())
    """
    report: dict[str, Any] = _core.repair(os.fspath(path), os.fspath(destination), progress)
    lost = tuple(Lost(str(name), reason, whole) for name, reason, whole in report["lost"])
    return Repair(os.fspath(destination), report["documents"], report["passages"], lost)
