"""Passages of an index with their codes, in the order in which a foreign index numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weft.errors import InvalidInput, WeftError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from weft.index import Index
    from weft.results import Document

__all__ = ["Block", "CodedPassages"]

_PASSAGES = 1000  # Read at a time: some 100,000 tokens.


@dataclass(frozen=True, slots=True)
class Block:
    """Some documents with all their passages.

    Attributes
    ----------
    documents : list of Document
        In their order.
    lengths : array of int64
        Tokens of each passage.
    codes : array of uint32
        One per token.
    residuals : array of uint8
        Tokens by bytes, in ColBERT's bit order.
    """

    documents: list[Document]
    lengths: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint32]
    residuals: npt.NDArray[np.uint8]


class CodedPassages:
    """Coded passages of one state of an index: documents as they were added, passages as they stand in them.

    Parameters
    ----------
    index : Index
        The index.

    Raises
    ------
    InvalidInput
        The index is empty.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._native = index._native
        information = self._native.info()
        self._generation = information["generation"]
        self.documents: int = information["documents"]
        self.passages: int = information["passages"]
        if not self.passages:
            raise InvalidInput(f"{index.path} is empty: there is nothing to write")

    def blocks(self) -> Iterator[Block]:
        """Read all passages.

        Raises
        ------
        WeftError
            The index was changed meanwhile.
        """
        documents: list[Document] = []
        passages = seen = 0
        for document in self._index.documents():
            documents.append(document)
            passages += len(document.passages)
            if passages >= _PASSAGES:
                yield self._read(documents)
                seen += passages
                documents, passages = [], 0
        if documents:
            yield self._read(documents)
        self._check_unchanged()
        if seen + passages != self.passages:
            raise WeftError(
                f"{self._index.path} has {seen + passages} passages, and its catalogue names "
                f"{self.passages}: run weft check"
            )

    def _read(self, documents: list[Document]) -> Block:
        try:
            lengths, codes, residuals = self._native.codes([document.id for document in documents])
        except WeftError:
            # A document that has gone since its page was read is a change, not a fault.
            self._check_unchanged()
            raise
        flat = np.array([length for of_document in lengths for length in of_document], np.int64)
        numbers = np.frombuffer(codes, "<u4")
        return Block(documents, flat, numbers, np.frombuffer(residuals, np.uint8).reshape(len(numbers), -1))

    def _check_unchanged(self) -> None:
        if self._native.generation != self._generation:
            raise WeftError(f"{self._index.path} was changed while it was read: begin again")
