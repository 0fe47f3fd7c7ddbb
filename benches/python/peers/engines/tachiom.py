"""TACHIOM. It alone is given token ids, by which it clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vectors import Vectors

# k_centroids, k_docs_to_score, alpha: the paper's for MS MARCO and LoTTE, and around them. ef_search is 1.5 times k_centroids, PyLate's rule.
TRIED = [
    (5, 50, 0.45),
    (10, 100, 0.45),
    (20, 100, 0.45),
    (20, 250, 0.45),
    (30, 250, 0.35),
    (40, 500, 0.35),
    (40, 500, None),
]
TRIED += [(80, 500, None), (80, 1000, None), (160, 2000, None)]


class Tachiom(Engine):
    packages = ("tachiom", "numpy")
    builds = {"PQ 32": {}}
    sweep = [{}] + [
        {"k_centroids": c, "ef_search": round(1.5 * c), "k_docs_to_score": n, "alpha": a} for c, n, a in TRIED
    ]

    def load(self) -> None:
        import tachiom

        self.Tachiom = tachiom.Tachiom

    def given(self, vectors: Vectors) -> Any:
        if vectors.token_ids is None:
            raise ValueError("TACHIOM clusters by token ids, and the prepared folder has none")
        return vectors

    def build(self, given: Any, path: Path, threads: int, **settings: Any) -> None:
        index = self.Tachiom.build_from_arrays(
            np.ascontiguousarray(given.documents).view(np.uint16),
            given.token_ids.astype(np.uint32),
            given.lengths.astype(np.int32),
            **settings,
        )
        index.save(str(path / "index.bin"))

    def open(self, path: Path, threads: int) -> None:
        self.threads = threads
        self.index = self.Tachiom.load(str(path / "index.bin"))

    def search(self, query: Any, k: int) -> Any:
        return self.index.search(query, k, **self.parameters)

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        offsets = np.concatenate([[0], np.cumsum([len(q) for q in queries])]).astype(np.uint64)
        scores, numbers = self.index.batch_search(
            np.concatenate(queries),
            len(queries),
            k,
            offsets=offsets,
            num_threads=self.threads,
            **self.parameters,
        )
        return list(zip(scores, numbers, strict=True))

    def hits(self, found: Any) -> list[tuple[int, float]]:
        scores, numbers = found
        # Places without a result hold minus infinity.
        return [(n, s) for n, s in zip(numbers.tolist(), scores.tolist(), strict=True) if s != float("-inf")]


ENGINE = Tachiom
