"""fast-plaid on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engines.engine import Engine, grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from vectors import Vectors


class FastPlaid(Engine):
    packages = ("fast-plaid", "torch", "numpy")
    builds = {"4 bits": {}, "2 bits": {"nbits": 2}}
    sweep = [{}, *grid(n_ivf_probe=[1, 4, 8, 32], n_full_scores=[256, 1024, 4096])]

    def load(self) -> None:
        import torch
        from fast_plaid import search

        self.torch, self.library = torch, search

    def given(self, vectors: Vectors) -> Any:
        return [self.torch.from_numpy(matrix) for matrix in vectors.passages()]

    def build(self, given: Any, path: Path, threads: int, **settings: Any) -> None:
        self.torch.set_num_threads(threads)
        index = self.library.FastPlaid(index=str(path), device="cpu")
        index.create(documents_embeddings=given, **settings)
        index.close()

    def open(self, path: Path, threads: int) -> None:
        self.torch.set_num_threads(threads)
        self.threads = threads
        self.index = self.library.FastPlaid(index=str(path), device="cpu")

    def query(self, matrix: np.ndarray) -> Any:
        return self.torch.from_numpy(matrix)

    def search(self, query: Any, k: int) -> Any:
        return self.index.search([query], top_k=k, show_progress=False, **self.parameters)[0]

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        options = {"show_progress": False, "n_processes": self.threads}
        return self.index.search(list(queries), top_k=k, **options, **self.parameters)


ENGINE = FastPlaid
