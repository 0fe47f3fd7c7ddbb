"""What came of an import."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Import", "LeftOut"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the source that the new index does not have.

    Attributes
    ----------
    count : int
        How many.
    what : str
        What they are, and why they are left out.
    """

    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Import:
    """What came of an import.

    Attributes
    ----------
    destination : str
        The new index.
    kind : str
        The library that made the source.
    documents, passages, tokens : int
        What was taken over.
    dim, nbits : int
        Components of a vector, and bits of each residual component.
    model : str or None
        The model that the new index remembers, by which it is searched; None when it remembers none.
    checkpoint : str or None
        The checkpoint that the source names.
    left_out : tuple of LeftOut
        What was not taken over, and why.
    notes : tuple of str
        What else one should know.
    """

    destination: str
    kind: str
    documents: int
    passages: int
    tokens: int
    dim: int
    nbits: int
    model: str | None
    checkpoint: str | None
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
