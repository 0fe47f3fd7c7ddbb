"""What a terminal can show: colours where it has them, plain marks where it has not."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.explanation import Highlight

__all__ = ["Style", "printable", "style_of", "with_marks", "wrapped"]

_WIDEST = 100  # Lines longer than this are tiring to read, however wide the window.


@dataclass(frozen=True, slots=True)
class Style:
    """How to write for one stream; `width` is in characters."""

    colour: bool
    width: int

    def bold(self, text: str) -> str:
        """Set a heading apart."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def dim(self, text: str) -> str:
        """Set a side remark back."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def marked(self, text: str) -> str:
        """Mark a word that the query met."""
        return f"\x1b[1;33m{text}\x1b[0m" if self.colour else f"«{text}»"


def style_of(stream: TextIO | None = None) -> Style:
    """Find out what a stream can show, standard output when None.

    Colours need a terminal that is not dumb, and no ``NO_COLOR`` in the environment.
    """
    stream = sys.stdout if stream is None else stream
    terminal = stream.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((80, 24)).columns if terminal else 80
    return Style(colour, max(20, min(width, _WIDEST)))


def printable(text: str) -> str:
    """Replace control characters by blanks, one for one: a document must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text)


def wrapped(
    text: str, start: int, end: int, highlights: Sequence[Highlight], style: Style, indent: str
) -> list[str]:
    """Break a stretch of a text into lines, words of the highlights marked.

    Parameters
    ----------
    text : str
        The whole text.
    start, end : int
        The stretch.
    highlights : sequence of Highlight
        Spans in the whole text.
    style : Style
        How to mark, and how wide a line is.
    indent : str
        What every line begins with.
    """
    shown = printable(text)
    lines: list[str] = []
    line, used = indent, len(indent)
    for word in re.finditer(r"\S+", shown[start:end]):
        first, last = start + word.start(), start + word.end()
        piece = with_marks(shown, first, last, highlights, style)
        # Colour codes take no room; plain marks do, but a line a little long does no harm.
        if used > len(indent) and used + 1 + last - first > style.width:
            lines.append(line)
            line, used = indent, len(indent)
        blank = " " if used > len(indent) else ""
        line += blank + piece
        used += len(blank) + last - first
    if used > len(indent):
        lines.append(line)
    return lines


def with_marks(text: str, first: int, last: int, highlights: Sequence[Highlight], style: Style) -> str:
    """Write a stretch of a text, words of the highlights marked."""
    out, at = "", first
    for highlight in highlights:
        begin, finish = max(highlight.start, first), min(highlight.end, last)
        if begin < finish:
            out += text[at:begin] + style.marked(text[begin:finish])
            at = finish
    return out + text[at:last]
