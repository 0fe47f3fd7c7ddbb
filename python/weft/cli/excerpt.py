"""Which stretch of a long passage to show: the one that met most of the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.explanation import Highlight

__all__ = ["best_stretch"]


def best_stretch(
    text: str, start: int, end: int, highlights: Sequence[Highlight], length: int
) -> tuple[int, int]:
    """Choose a stretch of about `length` characters, cut at blanks.

    Parameters
    ----------
    text : str
        The whole text.
    start, end : int
        The passage in it.
    highlights : sequence of Highlight
        Words that the query met; without any, the passage's beginning is chosen.
    length : int
        Characters to show.

    Returns
    -------
    tuple of int and int
        Start and end of the stretch.
    """
    if end - start <= length:
        return start, end
    best, heaviest = start, 0.0
    # A third of the room stays in front of the first word, so that it is read in its sentence.
    for candidate in (max(start, highlight.start - length // 3) for highlight in highlights):
        weight = sum(
            highlight.weight
            for highlight in highlights
            if candidate <= highlight.start and highlight.end <= candidate + length
        )
        if weight > heaviest:
            best, heaviest = candidate, weight
    first = min(best, end - length)
    if first > start:
        first = _next_word(text, first, end)
    last = min(first + length, end)
    if last < end:
        blank = text.rfind(" ", first, last)
        last = blank if blank > first else last
    return first, last


def _next_word(text: str, position: int, end: int) -> int:
    blank = text.find(" ", position, min(position + 30, end))
    return position if blank < 0 else blank + 1
