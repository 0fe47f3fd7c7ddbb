"""An index of another library as its reader gives it, ready to be taken over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from weft.imports.coded import Coded

__all__ = ["REMOVED", "Document", "Foreign"]

REMOVED = "passages without tokens: they were removed from the index"


@dataclass(frozen=True, slots=True)
class Document:
    """One document that will be taken over.

    Attributes
    ----------
    id : str
        Its id, unique in the index.
    passages : tuple of int
        Positions of its passages in the foreign index, of which each has tokens.
    text, title, metadata : str or None
        As they are stored.
    spans : tuple of (int, int)
        Where in the text each passage is.
    """

    id: str
    passages: tuple[int, ...]
    text: str | None = None
    title: str | None = None
    metadata: str | None = None
    spans: tuple[tuple[int, int], ...] = ((0, 0),)

    @classmethod
    def single(
        cls,
        name: str,
        passage: int,
        text: str | None = None,
        title: str | None = None,
        metadata: str | None = None,
    ) -> Document:
        """Make one of a single passage."""
        return cls(name, (passage,), text, title, metadata, ((0, len(text or "")),))


@dataclass(slots=True)
class Foreign:
    """A foreign index, checked as far as that is possible without reading every code.

    Attributes
    ----------
    kind : str
        Which library made it.
    directory : Path
        Where it is.
    coded : Coded
        Its codebook and tokens.
    documents : callable
        Goes through the documents that will be taken over.
    checkpoint : str or None
        Name or path of the checkpoint that made the vectors, when the index tells.
    config : dict
        Settings of encoding and searching that the index tells.
    left_out : Counter
        What is not taken over: reasons and how often.
    notes : list of str
        What else a person should know.
    """

    kind: str
    directory: Path
    coded: Coded
    documents: Callable[[], Iterator[Document]]
    checkpoint: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
