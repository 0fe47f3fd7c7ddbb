"""The plain recipe without a late-interaction engine: a faiss IVF over tokens, then exact MaxSim of the best passages.

Every query token asks for its nearest tokens; a passage scores the sum of what its tokens were found with, and what was not found counts as the
farthest that was. The best `rerank` of them are scored exactly over float16 vectors, which lie beside the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.engine import Engine
from engines.exhaustive import best

if TYPE_CHECKING:
    from pathlib import Path

    from vectors import Vectors

# nprobe, tokens found for each query token, passages scored exactly.
TRIED = [
    (4, 32, 64),
    (8, 128, 64),
    (8, 128, 128),
    (16, 128, 256),
    (16, 512, 256),
    (32, 512, 512),
    (64, 1024, 1024),
]


class FaissIVF(Engine):
    packages = ("faiss-cpu", "numpy")
    builds = {"SQ8": {"codec": "SQ8"}, "PQ32": {"codec": "PQ32x8"}}
    sweep = [{}] + [{"nprobe": p, "tokens": t, "rerank": r} for p, t, r in TRIED]

    def load(self) -> None:
        import faiss

        self.faiss = faiss

    def build(self, given: Vectors, path: Path, threads: int, *, codec: str) -> None:
        self.faiss.omp_set_num_threads(threads)
        count = len(given.documents)
        lists = max(1, min(1 << int(np.log2(4 * np.sqrt(count))), count // 39))
        inner = self.faiss.METRIC_INNER_PRODUCT
        index = self.faiss.index_factory(given.dim, f"IVF{lists},{codec}", inner)
        chosen = np.random.default_rng(42).permutation(count)[: 64 * lists]
        index.train(given.documents[np.sort(chosen)].astype(np.float32))
        for first in range(0, count, 1 << 18):
            index.add(given.documents[first : first + (1 << 18)].astype(np.float32))
        self.faiss.write_index(index, str(path / "tokens.faiss"))
        np.save(path / "documents.npy", given.documents)
        np.save(path / "lengths.npy", given.lengths)

    def open(self, path: Path, threads: int) -> None:
        self.faiss.omp_set_num_threads(threads)
        self.index = self.faiss.read_index(str(path / "tokens.faiss"))
        self.documents = np.load(path / "documents.npy", mmap_mode="r")
        lengths = np.load(path / "lengths.npy")
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)

    def tune(self, parameters: dict[str, Any]) -> None:
        self.parameters = {"nprobe": 8, "tokens": 128, "rerank": 128} | parameters
        self.index.nprobe = self.parameters["nprobe"]

    def search(self, query: Any, k: int) -> Any:
        scores, tokens = self.index.search(query, self.parameters["tokens"])
        floor = np.where(tokens < 0, np.inf, scores).min(axis=1, initial=np.inf, keepdims=True)
        gain = np.where(tokens < 0, 0, scores - floor)
        found, slot = np.unique(self.owner[tokens], return_inverse=True)
        table = np.zeros((len(query), len(found)), np.float32)
        rows = np.repeat(np.arange(len(query)), tokens.shape[1])
        np.maximum.at(table, (rows, slot.ravel()), gain.ravel())
        some = found[best(table.sum(axis=0), self.parameters["rerank"])[0]]
        parts = [self.documents[self.starts[n] : self.starts[n + 1]] for n in some]
        products = np.concatenate(parts).astype(np.float32) @ query.T
        ends = np.cumsum([0] + [len(part) for part in parts])[:-1]
        exact = np.maximum.reduceat(products, ends, axis=0).sum(axis=1)
        order, values = best(exact, k)
        return some[order], values

    def hits(self, found: Any) -> list[tuple[int, float]]:
        return list(zip(found[0].tolist(), found[1].tolist(), strict=True))


ENGINE = FaissIVF
