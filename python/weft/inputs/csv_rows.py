"""Comma-separated values with a header; quoted fields may run over several lines."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from weft.inputs.record import Record, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.inputs.fields import Fields
    from weft.inputs.source import Source

__all__ = ["read_csv"]

# The csv module stops at 131,072 characters a field, which a long text exceeds; this is the largest
# value that every platform's C long holds. The limit is the module's, not the reader's.
_LONGEST_FIELD = 2**31 - 1


def read_csv(source: Source, fields: Fields) -> Iterator[Record]:
    """Read documents; see `Fields` for the columns. Empty cells count as not there.

    Raises
    ------
    InvalidInput
        The header is missing or names a column twice, a row has another number of columns, or
        quotes do not close.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader((f"{line}\n" for _, line in source.lines()), strict=True)
    header: list[str] | None = None
    begins = 1
    try:
        for row in rows:
            line, begins = begins, rows.line_num + 1
            if not row:
                continue
            if header is None:
                header = _checked_header(source, line, row)
                continue
            if len(row) != len(header):
                raise malformed(source.shown, line, f"{len(row)} columns, but the header has {len(header)}")
            cells = zip(header, row, strict=True)
            yield fields.record(source, line, {name: cell for name, cell in cells if cell != ""})
    except csv.Error as error:
        raise malformed(source.shown, begins, f"not CSV: {error}") from error


def _checked_header(source: Source, line: int, row: list[str]) -> list[str]:
    header = [name.strip() for name in row]
    for name in header:
        if header.count(name) > 1:
            raise malformed(source.shown, line, f"the header names the column {name!r} twice")
    return header
