"""The texts of an index that does not keep them: a collection in a file of its own.

A TSV has a line per passage: position, tab, text, and perhaps a tab and a title; the position counts lines
from 0, as colbert-ai demands (its ``load_collection``). JSON has a list of texts, or an object of texts by
id. Of an index whose documents have ids of their own, the first column is the id, and the order does not
matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from weft.errors import InvalidInput
from weft.imports.json_file import read_json
from weft.inputs.record import malformed
from weft.inputs.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Collection", "InMemory", "TextsById", "open_collection", "texts_by_id"]

Row = tuple[str | None, str | None]
"""Title and text."""


class Collection(Protocol):
    """Texts by position."""

    name: str

    def __len__(self) -> int:
        """Count the texts, reading all of them when that is the way to count."""

    def __iter__(self) -> Iterator[Row]:
        """Go through titles and texts."""


class InMemory:
    """Texts that are in memory."""

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        self.name = name
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Row]:
        return ((None, text) for text in self.texts)


class _Lines:
    """Texts of a TSV, read as they are wanted."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._source = Source(path, str(path), None, ".tsv")
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __iter__(self) -> Iterator[Row]:
        for expected, (number, key, row) in enumerate(_columns(self._source)):
            # A header is the text of passage 0 for colbert-ai too: it counts every line.
            if not (key == "id" and expected == 0) and not _counts(key, expected):
                raise malformed(
                    self._source.shown,
                    number,
                    f"begins with {key[:40]!r}, and the passage of this line is {expected}: lines are "
                    "numbered from 0",
                )
            yield row


def open_collection(path: Path) -> Collection:
    """Open texts that stand in the order of the passages.

    Raises
    ------
    InvalidInput
        The file is not there, or of another kind than .tsv, .tsv.gz or .json.
    """
    if _kind(path) == ".tsv":
        return _Lines(path)
    texts = read_json(path)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"{path}: is no list of strings, which a collection in JSON is")
    return InMemory(str(path), texts)


class TextsById:
    """Titles and texts by the documents' ids."""

    def __init__(self, path: Path, rows: Mapping[str, Row]) -> None:
        self._path = path
        self._rows = rows

    def __getitem__(self, name: str) -> Row:
        row = self._rows.get(name)
        if row is None:
            raise InvalidInput(
                f"{self._path}: has no text for the document {name!r}: give the collection of this index"
            )
        return row


def texts_by_id(path: Path) -> TextsById:
    """Read texts whose first column is an id. All of them are in memory then.

    Raises
    ------
    InvalidInput
        The file is not there, is of another kind, or has an id twice.
    """
    rows: dict[str, Row] = {}
    if _kind(path) == ".tsv":
        source = Source(path, str(path), None, ".tsv")
        for number, key, row in _columns(source):
            if key in rows:
                raise malformed(source.shown, number, f"the id {key[:80]!r} stands twice: ids are unique")
            rows[key] = row
        return TextsById(path, rows)
    texts = read_json(path)
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise InvalidInput(
            f"{path}: is no object of texts by id, which this index needs: its documents have ids"
        )
    return TextsById(path, {name: (None, text) for name, text in texts.items()})


def _kind(path: Path) -> str:
    if not path.is_file():
        raise InvalidInput(f"{path}: no such file: give the collection that was indexed, or leave it out")
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".tsv"):
        return ".tsv"
    if path.suffix.lower() == ".json":
        return ".json"
    raise InvalidInput(f"{path}: its kind is not known: a collection ends in .tsv, .tsv.gz or .json")


def _columns(source: Source) -> Iterator[tuple[int, str, Row]]:
    """Split the lines: number, first column, and title and text."""
    for number, line in source.lines():
        key, *rest = line.strip("\n\r ").split("\t")
        if not rest:
            raise malformed(source.shown, number, "one column: a number or id, a tab and a text are needed")
        yield number, key, (rest[1] if len(rest) > 1 and rest[1] else None, rest[0])


def _counts(key: str, expected: int) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 16 and int(key) == expected
