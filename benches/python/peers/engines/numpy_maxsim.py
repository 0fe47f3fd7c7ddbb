"""Exhaustive MaxSim in numpy: one matrix product over all tokens, a maximum per passage, a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.exhaustive import Exhaustive, best

if TYPE_CHECKING:
    from pathlib import Path


class Numpy(Exhaustive):
    packages = ("numpy",)

    def open(self, path: Path, threads: int) -> None:
        vectors = self.vectors(path)
        self.tokens = np.asarray(vectors.documents, np.float32)
        self.starts = vectors.starts

    def search(self, query: Any, k: int) -> Any:
        products = self.tokens @ query.T
        return best(np.maximum.reduceat(products, self.starts, axis=0).sum(axis=1), k)


ENGINE = Numpy
