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
    id : str or None
        Its id; None when that is lost too.
    docno : int
        The engine's number of its first passage.
    reason : str
        What is damaged.
    text_is_whole : bool
        Whether its text, title and metadata are whole: they stand in the file `Repair.texts` then.
    """

    id: str | None
    docno: int
    reason: str
    text_is_whole: bool


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of a repair.

    Attributes
    ----------
    destination : str
        The new index.
    documents, passages, tokens : int
        What was saved.
    lost : tuple of Lost
        What was not.
    damage : tuple of str
        What was found damaged, in words.
    texts : str or None
        A file with the lost documents whose texts are whole, as JSON lines: ``weft index`` adds them again.
    """

    destination: str
    documents: int
    passages: int
    tokens: int
    lost: tuple[Lost, ...]
    damage: tuple[str, ...]
    texts: str | None


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
    IndexLocked
        A writer is at work.
    CorruptIndex
        The catalogue cannot be read at all.

    Examples
    --------
    >>> saved = repair(index.path, index.path + ".saved")
    >>> saved.documents, saved.lost
    (3, ())
    """
    report: dict[str, Any] = _core.repair(os.fspath(path), os.fspath(destination), progress)
    texts = report["texts"]
    return Repair(
        destination=os.fspath(destination),
        documents=report["documents"],
        passages=report["passages"],
        tokens=report["tokens"],
        lost=tuple(Lost(*one) for one in report["lost"]),
        damage=tuple(report["damage"]),
        texts=None if texts is None else os.fspath(texts),
    )
