"""Cut a long text into passages that the model reads whole.

Cuts fall at sentence ends; a sentence that is too long by itself is cut at white space, and a word that
is too long anywhere between two characters. Of all ways to cut into the least number of pieces, the one whose
longest piece is shortest is taken, so that no passage is a tiny rest.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["split_spans"]

Span = tuple[int, int]

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]»]*(?=\s)|[。！？]+[」』”’）]*|\n\s*\n")
"""An end mark with its closing quotes before white space, a full-width end mark, or a blank line."""

_WORD = re.compile(r"\S+")


def split_spans(
    text: str,
    offsets: Sequence[Span],
    budget: int,
    fits: Callable[[Sequence[Span]], Sequence[int]],
) -> list[Span] | None:
    """Return spans of `text`, in order and apart, that cover all of it but white space.

    Parameters
    ----------
    text : str
        The text, which is longer than the budget.
    offsets : sequence of (int, int)
        Characters of each token of the whole text, in order.
    budget : int
        Tokens a piece may have.
    fits : callable
        Takes spans and returns by how many tokens each is too long, 0 or less when it fits. The
        tokens of a piece alone can differ from its tokens within the whole text.

    Returns
    -------
    list of (int, int) or None
        Character spans; None when not even single characters fit.
    """
    starts = [start for start, _ in offsets]
    while budget > 0:
        spans = _pack(_sentences(text), _Counter(text, starts), budget)
        excess = max(fits(spans))
        if excess <= 0:
            return spans
        budget -= excess
    return None


class _Counter:
    """Counts the tokens that begin within a span of the text."""

    def __init__(self, text: str, starts: list[int]) -> None:
        self.text = text
        self._starts = starts

    def __call__(self, span: Span) -> int:
        return bisect_left(self._starts, span[1]) - bisect_left(self._starts, span[0])

    def characters(self, span: Span) -> list[Span]:
        """Return the parts of a word that begin where its tokens do, each at least a character."""
        low, high = bisect_left(self._starts, span[0]), bisect_left(self._starts, span[1])
        # Several tokens of one character share their start, and a character is never cut.
        cuts = sorted({span[0], *self._starts[low:high]})
        return list(zip(cuts, [*cuts[1:], span[1]], strict=True))


def _pack(units: list[Span], count: _Counter, budget: int) -> list[Span]:
    """Join neighbouring units into the least number of pieces within the budget, evenly."""
    small = [part for unit in units for part in _within(unit, count, budget)]
    sizes = [count(part) for part in small]
    least = len(_greedy(sizes, budget))
    low, high = max([1, *sizes]), budget
    while low < high:
        middle = (low + high) // 2
        if len(_greedy(sizes, middle)) <= least:
            high = middle
        else:
            low = middle + 1
    # A single unit larger than the budget (one character of many tokens) makes low exceed it.
    groups = _greedy(sizes, max(low, high))
    return [(small[first][0], small[last - 1][1]) for first, last in groups]


def _within(unit: Span, count: _Counter, budget: int) -> list[Span]:
    """Return the unit, or the pieces of it when it is longer than the budget."""
    if count(unit) <= budget:
        return [unit]
    words = [match.span() for match in _WORD.finditer(count.text, *unit)]
    if len(words) > 1:
        return _pack(words, count, budget)
    letters = count.characters(unit)
    if len(letters) > 1:
        return _pack(letters, count, budget)
    return [unit]


def _greedy(sizes: list[int], cap: int) -> list[Span]:
    """Return the groups, as ranges of units, made by filling each as far as `cap` goes."""
    groups: list[Span] = []
    first, filled = 0, 0
    for number, size in enumerate(sizes):
        if number > first and filled + size > cap:
            groups.append((first, number))
            first, filled = number, 0
        filled += size
    groups.append((first, len(sizes)))
    return groups


def _sentences(text: str) -> list[Span]:
    """Return the spans of the sentences, without the white space around them."""
    spans: list[Span] = []
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(stripped)))
        start = end
    return spans
