"""Why a passage scored as it did: which token of the query met which token of the passage.

MaxSim is a sum of one term per query token, so an explanation is complete: the similarities of the
matches add up to the score. `Explanation.highlights` turns the matches into the words a reader
wants to see marked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

__all__ = ["Explanation", "Highlight", "TokenMatch"]


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """One query token and the passage token it is nearest to.

    Attributes
    ----------
    query_token : str
        The token as the tokenizer writes it; ``#3`` when the encoder cannot name its tokens.
    query_start, query_end : int or None
        Where it lies in the query; None for markers and masks.
    token : str
        The passage token.
    start, end : int or None
        Where that lies in the document's text (or title, see `field`), in characters; None for
        markers.
    field : str or None
        ``"text"``, ``"title"``, or None for a token that stands in neither.
    similarity : float
        Their cosine: this token's part of the score.
    """

    query_token: str
    query_start: int | None
    query_end: int | None
    token: str
    start: int | None
    end: int | None
    field: str | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Highlight:
    """A word of the document's text or title that the query met.

    Attributes
    ----------
    start, end : int
        Where the word lies, in characters.
    weight : float
        0 to 1: its part of the score, relative to the word with the largest.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """The matches behind one score.

    Attributes
    ----------
    id : str
        The document's id.
    passage : int
        Which of its passages, from 0.
    score : float
        The sum of the similarities.
    query : str
        The query.
    text : str
        The whole text of the document.
    title : str or None
        Its title.
    start, end : int
        Where the passage lies in it, in characters.
    matches : tuple of TokenMatch
        One per query token, in the query's order.
    """

    id: str
    passage: int
    score: float
    query: str
    text: str
    title: str | None
    start: int
    end: int
    matches: tuple[TokenMatch, ...]

    def __repr__(self) -> str:
        return (
            f"Explanation(id={self.id!r}, passage={self.passage}, score={self.score:.4f}, "
            f"matches={len(self.matches)})"
        )

    def __str__(self) -> str:
        query = max((len(match.query_token) for match in self.matches), default=0)
        token = max((len(match.token) for match in self.matches), default=0)
        lines = [f"{self.id} passage {self.passage}  score {self.score:.4f}"]
        for match in self.matches:
            place = "" if match.start is None else f"  {match.field} {match.start}-{match.end}"
            line = f"  {match.query_token:<{query}}  {match.similarity:7.4f}"
            lines.append(f"{line}  {match.token:<{token}}{place}".rstrip())
        return "\n".join(lines)

    def highlights(
        self, minimum: float = 0.0, *, field: Literal["text", "title"] = "text"
    ) -> tuple[Highlight, ...]:
        """Words of the text that tokens of the query met, in the order of the text.

        Only tokens that stand in the query count: markers and masks meet words too, but a reader
        cannot see why. A match in the middle of a word marks the whole word.

        Parameters
        ----------
        minimum : float
            Similarity below which a match is left out.
        field : {"text", "title"}
            Where to mark.

        Returns
        -------
        tuple of Highlight
            Disjoint spans, ascending.
        """
        text = self.text if field == "text" else self.title or ""
        weights: defaultdict[tuple[int, int], float] = defaultdict(float)
        for match in self.matches:
            if match.query_start is None or match.field != field or match.start is None:
                continue
            if match.end is None or match.end <= match.start:
                continue
            if match.similarity <= 0.0 or match.similarity < minimum:
                continue
            weights[_word_around(text, match.start, match.end)] += match.similarity
        if not weights:
            return ()
        largest = max(weights.values())
        return tuple(Highlight(*span, weight / largest) for span, weight in sorted(weights.items()))


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a token's span to the run of letters and digits it is part of.

    Two spans of one run widen to the same run, so what comes out never overlaps.
    """
    if not text[start].isalnum():
        return start, end
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
