"""A codebook for an index that has none yet: small ones keep float16 vectors, as colbert-ai never does."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from weft import _core
from weft.errors import WeftError
from weft.index import Index
from weft.metadata import as_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from weft.results import Document

__all__ = ["trained_copy"]

_DOCUMENTS = 200


def trained_copy(index: Index, path: Path) -> Index:
    """Make an index of the same documents whose vectors are coded by PLAID's rules.

    Parameters
    ----------
    index : Index
        One without a codebook, so that all its vectors fit into memory.
    path : Path
        Where the copy goes.

    Raises
    ------
    WeftError
        The index was changed meanwhile.
    """
    information = index._native.info()
    copy = _core.Index.open(
        path, create=True, codec="plaid", nbits=information["nbits"], seed=information["seed"], train_tokens=1
    )
    writer = copy.begin()
    for documents in _pages(index.documents()):
        vectors = [
            np.frombuffer(values, "<f4").reshape(tokens, dim)
            for document in documents
            for passage in range(len(document.passages))
            for values, tokens, dim in [index._native.vectors(document.id, passage)]
        ]
        writer.add(
            [document.id for document in documents],
            [document.text for document in documents],
            [document.title for document in documents],
            [as_metadata(document.metadata, "metadata") for document in documents],
            [document.passages for document in documents],
            [len(matrix) for matrix in vectors],
            np.concatenate(vectors),
        )
    remembered = index._native.encoder()
    if remembered is not None:
        writer.set_encoder(remembered)
    writer.commit()
    if index._native.generation != information["generation"]:
        raise WeftError(f"{index.path} was changed while it was read: begin again")
    return Index(copy)


def _pages(documents: Iterator[Document]) -> Iterator[list[Document]]:
    while page := list(islice(documents, _DOCUMENTS)):
        yield page
