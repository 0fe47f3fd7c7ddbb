"""Drive colbert-ai 0.2.22: build an index, search it, on one CPU process, without a network.

The library spawns a process per index and encodes every passage twice; `build` uses its single-process path and keeps
what its encoder returned, so that several indexes of the same passages cost one encoding. Nothing else of the
library is changed: sampling, k-means, quantiles, codes, files are its own.
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from colbert import Indexer, Searcher
from colbert.data import Collection
from colbert.indexing.collection_encoder import CollectionEncoder
from colbert.infra import ColBERTConfig, Run, RunConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

_encode = CollectionEncoder.encode_passages
_encoded: dict[tuple[object, ...], Any] = {}


def _encode_once(self: CollectionEncoder, passages: list[str]) -> Any:
    key = (self.config.checkpoint, self.config.doc_maxlen, *passages)
    if key not in _encoded:
        _encoded[key] = _encode(self, passages)
    embeddings, lengths = _encoded[key]
    return embeddings.clone(), list(lengths)


CollectionEncoder.encode_passages = _encode_once


@contextmanager
def chunks_of(passages: int | None) -> Iterator[None]:
    """Split the index into chunks of so many passages; the library's least is the whole collection plus one."""
    own = Collection.get_chunksize
    if passages is not None:
        Collection.get_chunksize = lambda self: passages
    try:
        yield
    finally:
        Collection.get_chunksize = own


def build(
    name: str, checkpoint: str, collection: str | list[str], chunk: int | None = None, **settings: Any
) -> Path:
    """Build an index under ./experiments/golden/indexes and return its directory."""
    run = RunConfig(nranks=1, experiment="golden", root="experiments", avoid_fork_if_possible=True)
    with Run().context(run), chunks_of(chunk):
        indexer = Indexer(checkpoint=checkpoint, config=ColBERTConfig(**settings), verbose=0)
        return Path(indexer.index(name=name, collection=collection, overwrite="force_silent_overwrite"))


def encoded() -> list[tuple[np.ndarray, list[int]]]:
    """Give what the encoder has returned so far: float16 [tokens, dim] as the library stores it, and lengths."""
    return [(embeddings.half().numpy(), lengths) for embeddings, lengths in _encoded.values()]


def searcher(name: str, collection: str | list[str] | None = None) -> Searcher:
    """Open an index by name."""
    with Run().context(RunConfig(nranks=1, experiment="golden", root="experiments")):
        return Searcher(index=name, collection=collection, verbose=0)


def encode_queries(opened: Searcher, texts: list[str]) -> np.ndarray:
    """Encode queries, float32 [queries, query_maxlen, dim]."""
    return np.concatenate([opened.encode(text).numpy() for text in texts])


def search(
    opened: Searcher, queries: np.ndarray, *, k: int, ncells: int, centroid_score_threshold: float, ndocs: int
) -> dict[str, Any]:
    """Search with vectors and explicit parameters; give the parameters and [pid, score] lists."""
    parameters = {"ncells": ncells, "centroid_score_threshold": centroid_score_threshold, "ndocs": ndocs}
    opened.configure(**parameters)
    results = []
    for query in torch.from_numpy(np.asarray(queries, np.float32)):
        pids, _, scores = opened.dense_search(query[None], k=k)
        results.append([[pid, round(score, 6)] for pid, score in zip(pids, scores, strict=True)])
    return {"k": k, **parameters, "results": results}
