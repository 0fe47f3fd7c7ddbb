"""Ground truth: MaxSim of every query with every passage in float32, over the vectors as they were given to the engines.

Computed twice, by numpy and by Weft's float32 kernel, which must agree; kept beside the vectors.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vectors import Vectors

BLOCK = 2000  # Passages at once: 60 to 250 MB of float32.
# Sums of some 30 products of 128 terms in another order; a score is some 20.
TOLERANCE = 1e-4


def truth(vectors: Vectors) -> tuple[np.ndarray, dict[str, Any]]:
    """Scores float32 [queries, passages], and how both ways compared."""
    scores_file, about_file = vectors.folder / "truth.npy", vectors.folder / "truth.json"
    if not about_file.exists():
        scores, about = _compute(vectors)
        np.save(scores_file, scores)
        about_file.write_text(json.dumps(about))
    scores = np.load(scores_file)
    if scores.shape != (len(vectors.queries), len(vectors.lengths)):
        raise ValueError(f"{scores_file} is of other vectors: remove it")
    return scores, json.loads(about_file.read_text())


def _compute(vectors: Vectors) -> tuple[np.ndarray, dict[str, Any]]:
    from weft import _core

    tokens = np.concatenate(vectors.queries)
    starts = np.cumsum([0] + [len(query) for query in vectors.queries])[:-1]
    scores = np.empty((len(vectors.queries), len(vectors.lengths)), np.float32)
    seconds = {"numpy": 0.0, "weft": 0.0}
    difference = 0.0
    for first in range(0, len(vectors.lengths), BLOCK):
        passages = list(vectors.passages(first, first + BLOCK))
        started = time.perf_counter()
        block = _numpy(passages, tokens, starts)
        seconds["numpy"] += time.perf_counter() - started
        started = time.perf_counter()
        other = np.array([_core.maxsim(query, passages) for query in vectors.queries], np.float32)
        seconds["weft"] += time.perf_counter() - started
        difference = max(difference, float(np.abs(block - other).max()))
        scores[:, first : first + len(passages)] = block
    if difference > TOLERANCE:
        raise AssertionError(
            f"Weft's float32 kernel and numpy differ by {difference}: no truth to measure against"
        )
    return scores, {"largest difference": difference, "seconds": seconds, "kernel": _core.cpu_tier()}


def _numpy(passages: list[np.ndarray], tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    ends = np.cumsum([0] + [len(matrix) for matrix in passages])[:-1]
    maxima = np.maximum.reduceat(np.concatenate(passages) @ tokens.T, ends, axis=0)
    return np.add.reduceat(maxima, starts, axis=1).T
