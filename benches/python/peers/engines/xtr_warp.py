"""xtr-warp-rs on the CPU. Its scores impute what it did not reach; nothing is scored exactly afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engines.engine import Engine, grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from vectors import Vectors


class XtrWarp(Engine):
    packages = ("xtr-warp-rs", "torch", "numpy")
    builds = {"4 bits": {}, "2 bits": {"nbits": 2}}
    # None is what the library works out by itself; PyLate takes 32 probes and t' 100,000.
    sweep = [{}, *grid(nprobe=[2, 4, 8, 16, 32, 64], t_prime=[None, 100_000])]
    sweep += [
        {"nprobe": n, "t_prime": 100_000, "bound": 1024, "centroid_score_threshold": 0.0} for n in (32, 128)
    ]

    def load(self) -> None:
        import torch
        from xtr_warp import search

        self.torch, self.library = torch, search

    def given(self, vectors: Vectors) -> Any:
        return [self.torch.from_numpy(matrix) for matrix in vectors.passages()]

    def build(self, given: Any, path: Path, threads: int, **settings: Any) -> None:
        self.torch.set_num_threads(threads)
        index = self.library.XTRWarp(index=str(path), device="cpu")
        index.create(embeddings_source=given, device="cpu", show_progress=False, **settings)
        index.free()

    def open(self, path: Path, threads: int) -> None:
        self.torch.set_num_threads(threads)
        self.threads = threads
        self.index = self.library.XTRWarp(index=str(path), device="cpu")
        self.index.load(device="cpu")

    def query(self, matrix: np.ndarray) -> Any:
        return self.torch.from_numpy(matrix)

    def search(self, query: Any, k: int) -> Any:
        return self.search_batch([query], k)[0]

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        options = {"num_threads": self.threads, "show_progress": False}
        return self.index.search(list(queries), top_k=k, **options, **self.parameters)


ENGINE = XtrWarp
