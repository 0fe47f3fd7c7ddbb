"""What engines without an index share: the vectors are the index, kept as the prepared folder has them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from vectors import Vectors

from engines.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path


class Exhaustive(Engine):
    """Scores every passage; building copies the files, opening reads them into memory as float32."""

    builds = {"float32": {}}
    exact = True

    def build(self, given: Vectors, path: Path, threads: int, **settings: Any) -> None:
        for name in ("about.json", "documents.npy", "lengths.npy", "queries.npy", "query_lengths.npy"):
            shutil.copy(given.folder / name, path / name)

    def vectors(self, path: Path) -> Vectors:
        return Vectors.read(path)

    def hits(self, found: Any) -> list[tuple[int, float]]:
        numbers, scores = found
        return list(zip(np.asarray(numbers).tolist(), np.asarray(scores).tolist(), strict=True))


def best(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best of an array of scores, best first."""
    k = min(k, len(scores))
    some = np.argpartition(-scores, k - 1)[:k]
    order = some[np.argsort(-scores[some], kind="stable")]
    return order, scores[order]
