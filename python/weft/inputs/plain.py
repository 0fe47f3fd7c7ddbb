"""Text and Markdown files: one document each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.inputs.record import Record

if TYPE_CHECKING:
    from weft.inputs.source import Source

__all__ = ["read_plain"]

_HEADING = re.compile(r"\s*#\s+(.*\S)\s*?$", re.MULTILINE)


def read_plain(source: Source) -> Record | None:
    """Read a whole file as one document.

    A Markdown file that begins with a heading of the first level has that as its title.

    Returns
    -------
    Record or None
        None for a blank file.

    Raises
    ------
    InvalidInput
        The file is not UTF-8 or cannot be read.
    """
    text = "\n".join(line for _, line in source.lines())
    if not text.strip():
        return None
    if "\0" in text:
        raise InvalidInput(f"{source.shown}: has zero bytes, so it is no text file: leave it out")
    heading = _HEADING.match(text) if source.kind == ".md" else None
    title = heading.group(1).rstrip("# ") if heading else None
    return Record(source.shown, 1, source.name, text, title or None)
