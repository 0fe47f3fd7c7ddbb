"""From a foreign index to the engine: documents and their tokens, in blocks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from weft.defaults import WRITE_TOKENS
from weft.errors import InvalidInput
from weft.imports.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from weft import _core
    from weft.imports.foreign import Document, Foreign

__all__ = ["refusals_of", "take_over"]


@contextmanager
def refusals_of(foreign: Foreign) -> Iterator[None]:
    """Let what the engine refuses be a refusal of the source: the caller gave no numbers and no texts."""
    try:
        yield
    except InvalidInput as error:
        raise refused(foreign.directory, str(error)) from error


def take_over(
    foreign: Foreign, importer: _core.Importer, report: Callable[[int], None]
) -> tuple[int, int, int]:
    """Hand over all documents; committing is the caller's.

    Parameters
    ----------
    foreign : Foreign
        Where from.
    importer : _core.Importer
        Where to.
    report : callable
        Told after each document how many passages are read.

    Returns
    -------
    tuple of int, int and int
        Documents, passages and tokens.

    Raises
    ------
    UnreadableSource
        A code names no centroid, an id or a text cannot be stored, or nothing is left to take over.
    """
    documents = passages = tokens = 0
    block: list[Document] = []
    size = 0
    for document in foreign.documents():
        _check_strings(foreign, document)
        block.append(document)
        documents += 1
        passages += len(document.passages)
        size += int(foreign.coded.lengths[list(document.passages)].sum())
        if size >= WRITE_TOKENS:
            _hand_over(foreign, importer, block)
            tokens += size
            block, size = [], 0
        report(document.passages[-1] + 1)
    if not documents:
        raise refused(foreign.directory, "has no passage that could be taken over")
    if block:
        _hand_over(foreign, importer, block)
    return documents, passages, tokens + size


def _hand_over(foreign: Foreign, importer: _core.Importer, block: Sequence[Document]) -> None:
    positions = [position for document in block for position in document.passages]
    pieces = [foreign.coded.read(first, end) for first, end in _runs(positions)]
    columns = (
        [document.id for document in block],
        [document.text for document in block],
        [document.title for document in block],
        [document.metadata for document in block],
        [document.spans for document in block],
        foreign.coded.lengths[positions].tolist(),
        np.concatenate([codes for codes, _ in pieces]),
        np.concatenate([residuals for _, residuals in pieces]),
    )
    with refusals_of(foreign):
        importer.add(*columns)


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join positions that follow one another: first, and end."""
    first = end = positions[0]
    for position in positions:
        if position != end:
            yield first, end
            first = position
        end = position + 1
    yield first, end


def _check_strings(foreign: Foreign, document: Document) -> None:
    if not document.id.strip() or any(character in document.id for character in "\t\n\r\0"):
        raise refused(
            foreign.directory,
            f"has the id {document.id[:80]!r}: an id needs visible characters and no tab or line end",
        )
    for what, value in (("id", document.id), ("title", document.title), ("text", document.text)):
        if value is None or value.isascii():
            continue
        try:
            value.encode()
        except UnicodeEncodeError:
            raise refused(
                foreign.directory,
                f"the {what} of the document {document.id[:80]!r} has half a surrogate pair",
            ) from None
