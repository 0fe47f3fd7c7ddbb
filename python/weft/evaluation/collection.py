"""A collection that is indexed in order to be judged, and the index that may be there already.

Collections as published hold a few documents without any text, which nothing can encode: they are
passed over and counted. Everything else that is wrong with a line is an error, as in `weft.inputs`.
"""

from __future__ import annotations

from itertools import chain, tee, zip_longest
from typing import TYPE_CHECKING

import weft
from weft.errors import IndexNotFound, InvalidInput
from weft.inputs.fields import Fields
from weft.inputs.jsonl import objects
from weft.inputs.record import Record, malformed
from weft.inputs.tsv import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from weft.index import Index
    from weft.ingest import Progress
    from weft.inputs.source import Source

__all__ = ["Collection", "indexed"]


class Collection:
    """The documents of one file, read anew each time.

    Parameters
    ----------
    source : Source
        A .jsonl file as BEIR has it, or a .tsv file of id and text as LoTTE and MS MARCO have it.

    Attributes
    ----------
    empty : int
        Documents without text that the last iteration passed over.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.empty = 0

    def __iter__(self) -> Iterator[Record]:
        self.empty = 0
        seen: dict[str, int] = {}
        for record in self._records():
            if record.id is None:
                raise malformed(record.file, record.line, "the document has no id")
            if record.id in seen:
                raise malformed(
                    record.file,
                    record.line,
                    f"the id {record.id!r} stands already at line {seen[record.id]}: ids are unique",
                )
            seen[record.id] = record.line
            yield record

    def _records(self) -> Iterator[Record]:
        source = self.source
        if source.kind == ".jsonl":
            fields = Fields()
            for line, values in objects(source):
                if all(
                    isinstance(values.get(key, ""), str) and not values.get(key, "").strip() for key in _SAYS
                ):
                    self.empty += 1
                else:
                    yield fields.record(source, line, values)
        else:
            for line, name, text in pairs(source):
                if text.strip():
                    yield Record(source.shown, line, name, text)
                else:
                    self.empty += 1


_SAYS = ("title", "text")


def indexed(
    path: Path,
    collection: Collection,
    *,
    model: str | None,
    nbits: int | None,
    threads: int | None,
    progress: Progress,
) -> tuple[Index, bool]:
    """Open the index of a collection, making it when there is none.

    Parameters
    ----------
    path : Path
        Where it is, or is to be.
    collection : Collection
        What is in it.
    model, nbits, threads
        As in `weft.open`.
    progress : callable
        Called with stage, done and total.

    Returns
    -------
    tuple of Index and bool
        The index, and whether it was there already.

    Raises
    ------
    InvalidInput
        An index of other documents is there.
    """
    try:
        index = weft.open(path, read_only=True, model=model, nbits=nbits, threads=threads)
    except IndexNotFound:
        index = None
    if index is not None and len(index):
        _check_same(index, collection, progress)
        return index, True
    if index is not None:
        index.close()
    # All of it is read before the first text is encoded: a bad last line should not be found hours later.
    total = 0
    for total, _ in enumerate(collection, start=1):
        progress("check", total, None)
    if not total:
        raise InvalidInput(f"{collection.source.shown}: there are no documents in it")
    index = weft.open(path, create=True, model=model, nbits=nbits, threads=threads)
    try:
        _add(index, collection, total, progress)
    except BaseException:
        index.close()
        raise
    return index, False


def _add(index: Index, collection: Collection, total: int, progress: Progress) -> None:
    texts, ids, titles = tee(collection, 3)
    index.add(
        (record.text for record in texts),
        ids=(record.id for record in ids),
        titles=(record.title for record in titles),
        progress=lambda stage, done, known: progress(stage, done, total if stage == "encode" else known),
    )


def _check_same(index: Index, collection: Collection, progress: Progress) -> None:
    """Compare every document: figures of another collection would look like figures of this one."""
    total = len(index)
    for done, (known, record) in enumerate(zip_longest(chain(index.documents()), collection), start=1):
        if (
            known is None
            or record is None
            or (known.id, known.text, known.title) != (record.id, record.text, record.title)
        ):
            name = record.id if record is not None else known.id if known is not None else "?"
            index.close()
            raise InvalidInput(
                f"{index.path} holds other documents than {collection.source.shown}, from {name!r} on: "
                "name another folder for indexes, or remove it"
            )
        progress("check", done, total)
