"""Ranking a handful of texts without an index: exact MaxSim over what the model makes of them."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from weft import _core
from weft.encoding import (
    TextEncoder,
    check_encoder,
    encode_documents,
    encode_queries,
    open_encoder,
    split,
)
from weft.errors import InvalidInput
from weft.results import RerankHit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["rerank"]


def rerank(
    query: str,
    documents: Iterable[str],
    *,
    model: str | os.PathLike[str] | None = None,
    encoder: object | None = None,
    k: int | None = None,
) -> list[RerankHit]:
    """Rank texts for a query.

    A text longer than the model's limit is split and counts with its best passage.

    Parameters
    ----------
    query : str
        The query.
    documents : iterable of str
        The texts.
    model : str or path, optional
        A model's directory or hub id; the bundled one when None. It stays open for the next call.
    encoder : object, optional
        Instead of a model, an object with ``encode_query`` and ``encode_document``.
    k : int, optional
        How many to return; all when None.

    Returns
    -------
    list of RerankHit
        Best first; equal scores in the order given.

    Raises
    ------
    InvalidInput
        The query or a text is empty or not a str, or `k` is less than 1.

    Examples
    --------
    >>> hits = weft.rerank("a weaver's loom", ["the sea at night", "the loom"], encoder=encoder)
    >>> [hit.index for hit in hits]
    [1, 0]
    """
    if model is not None and encoder is not None:
        raise InvalidInput("model and encoder are both given: one of them says how to encode")
    if k is not None and k < 1:
        raise InvalidInput(f"k is {k}: at least 1 is needed")
    if isinstance(documents, str):
        raise InvalidInput("documents is one str: give a list of texts")
    texts = list(documents)
    _check(query, "query")
    for position, text in enumerate(texts):
        _check(text, f"documents[{position}]")
    if not texts:
        return []
    chosen = (
        check_encoder(encoder)
        if encoder is not None
        else _opened(None if model is None else os.fspath(model))
    )
    pieces = [
        (position, text[start:end])
        for position, text in enumerate(texts)
        for start, end in split(chosen, text, None)
    ]
    vectors = list(encode_documents(chosen, (piece for _, piece in pieces), truncate=False, batch_size=None))
    scores = _core.maxsim(encode_queries(chosen, [query])[0], vectors)
    best = [float("-inf")] * len(texts)
    for (position, _), score in zip(pieces, scores, strict=True):
        best[position] = max(best[position], score)
    order = sorted(range(len(texts)), key=lambda position: (-best[position], position))
    return [
        RerankHit(rank, position, best[position], texts[position])
        for rank, position in enumerate(order[:k], start=1)
    ]


def _check(text: object, name: str) -> None:
    if not isinstance(text, str):
        raise InvalidInput(f"{name} is a {type(text).__name__}: a str is needed")
    if not text.strip():
        raise InvalidInput(f"{name} is empty: there is nothing to rank")


@lru_cache(maxsize=1)
def _opened(model: str | None) -> TextEncoder:
    """Keep the last model open: loading one costs far more than ranking ten texts."""
    return open_encoder(model, None)
