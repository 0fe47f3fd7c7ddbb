"""Build the small RAGatouille goldens.

    cd WORK && python .../tests/reference/indexes/ragatouille_goldens.py

WORK holds the checkpoint `minilm-32` of checkpoint.py and receives `.ragatouille/`. RAGatouille 0.0.9.post2 imports only with
langchain before 1.0; it is installed with --no-deps beside what ../requirements/indexes-ragatouille.txt pins. Its own k-means is
fast-pytorch-kmeans; documents are cut by llama-index's sentence splitter, as by default.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import golden
import numpy as np
import torch
from ragatouille import RAGPretrainedModel

DOCUMENTS = 7
MAX_DOCUMENT_LENGTH = 64
QUERIES = 20
# What RAGatouille sets for collections below 10,000.
SEARCH = {"k": 10, "ncells": 8, "centroid_score_threshold": 0.4, "ndocs": 1024}
PACKAGES = (
    "ragatouille",
    "colbert-ai",
    "torch",
    "transformers",
    "langchain",
    "llama-index-core",
    "fast-pytorch-kmeans",
)


def keep(name: str, made: str, path: Path) -> Any:
    """Open the index, search it, keep both; return the model that has it open."""
    model = RAGPretrainedModel.from_index(path, verbose=0)
    core = model.model
    model.search(golden.queries()[0], k=1)
    searcher = core.model_index.searcher
    found = {"ndocs": searcher.config.ndocs, "ncells": searcher.config.ncells}
    if found != {key: SEARCH[key] for key in found}:
        raise SystemExit(f"RAGatouille searches with {found}")
    queries = np.load(golden.SHARED / "queries.npy")[:QUERIES].astype(np.float32)
    results = []
    for query in torch.from_numpy(queries):
        pids, _, scores = searcher.dense_search(query[None], k=SEARCH["k"])
        results.append([[pid, round(score, 6)] for pid, score in zip(pids, scores, strict=True)])
    about = json.loads((path / "metadata.json").read_text())
    expected = {
        "versions": golden.versions(*PACKAGES),
        "made": made,
        "nbits": about["config"]["nbits"],
        "dim": about["config"]["dim"],
        "chunks": about["num_chunks"],
        "partitions": about["num_partitions"],
        "doclens": json.loads((path / "doclens.0.json").read_text()),
        "documents": {str(pid): core.pid_docid_map[pid] for pid in sorted(core.pid_docid_map)},
        "searches": [{**SEARCH, "results": results}],
    }
    golden.keep("ragatouille", name, path, expected)
    return model


def main() -> None:
    """Build both."""
    shutil.rmtree(".ragatouille", ignore_errors=True)
    rows = golden.collection()[:DOCUMENTS]
    model = RAGPretrainedModel.from_pretrained("minilm-32", verbose=0)
    path = Path(
        model.index(
            [text for text, _ in rows],
            document_ids=[f"page/{n}" for n in range(DOCUMENTS)],
            document_metadatas=[
                {"title": title, "n": n, "of": {"even": n % 2 == 0}} for n, (_, title) in enumerate(rows)
            ],
            index_name="split",
            max_document_length=MAX_DOCUMENT_LENGTH,
        )
    )
    made = f"RAGPretrainedModel.index of {DOCUMENTS} documents with ids and metadata, max_document_length={MAX_DOCUMENT_LENGTH}"
    model = keep("split", made, path)
    model.delete_from_index(["page/1", "page/4"], index_name="split")
    keep("deleted", "`split` after delete_from_index(['page/1', 'page/4'])", path)


if __name__ == "__main__":
    main()
