"""colbert-ai, ColBERT's own PLAID, on the CPU with its C++ extensions.

The library encodes passages while it builds. Its checkpoint and its encoder are replaced here by the vectors that were given; sampling, k-means,
quantiles, codes and files are its own. Searches go to `IndexScorer.rank`, where `Searcher.dense_search` leads. Ninja and a
C++ compiler are needed: the extensions are compiled when an index is first opened on a machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from vectors import Vectors

# ncells, centroid_score_threshold, ndocs; the first three are the library's for k up to 10, up to 100, and more.
TRIED = [(1, 0.5, 256), (2, 0.45, 1024), (4, 0.4, 4096)]
TRIED += [
    (1, 0.5, 1024),
    (2, 0.45, 256),
    (4, 0.4, 256),
    (4, 0.4, 1024),
    (8, 0.4, 1024),
    (8, 0.4, 4096),
    (16, 0.3, 4096),
]


class ColBERT(Engine):
    packages = ("colbert-ai", "torch", "numpy")
    builds = {"2 bits": {"nbits": 2}, "1 bit": {"nbits": 1}, "4 bits": {"nbits": 4}}
    sweep = [{}] + [
        {"ncells": cells, "centroid_score_threshold": threshold, "ndocs": documents}
        for cells, threshold, documents in TRIED
    ]

    def load(self) -> None:
        os.environ.update(CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
        import torch
        from colbert.indexing import collection_indexer
        from colbert.infra import ColBERTConfig
        from colbert.modeling.colbert import ColBERT as Model
        from colbert.search.index_storage import IndexScorer

        self.torch, self.indexer = torch, collection_indexer
        self.Config, self.Scorer, self.Model = ColBERTConfig, IndexScorer, Model

    def build(self, given: Vectors, path: Path, threads: int, **settings: Any) -> None:
        self.torch.set_num_threads(threads)
        torch, starts = self.torch, given.starts

        class Given:
            """Stands for the encoder: texts are the numbers of passages."""

            def __init__(self, config: Any, checkpoint: Any) -> None:
                pass

            def encode_passages(self, passages: list[str]) -> tuple[Any, list[int]]:
                numbers = [int(text) for text in passages]
                rows = [given.documents[starts[n] : starts[n] + given.lengths[n]] for n in numbers]
                found = torch.from_numpy(np.concatenate(rows).astype(np.float32))
                return found, [len(row) for row in rows]

        self.indexer.CollectionEncoder = Given
        self.indexer.Checkpoint = lambda *_, **__: None
        config = self.Config(
            checkpoint="given",
            index_path=str(path),
            nranks=1,
            rank=0,
            dim=given.documents.shape[1],
            **settings,
        )
        config.configure(avoid_fork_if_possible=True, bsize=64, partitions=None)
        collection = [str(number) for number in range(len(given.lengths))]
        self.indexer.CollectionIndexer(config, collection, verbose=0).run([[]])

    def open(self, path: Path, threads: int) -> None:
        self.torch.set_num_threads(threads)
        # The checkpoint loads this one when it is made, and there is none.
        self.Model.try_load_torch_extensions(use_gpu=False)
        self.scorer = self.Scorer(str(path), use_gpu=False)
        # The library cuts what looks for candidates at query_maxlen; no query here is longer.
        self.config = self.Config(query_maxlen=512)

    def query(self, matrix: np.ndarray) -> Any:
        return self.torch.from_numpy(matrix)[None]

    def tune(self, parameters: dict[str, Any]) -> None:
        self.parameters = parameters
        names = ("ncells", "centroid_score_threshold", "ndocs")
        self.config.configure(**{name: parameters.get(name) for name in names})

    def search(self, query: Any, k: int) -> Any:
        if not self.parameters:
            # What Searcher.dense_search sets for this k.
            cells, threshold, documents = TRIED[0 if k <= 10 else 1]
            self.config.configure(ncells=cells, centroid_score_threshold=threshold, ndocs=documents)
        numbers, scores = self.scorer.rank(self.config, query)
        return numbers[:k], scores[:k]

    def hits(self, found: Any) -> list[tuple[int, float]]:
        return list(zip(*found, strict=True))


ENGINE = ColBERT
