"""Hits as a person reads them and as a program reads them."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from weft.cli.excerpt import best_stretch
from weft.cli.terminal import Style, printable, with_marks, wrapped
from weft.explanation import Highlight

if TYPE_CHECKING:
    from weft.explanation import Explanation
    from weft.results import Hit

__all__ = ["as_json", "hit_lines", "hit_values", "match_lines"]

_EXCERPT = 360
_INDENT = "    "
# A match is marked when it is near to the best one. Lower down stand the matches of small words, which meet
# whatever small word there is: on the sample, marking from half the best cosine on marked every "the".
_NEAR_THE_BEST = 0.8
_LEAST = 0.5  # Below this cosine two tokens have little to do with each other.


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON, texts readable."""
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)


def hit_values(hit: Hit, explanation: Explanation | None = None) -> dict[str, Any]:
    """Lay out a hit for JSON; with an explanation, its matches and highlights too."""
    values: dict[str, Any] = dataclasses.asdict(hit)
    if explanation is not None:
        values["matches"] = [dataclasses.asdict(match) for match in explanation.matches]
        values["highlights"] = [dataclasses.asdict(word) for word in explanation.highlights()]
    return values


def hit_lines(hit: Hit, explanation: Explanation | None, style: Style, query: str = "") -> list[str]:
    """Lay out a hit for reading: a heading and an excerpt around the words that the query met.

    Without an explanation, which needs the model, the words are those of the query.
    """
    words: tuple[Highlight, ...]
    title = printable(hit.title or "")
    if explanation is None:
        text, start, end = hit.text, 0, len(hit.text)
        words = _same_words(text, query)
        title = with_marks(title, 0, len(title), _same_words(title, query), style)
    else:
        text, start, end = explanation.text, explanation.start, explanation.end
        minimum = _marked_from(explanation)
        found = explanation.highlights(minimum)
        words = tuple(word for word in found if start <= word.start and word.end <= end)
        title = with_marks(title, 0, len(title), explanation.highlights(minimum, field="title"), style)
    title = f"  {title}" if title else ""
    piece = f"  [passage {hit.passage + 1} of {hit.passages}]" if hit.passages > 1 else ""
    heading = f"{hit.rank:2d}  {hit.score:7.3f}  {style.dim(printable(hit.id))}{title}{piece}{_parts(hit)}"
    first, last = best_stretch(text, start, end, words, _EXCERPT)
    lines = wrapped(text, first, last, words, style, _INDENT)
    if not lines:
        return [heading]
    if first > start:
        lines[0] = f"{_INDENT}… {lines[0].removeprefix(_INDENT)}"
    if last < end:
        lines[-1] += " …"
    return [heading, *lines]


def _parts(hit: Hit) -> str:
    """Say where a fused hit comes from; the score of one list alone is the score that is shown already."""
    if not hit.parts or [part.score for part in hit.parts.values()] == [hit.score]:
        return ""
    return "  [" + ", ".join(f"{name} {part.rank}" for name, part in hit.parts.items()) + "]"


def _same_words(text: str, query: str) -> tuple[Highlight, ...]:
    """Find the words of the query as they stand there; the index also knows their other endings."""
    asked = {word.casefold() for word in re.findall(r"\w+", query)}
    return tuple(
        Highlight(found.start(), found.end(), 1.0)
        for found in re.finditer(r"\w+", text)
        if found.group().casefold() in asked
    )


def _marked_from(explanation: Explanation) -> float:
    asked = [match.similarity for match in explanation.matches if match.query_start is not None]
    return max(_LEAST, _NEAR_THE_BEST * max(asked, default=0.0))


def match_lines(explanation: Explanation) -> list[str]:
    """Lay out the table of matches under a hit."""
    return [f"{_INDENT}{printable(line)}" for line in str(explanation).splitlines()[1:]]
