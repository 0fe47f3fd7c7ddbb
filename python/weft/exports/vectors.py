"""The token vectors of an index, passage after passage, as the index has them decoded."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from weft.errors import InvalidInput, WeftError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from weft.index import Index

__all__ = ["Vectors"]


class Vectors:
    """Ids and vectors of one state of an index.

    What is written is in this order: documents as they were added, their passages as they stand in the
    text, their tokens.

    Parameters
    ----------
    index : Index
        The index.
    report : callable
        Told after each passage how many are read.

    Attributes
    ----------
    documents, passages, tokens, dim : int
        How many there are.
    lengths : array of int
        Tokens of each passage that `rows` has given so far.
    owners : array of int
        Which document each of them belongs to, from 0.

    Raises
    ------
    InvalidInput
        The index is empty.
    """

    def __init__(self, index: Index, report: Callable[[int], None] = lambda _: None) -> None:
        self._native = index._native
        self._index = index
        self._report = report
        information = self._native.info()
        self._generation = information["generation"]
        self.documents: int = information["documents"]
        self.passages: int = information["passages"]
        self.tokens: int = information["tokens"]
        self.dim: int = information["dim"] or 0
        if not self.passages:
            raise InvalidInput(f"{index.path} is empty: there are no vectors to write")
        # Eight bytes a passage: the one thing that is kept, against some ten thousand that are written.
        self.lengths = array("i")
        self.owners = array("i")

    def ids(self) -> Iterator[str]:
        """Ids of the documents."""
        yield from self._index.ids()
        self._check_unchanged()

    def rows(self) -> Iterator[npt.NDArray[np.float16]]:
        """Vectors of one passage after the other: float16, tokens by dimension, of unit length."""
        for owner, document in enumerate(self._index.documents()):
            for passage in range(len(document.passages)):
                values, tokens, dim = self._read(document.id, passage)
                self.lengths.append(tokens)
                self.owners.append(owner)
                yield np.frombuffer(values, "<f4").reshape(tokens, dim).astype("<f2")
                self._report(len(self.lengths))
        self._check_unchanged()
        if (len(self.lengths), sum(self.lengths)) != (self.passages, self.tokens):
            raise WeftError(
                f"{self._index.path} has vectors of {len(self.lengths)} passages, and its catalogue "
                f"names {self.passages}: run weft check"
            )

    def _read(self, name: str, passage: int) -> tuple[bytes, int, int]:
        try:
            return self._native.vectors(name, passage)
        except WeftError:
            # A document that has gone since its page was read is a change, not a fault.
            self._check_unchanged()
            raise

    def _check_unchanged(self) -> None:
        # Counts stand at the beginning of the file, and pages come from the newest commit.
        if self._native.generation != self._generation:
            raise WeftError(f"{self._index.path} was changed while it was read: begin again")
