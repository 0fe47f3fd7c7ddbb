"""What a search gives back: small frozen objects that print well.

They hold plain Python values only, so they can be pickled, compared and turned into JSON with
`dataclasses.asdict` without the index they came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Document", "Hit", "Part", "RerankHit"]

_REPR_CHARACTERS = 60


def _shortened(text: str) -> str:
    """Repr of a text, cut so that a list of hits stays readable at a prompt."""
    if len(text) <= _REPR_CHARACTERS:
        return repr(text)
    return repr(text[: _REPR_CHARACTERS - 1].rstrip() + "…")


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """Where a hit stood in one of the lists that its ranking was made of.

    Attributes
    ----------
    rank : int
        Place in that list, from 1.
    score : float
        Score in that list: MaxSim in the semantic one, BM25 in the keyword one.
    """

    rank: int
    score: float

    def __repr__(self) -> str:
        return f"Part(rank={self.rank}, score={self.score:.4f})"


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """One ranked passage.

    Attributes
    ----------
    rank : int
        Place in the ranking, from 1.
    id : str
        The document's id.
    score : float
        In a semantic search MaxSim: the sum, over the query's tokens, of the best cosine with a token of
        the passage. In a keyword search BM25, in a hybrid one the fused score. Scores of different
        queries, or of different modes, do not compare.
    text : str
        The passage: all of the document's text when it fits the model, else a piece of it. Empty
        when the search was told ``texts=False``.
    title : str or None
        The document's title.
    metadata : dict
        What was given with the document; empty when nothing was.
    passage, passages : int
        Which of the document's passages this is, from 0, and how many there are.
    start, end : int
        Where the passage lies in the document's text, in characters.
    parts : dict of str to Part
        Where the passage stood in each list it was found in: ``"semantic"``, ``"keyword"``.
    """

    rank: int
    id: str
    score: float
    text: str
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    passage: int = 0
    passages: int = 1
    start: int = 0
    end: int = 0
    parts: Mapping[str, Part] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        piece = f", passage={self.passage} of {self.passages}" if self.passages > 1 else ""
        title = f", title={_shortened(self.title)}" if self.title else ""
        text = f", text={_shortened(self.text)}" if self.text else ""
        return f"Hit(rank={self.rank}, id={self.id!r}, score={self.score:.4f}{piece}{title}{text})"


@dataclass(frozen=True, slots=True, repr=False)
class RerankHit:
    """One text of those given to `weft.rerank`.

    Attributes
    ----------
    rank : int
        Place in the ranking, from 1.
    index : int
        Place in the list that was given, from 0.
    score : float
        MaxSim of the text's best passage.
    text : str
        The text as it was given.
    """

    rank: int
    index: int
    score: float
    text: str

    def __repr__(self) -> str:
        return (
            f"RerankHit(rank={self.rank}, index={self.index}, score={self.score:.4f}, "
            f"text={_shortened(self.text)})"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """One document as the index keeps it.

    Attributes
    ----------
    id : str
        The id that was given or made.
    text : str or None
        The whole text; None when only vectors were added.
    title : str or None
        The title.
    metadata : dict
        What was given with the document; empty when nothing was.
    passages : tuple of (int, int)
        Where each passage lies in the text: start and end, in characters.
    """

    id: str
    text: str | None
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    passages: tuple[tuple[int, int], ...] = ()

    def __repr__(self) -> str:
        pieces = f", passages={len(self.passages)}" if len(self.passages) > 1 else ""
        title = f", title={_shortened(self.title)}" if self.title else ""
        text = f", text={_shortened(self.text)}" if self.text else ""
        return f"Document(id={self.id!r}{title}{text}{pieces})"
