"""Documents as JSON lines, which ``weft index`` reads back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.index import Index

__all__ = ["write_documents"]


def write_documents(
    index: Index, file: TextIO, report: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Write every document as one line: ``id``, ``title``, ``text``, ``metadata``.

    Parameters
    ----------
    index : Index
        The index.
    file : text file
        Where to.
    report : callable
        Told after each document how many are written.

    Returns
    -------
    tuple of int and int
        Lines written, and how many of them have no text: such documents were added as vectors, and a
        line does not bring them back.

    Examples
    --------
    >>> import sys
    >>> index.delete(["b", "c"])
    2
    >>> write_documents(index, sys.stdout)
    {"id": "a", "text": "the shuttle carries the weft"}
    (1, 0)
    """
    lines = without = 0
    for document in index.documents():
        values = {
            "id": document.id,
            "title": document.title,
            "text": document.text,
            # Nested, so that a key named "text" is not taken for the document's own.
            "metadata": dict(document.metadata) or None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        file.write(json.dumps(given, ensure_ascii=False, allow_nan=False) + "\n")
        lines += 1
        without += not (document.text or "").strip()
        report(lines)
    return lines, without
