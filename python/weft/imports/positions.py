"""Documents of one passage each: position, id, text and metadata, side by side."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.imports.collection import TextsById, open_collection, texts_by_id
from weft.imports.foreign import REMOVED, Document

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from weft.imports.coded import Coded
    from weft.imports.collection import Collection
    from weft.imports.metadata_db import MetadataRows

__all__ = ["Positions", "fitting", "given_texts"]


def fitting(collection: Collection, passages: int) -> Collection:
    """Check that a collection has a text for every passage.

    Raises
    ------
    InvalidInput
        It has more or fewer, or a line of it is malformed.
    """
    if len(collection) != passages:
        raise InvalidInput(
            f"{collection.name}: has {len(collection):,} texts, and the index {passages:,} passages: give "
            "the collection that was indexed"
        )
    return collection


class Positions:
    """The documents of an index whose every passage is one.

    Parameters
    ----------
    coded : Coded
        The tokens; a passage without any is left out.
    left_out : Counter
        Counts what is left out.
    ids : sequence of str or None, optional
        Id of each passage, None for one that is left out. Without them its position is its id.
    metadata : MetadataRows, optional
        Metadata, and perhaps texts, by position.
    texts : Collection or TextsById, optional
        Texts. They count instead of those of `metadata`, which stay metadata then.
    """

    def __init__(
        self,
        coded: Coded,
        left_out: Counter[str],
        *,
        ids: Sequence[str | None] | None = None,
        metadata: MetadataRows | None = None,
        texts: Collection | TextsById | None = None,
    ) -> None:
        self._coded = coded
        self._left_out = left_out
        self._ids = ids
        self._metadata = metadata
        self._texts = texts
        if metadata is not None:
            metadata.check(coded.passages)
            if texts is not None:
                metadata.keep_texts()

    def __call__(self) -> Iterator[Document]:
        """Go through the documents."""
        by_id = self._texts if isinstance(self._texts, TextsById) else None
        in_order = None if isinstance(self._texts, TextsById) else self._texts
        rows = repeat((None, None)) if in_order is None else iter(in_order)
        described = (
            repeat((None, None, None)) if self._metadata is None else self._metadata.rows(self._left_out)
        )
        walk = zip(rows, described, strict=False)
        for position in range(self._coded.passages):
            beside = next(walk, None)
            if beside is None:
                # They were counted before.
                raise InvalidInput(
                    f"the texts end at passage {position}: they were changed while they were read"
                )
            row, (title, text, metadata) = beside
            name = str(position) if self._ids is None else self._ids[position]
            if name is None:
                continue
            if not self._coded.lengths[position]:
                self._left_out[REMOVED] += 1
                continue
            if self._texts is not None:
                title, text = row if by_id is None else by_id[name]
            yield Document.single(name, position, text, title, metadata)


def given_texts(
    path: Path | None, passages: int, ids: Sequence[str | None] | None
) -> Collection | TextsById | None:
    """Open the collection that the caller names: by position, or, when the documents have ids, by id."""
    if path is None:
        return None
    if ids is not None:
        return texts_by_id(path)
    return fitting(open_collection(path), passages)
