"""Exhaustive MaxSim in torch: one matrix product over all tokens, `segment_reduce` per passage, a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.exhaustive import Exhaustive

if TYPE_CHECKING:
    from pathlib import Path


class Torch(Exhaustive):
    packages = ("torch", "numpy")

    def load(self) -> None:
        import torch

        self.torch = torch

    def open(self, path: Path, threads: int) -> None:
        self.torch.set_num_threads(threads)
        vectors = self.vectors(path)
        self.tokens = self.torch.from_numpy(np.asarray(vectors.documents, np.float32))
        self.lengths = self.torch.from_numpy(vectors.lengths)

    def query(self, matrix: np.ndarray) -> Any:
        return self.torch.from_numpy(matrix)

    def search(self, query: Any, k: int) -> Any:
        with self.torch.inference_mode():
            products = self.tokens @ query.T
            maxima = self.torch.segment_reduce(products, "max", lengths=self.lengths, axis=0)
            scores, numbers = self.torch.topk(maxima.sum(dim=1), min(k, len(self.lengths)))
            return numbers, scores


ENGINE = Torch
