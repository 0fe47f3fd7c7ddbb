"""Metadata of fast-plaid and next-plaid: one row per document, in a SQLite database beside the arrays.

The table METADATA has ``_subset_``, the position of the document, and a column per key. next-plaid's second
layout keeps only some columns there and the rest in METADATA_CONTENT, joined by ``_content_id_``
(next-plaid 1.8, ``filtering.rs``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput
from weft.imports.refusal import metadata_of, refused
from weft.imports.sqlite_file import columns_of, opened, quoted

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MetadataRows"]

_POSITION = "_subset_"
_CONTENT_ID = "_content_id_"
_TEXTS = ("text", "content", "document")
"""The column that is taken for the text: the first of these that is there."""
_TITLE = "title"


@dataclass(slots=True)
class MetadataRows:
    """The rows of a metadata database.

    Attributes
    ----------
    path : Path
        The database.
    text : str or None
        Name of the column that is the documents' text: the first of ``text``, ``content``, ``document``.
    title : str or None
        ``title``, when there is such a column.
    id : str or None
        The column that `ids` has read, which is no metadata then.
    """

    path: Path
    _query: str = field(init=False)
    _columns: list[str] = field(init=False)
    text: str | None = field(init=False)
    title: str | None = field(init=False)
    id: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        with opened(self.path) as database:
            columns = columns_of(self.path, database, "METADATA")
            if _POSITION not in columns:
                raise refused(self.path, f"its table METADATA has no column {_POSITION}")
            tables = "METADATA"
            if _CONTENT_ID in columns:
                more = columns_of(self.path, database, "METADATA_CONTENT")
                columns += [name for name in more if name != _CONTENT_ID]
                tables = f"METADATA LEFT JOIN METADATA_CONTENT USING ({quoted(_CONTENT_ID)})"
        self._columns = [name for name in columns if name not in (_POSITION, _CONTENT_ID)]
        if len(set(self._columns)) != len(self._columns):
            raise refused(self.path, "has a column twice")
        chosen = ", ".join(quoted(name) for name in (_POSITION, *self._columns))
        # Names are quoted, so that a column is nothing but a column.
        self._query = f"SELECT {chosen} FROM {tables} ORDER BY {_POSITION}"  # noqa: S608
        self.text = next((name for name in _TEXTS if name in self._columns), None)
        self.title = _TITLE if self.text is not None and _TITLE in self._columns else None

    def ids(self, name: str) -> list[str | None]:
        """Read a column as the documents' ids.

        Raises
        ------
        InvalidInput
            There is no such column, or a value in it stands twice or is no id.
        """
        if name not in self._columns:
            raise InvalidInput(
                f"{self.path}: has no column {name!r}: its columns are {', '.join(self._columns)}"
            )
        at = self._columns.index(name)
        found: dict[str, int] = {}
        with opened(self.path) as database:
            for position, *values in database.execute(self._query):
                value = str(values[at]) if type(values[at]) is int else values[at]
                if not isinstance(value, str):
                    raise InvalidInput(f"{self.path}: row {position} has no id in the column {name!r}")
                if value in found:
                    raise InvalidInput(
                        f"{self.path}: rows {found[value]} and {position} have one id, {value[:80]!r}, in "
                        f"the column {name!r}: ids are unique"
                    )
                found[value] = position
        self.id = name
        return list(found)

    def keep_texts(self) -> None:
        """Let text and title be metadata: the documents' texts come from elsewhere."""
        self.text = self.title = None

    def check(self, passages: int) -> None:
        """Check that there is a row for every passage.

        Raises
        ------
        UnreadableSource
            There are more or fewer.
        """
        with opened(self.path) as database:
            rows = database.execute("SELECT count(*) FROM METADATA").fetchone()[0]
        if rows != passages:
            raise refused(self.path, f"has {rows:,} rows, and the index {passages:,} documents")

    def rows(self, left_out: Counter[str]) -> Iterator[tuple[str | None, str | None, str | None]]:
        """Go through the documents.

        Parameters
        ----------
        left_out : Counter
            Counts the values that JSON does not hold.

        Yields
        ------
        tuple of str, str and str, or None
            Title, text, and metadata as JSON.
        """
        with opened(self.path) as database:
            for expected, (position, *values) in enumerate(database.execute(self._query)):
                if position != expected:
                    raise refused(
                        self.path, f"its row {expected} has the position {position!r}: they count from 0"
                    )
                row = dict(zip(self._columns, values, strict=True))
                if self.id is not None:
                    del row[self.id]
                title, text = self._string(row, self.title), self._string(row, self.text)
                yield title, text, self._metadata(row, expected, left_out)

    @staticmethod
    def _string(row: dict[str, Any], name: str | None) -> str | None:
        """Take a text out of the row; what is no text stays metadata."""
        if name is None or not isinstance(row.get(name), str):
            return None
        value: str = row.pop(name)
        return value

    def _metadata(self, row: dict[str, Any], position: int, left_out: Counter[str]) -> str | None:
        kept = {}
        for name, value in row.items():
            if value is None:
                continue
            if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
                kind = "bytes" if isinstance(value, bytes) else "a number that is not finite"
                left_out[f"values of the column {name!r} are {kind}, which metadata does not hold"] += 1
                continue
            kept[name] = value
        return metadata_of(kept, self.path, f"row {position}")
