"""Made collections and brute force, for tests of the engine itself."""

from __future__ import annotations

import numpy as np
from weft import _core


def clustered(rng, tokens, dim=48, centres=300, noise=0.6):
    """Unit vectors around random centres: float32 of shape (tokens, dim)."""
    middle = unit(rng.standard_normal((centres, dim)))
    return unit(
        middle[rng.integers(centres, size=tokens)] + noise * rng.standard_normal((tokens, dim)) / dim**0.5
    )


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def put(index, ids, lengths, vectors, *, texts=None, spans=None, progress=None):
    """Add documents, of one passage each unless spans are given, and commit."""
    writer = index.begin()
    none = [None] * len(ids)
    given = writer.add(ids, texts or none, none, none, spans or [[] for _ in ids], lengths, vectors)
    writer.commit(progress)
    return given


def build(path, count, length, dim=48, seed=1, threads=2, **settings):
    """An index of `count` documents d0, d1, ... of `length` tokens, and their vectors of shape (count, length, dim)."""
    vectors = clustered(np.random.default_rng(seed), count * length, dim)
    index = _core.Index.open(path, create=True, threads=threads, **settings)
    put(
        index,
        [f"d{i}" for i in range(count)],
        [length] * count,
        vectors,
        texts=[f"text {i}" for i in range(count)],
    )
    return index, vectors.reshape(count, length, dim)


def queries(vectors, count=8, length=12, seed=2):
    """Queries near tokens of one document each."""
    rng = np.random.default_rng(seed)
    dim = vectors.shape[2]
    rows = [
        vectors[i, rng.integers(vectors.shape[1], size=length)]
        for i in rng.integers(len(vectors), size=count)
    ]
    return [unit(row + 0.4 * rng.standard_normal(row.shape) / dim**0.5) for row in rows]


def maxsim(query, vectors):
    """MaxSim of a query with every document of an array (documents, tokens, dim)."""
    return np.array([(query @ document.T).max(axis=1).sum() for document in vectors])


def decoded(index, count):
    """The vectors that an index has of d0, d1, ...: float32 of shape (documents, tokens, dim)."""
    rows = []
    for i in range(count):
        values, tokens, dim = index.vectors(f"d{i}", 0)
        rows.append(np.frombuffer(values, np.float32).reshape(tokens, dim))
    return np.stack(rows)


def pairs(lists):
    """Ids and scores of the hits alone."""
    return [[(hit[0], hit[1]) for hit in hits] for hits in lists]
