"""Two columns, id and text, with a tab between and no quoting, as MS MARCO's collections are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.inputs.record import Record, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.inputs.source import Source

__all__ = ["pairs", "read_tsv"]


def read_tsv(source: Source) -> Iterator[Record]:
    """Read documents.

    Raises
    ------
    InvalidInput
        A line has no tab or more than one, or one side is empty.
    """
    for number, name, text in pairs(source):
        yield Record(source.shown, number, name, text)


def pairs(source: Source) -> Iterator[tuple[int, str, str]]:
    """Split the lines of a file at their tab; blank lines are passed over."""
    for number, line in source.lines():
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise malformed(
                source.shown,
                number,
                f"{len(columns)} {'column' if len(columns) == 1 else 'columns'}: "
                "an id, a tab and a text are needed",
            )
        yield number, columns[0], columns[1]
