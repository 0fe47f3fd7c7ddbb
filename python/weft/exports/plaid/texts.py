"""Ids, texts and metadata beside a colbert-ai index, in the files in which each library looks for them.

colbert-ai reads ``collection.tsv``. RAGatouille reads ``collection.json``, ``pid_docid_map.json`` and
``docid_metadata_map.json``, and so does ``weft import``. PyLate reads two pickles of plain dicts; they are
written instruction by instruction, as are the JSON files, so that nothing is held.
"""

from __future__ import annotations

import json
import struct
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, Self, TextIO

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from weft.results import Document

__all__ = ["Texts"]

_GAPS = str.maketrans({"\t": " ", "\n": " ", "\r": " "})
"""A TSV has lines and columns of its own."""


class Texts:
    """Writes all of these files, document by document.

    Parameters
    ----------
    directory : Path
        Where to.
    """

    def __init__(self, directory: Path) -> None:
        self._passages = 0
        self._files = ExitStack()
        self._metadata = directory / "docid_metadata_map.json"
        self._described = False
        with ExitStack() as opening:
            text = [
                opening.enter_context((directory / name).open("w", encoding="utf-8", newline="\n"))
                for name in ("collection.tsv", "collection.json", "pid_docid_map.json", self._metadata.name)
            ]
            binary = [
                opening.enter_context((directory / name).open("wb"))
                for name in ("plaid_ids_to_documents_ids.pkl", "documents_ids_to_plaid_ids.pkl")
            ]
            self._files = opening.pop_all()
        self._lines = text[0]
        self._texts = _JsonList(text[1])
        self._owners = _JsonObject(text[2])
        self._values = _JsonObject(text[3])
        self._back, self._forth = _PickledDict(binary[0]), _PickledDict(binary[1])

    def add(self, document: Document) -> None:
        """Write one document."""
        self._forth.put(_pickled_text(document.id), _pickled_integer(self._passages))
        if document.metadata:
            self._values.put(document.id, dict(document.metadata))
            self._described = True
        text = document.text or ""
        for start, end in document.passages:
            piece = text[start:end]
            title = (document.title or "").translate(_GAPS)
            self._lines.write(
                f"{self._passages}\t{piece.translate(_GAPS)}" + (f"\t{title}" if title else "") + "\n"
            )
            self._texts.put(piece)
            self._owners.put(str(self._passages), document.id)
            self._back.put(_pickled_integer(self._passages), _pickled_text(document.id))
            self._passages += 1

    def close(self) -> None:
        """End the files; one without content is not left."""
        for file in (self._texts, self._owners, self._values, self._back, self._forth):
            file.end()
        self._files.close()
        if not self._described:
            self._metadata.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._files.close()


class _JsonList:
    """A JSON list, one element a line."""

    _marks = "[]"

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._between = self._marks[0] + "\n"

    def put(self, *element: object) -> None:
        self._file.write(self._between + ": ".join(json.dumps(one, ensure_ascii=False) for one in element))
        self._between = ",\n"

    def end(self) -> None:
        if self._between != ",\n":
            self._file.write(self._between)
        self._file.write(f"\n{self._marks[1]}\n")


class _JsonObject(_JsonList):
    """A JSON object, one member a line."""

    _marks = "{}"


class _PickledDict:
    """A pickle of protocol 4 that holds one dict of strings and numbers."""

    _BATCH = 1000

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting: list[bytes] = []
        file.write(b"\x80\x04}")

    def put(self, key: bytes, value: bytes) -> None:
        self._waiting += (key, value)
        if len(self._waiting) >= self._BATCH:
            self._flush()

    def end(self) -> None:
        self._flush()
        self._file.write(b".")

    def _flush(self) -> None:
        if self._waiting:
            self._file.write(b"(" + b"".join(self._waiting) + b"u")
            self._waiting = []


def _pickled_text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _pickled_integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)
