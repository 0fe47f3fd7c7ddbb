"""PyLate's PLAID index as PyLate makes it: the fast-plaid that it pins, its defaults, its maps of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engines.engine import Engine, grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from vectors import Vectors


class PyLate(Engine):
    packages = ("pylate", "fast-plaid", "torch", "numpy")
    builds = {"4 bits": {}}
    sweep = [{}, *grid(n_ivf_probe=[1, 4, 8, 32], n_full_scores=[256, 1024, 8192])]

    def load(self) -> None:
        import torch
        from pylate import indexes

        self.torch, self.indexes = torch, indexes

    def given(self, vectors: Vectors) -> Any:
        return [self.torch.from_numpy(matrix) for matrix in vectors.passages()]

    def _index(self, path: Path, **settings: Any) -> Any:
        return self.indexes.PLAID(str(path), "index", show_progress=False, device="cpu", **settings)

    def build(self, given: Any, path: Path, threads: int, **settings: Any) -> None:
        self.torch.set_num_threads(threads)
        index = self._index(path, override=True, **settings)
        index.add_documents([str(number) for number in range(len(given))], given)

    def open(self, path: Path, threads: int) -> None:
        self.torch.set_num_threads(threads)
        self.index = self._index(path, num_threads=threads)
        inner = self.index._index
        self.own = {name: getattr(inner, name) for name in ("n_ivf_probe", "n_full_scores")}

    def tune(self, parameters: dict[str, Any]) -> None:
        for name, value in (self.own | parameters).items():
            setattr(self.index._index, name, value)

    def query(self, matrix: np.ndarray) -> Any:
        return self.torch.from_numpy(matrix)

    def search(self, query: Any, k: int) -> Any:
        return self.index([query], k=k)[0]

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        return self.index(list(queries), k=k)

    def hits(self, found: Any) -> list[tuple[int, float]]:
        return [(int(row["id"]), row["score"]) for row in found]


ENGINE = PyLate
