"""Build larger colbert-ai indexes for measured figures, outside the repository.

    python tests/reference/indexes/colbert_ai_large.py DATASET CHECKPOINT OUT [--queries 200]

DATASET is a folder in BEIR's layout. Writes OUT/collection.tsv, OUT/queries.tsv, OUT/queries.npy (float32
[queries, 32, dim], as the library's encoder made them), and for 1, 2 and 4 bits OUT/<n>bit/index with
OUT/<n>bit/golden.json: top 10 with 1 / 0.5 / 256 and top 100 with 2 / 0.45 / 1024, which are the library's own
values for these k, set explicitly because the first search would fix them for all later ones.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import colbert_ai
import numpy as np
from passages import rows

SEARCHES = (
    {"k": 10, "ncells": 1, "centroid_score_threshold": 0.5, "ndocs": 256},
    {"k": 100, "ncells": 2, "centroid_score_threshold": 0.45, "ndocs": 1024},
)


def write_inputs(dataset: Path, out: Path, count: int) -> list[str]:
    """Write the collection and the queries as colbert-ai reads them; return the queries."""
    corpus = rows(dataset / "corpus.jsonl")
    lines = [f"{pid}\t{' '.join(row['text'].split())}\n" for pid, row in enumerate(corpus)]
    (out / "collection.tsv").write_text("".join(lines), encoding="utf-8")
    texts = [row["text"] for row in rows(dataset / "queries.jsonl")[:count]]
    (out / "queries.tsv").write_text(
        "".join(f"{n}\t{text}\n" for n, text in enumerate(texts)), encoding="utf-8"
    )
    return texts


def main() -> None:
    """Build and search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    texts = write_inputs(given.dataset.resolve(), given.out, given.queries)
    checkpoint = str(given.checkpoint.resolve())
    os.chdir(given.out)
    queries = None
    for nbits in (2, 1, 4):
        path = colbert_ai.build(f"{nbits}bit", checkpoint, "collection.tsv", nbits=nbits, doc_maxlen=220)
        opened = colbert_ai.searcher(f"{nbits}bit", "collection.tsv")
        if queries is None:
            queries = colbert_ai.encode_queries(opened, texts)
            np.save("queries.npy", queries)
            np.save("vectors.npy", colbert_ai.encoded()[0][0])
        searches = [colbert_ai.search(opened, queries, **parameters) for parameters in SEARCHES]
        to = Path(f"{nbits}bit")
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(path, to / "index")
        (to / "golden.json").write_text(json.dumps({"nbits": nbits, "searches": searches}) + "\n")
        print(f"{nbits} bits: {to.resolve()}", flush=True)


if __name__ == "__main__":
    main()
