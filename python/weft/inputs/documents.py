"""From the names on a command line to a stream of documents."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.inputs.csv_rows import read_csv
from weft.inputs.fields import Fields
from weft.inputs.jsonl import read_jsonl
from weft.inputs.plain import read_plain
from weft.inputs.record import Record, malformed
from weft.inputs.source import STANDARD_INPUT, Source
from weft.inputs.tsv import read_tsv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Documents"]

_TABLES = (".jsonl", ".tsv", ".csv")
_PLAIN = (".txt", ".md")


class Documents:
    """The documents of files and folders, in the order given; folders in the order of their names.

    Iterating reads the files, each time anew. No two documents may have one id: the second would
    replace the first without a word.

    Parameters
    ----------
    inputs : sequence of str
        Files (.jsonl, .tsv, .csv, each also with .gz; .txt, .md), folders, or ``-`` for JSON lines
        on standard input.
    fields : Fields
        Names of the keys and columns.

    Attributes
    ----------
    sources : list of Source
        The files found.
    other : int
        Files of other kinds that folders hold, which are passed over.
    empty : int
        Blank text files that the last iteration found in folders and passed over.

    Raises
    ------
    InvalidInput
        An input is not there, is of another kind, or is a folder with nothing to read.
    """

    def __init__(self, inputs: Sequence[str], fields: Fields | None = None) -> None:
        self.fields = fields or Fields()
        self.sources: list[Source] = []
        self.other = 0
        self.empty = 0
        for name in inputs:
            self.sources += self._found(name)
        if sum(source.path is None for source in self.sources) > 1:
            raise InvalidInput("standard input is named twice: it can be read once")

    @property
    def rereadable(self) -> bool:
        """Whether the documents can be iterated more than once: standard input cannot."""
        return all(source.path is not None and source.path.is_file() for source in self.sources)

    def __iter__(self) -> Iterator[Record]:
        # About 150 bytes a document; the alternative is to lose one of two documents silently.
        seen: dict[str, tuple[str, int]] = {}
        self.empty = 0
        for source in self.sources:
            for record in self._read(source):
                if record.id in seen:
                    file, line = seen[record.id]
                    raise malformed(
                        record.file,
                        record.line,
                        f"the id {record.id!r} stands already at {file}:{line}: ids are unique",
                    )
                if record.id is not None:
                    seen[record.id] = (record.file, record.line)
                yield record

    def _read(self, source: Source) -> Iterator[Record]:
        if source.kind == ".jsonl":
            yield from read_jsonl(source, self.fields)
        elif source.kind == ".tsv":
            yield from read_tsv(source)
        elif source.kind == ".csv":
            yield from read_csv(source, self.fields)
        else:
            record = read_plain(source)
            if record is not None:
                yield record
            elif source.found:
                self.empty += 1
            else:
                raise InvalidInput(f"{source.shown}: is empty: leave it out")

    def _found(self, name: str) -> list[Source]:
        if name == STANDARD_INPUT:
            return [Source(None, "standard input", None, ".jsonl")]
        path = Path(name)
        if path.is_dir():
            return self._in_folder(path)
        if not path.exists():
            raise InvalidInput(f"{name}: no such file or folder: check the name")
        source = _source(path, name, _made_name(path))
        if source is None:
            kinds = " ".join((*_TABLES, *_PLAIN))
            raise InvalidInput(f"{name}: its kind is not known: {kinds} are, by the end of the name")
        return [source]

    def _in_folder(self, folder: Path) -> list[Source]:
        sources = []
        for place, folders, files in os.walk(folder):
            # In place, which is how walk is told where to go; hidden folders hold no documents.
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = Path(place, name)
                source = _source(path, str(path), path.relative_to(folder).as_posix())
                if name.startswith(".") or source is None:
                    self.other += 1
                else:
                    sources.append(replace(source, found=True))
        if not sources:
            kinds = " ".join((*_TABLES, *_PLAIN))
            raise InvalidInput(f"{folder}: the folder holds no {kinds} files")
        return sources


def _source(path: Path, shown: str, name: str) -> Source | None:
    plain = path.suffix.lower()
    if plain in _PLAIN or plain in _TABLES:
        return Source(path, shown, name, plain)
    packed = Path(path.stem).suffix.lower()
    if plain == ".gz" and packed in _TABLES:
        return Source(path, shown, name, packed)
    return None


def _made_name(path: Path) -> str:
    """Name a file in ids: its path as given, or its last part when that path means little elsewhere."""
    if path.is_absolute() or ".." in path.parts:
        return path.name
    return path.as_posix()
