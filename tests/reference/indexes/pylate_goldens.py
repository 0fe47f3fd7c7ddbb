"""Build the small PyLate goldens: both back ends of its PLAID index, with its maps of document ids.

    cd WORK && python .../tests/reference/indexes/pylate_goldens.py

PyLate 1.6.0 with fast-plaid 1.4.6 and its copy of Stanford's indexer. The vectors are golden/shared's; no model is needed.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import golden
import numpy as np
from pylate import indexes

FEW = 8
QUERIES = 10
REMOVED = [1, 6]
PACKAGES = ("pylate", "fast-plaid", "torch", "fastkmeans", "transformers")


def documents() -> list[np.ndarray]:
    """Return the first passages' vectors, each float32 [tokens, dim]."""
    vectors = np.load(golden.SHARED / "vectors.npy").astype(np.float32)
    lengths = json.loads((golden.SHARED / "doclens.json").read_text())
    return np.split(vectors, np.cumsum(lengths))[:FEW]


def build(name: str, ids: list[Any], made: str, **settings: Any) -> None:
    """Add the documents, remove two, search, keep."""
    shutil.rmtree(Path("built") / name, ignore_errors=True)
    common = {
        "index_folder": "built",
        "index_name": name,
        "override": True,
        "show_progress": False,
        "device": "cpu",
    }
    index = indexes.PLAID(**common, **settings)
    index.add_documents(ids, documents())
    index.remove_documents([ids[n] for n in REMOVED])
    path = Path("built") / name
    for lock in path.rglob("plaid.lock"):
        lock.unlink()
    copy = path.with_name(f"{name}-opened")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    opened = indexes.PLAID(**common | {"index_name": copy.name, "override": False}, **settings)
    queries = np.load(golden.SHARED / "queries.npy")[:QUERIES].astype(np.float32)
    results = [[[row["id"], round(row["score"], 6)] for row in rows] for rows in opened(queries, k=10)]
    # Written a line above by this very process.
    ids_of = pickle.loads((path / "plaid_ids_to_documents_ids.pkl").read_bytes())
    expected = {
        "versions": golden.versions(*PACKAGES),
        "made": made,
        "settings": settings,
        "documents": {str(number): ids_of[number] for number in sorted(ids_of)},
        "passages": [n for n in range(FEW) if n not in REMOVED],
        "searches": [{"k": 10, "results": results}],
    }
    golden.keep("pylate", name, path, expected)


def main() -> None:
    """Build both."""
    build(
        "fast",
        [f"doc-{n}" for n in range(FEW)],
        f"PLAID.add_documents of {FEW}, remove_documents of {REMOVED}; ids are strings",
        nbits=4,
        use_fast=True,
    )
    build(
        "stanford",
        list(range(100, 100 + FEW)),
        f"PLAID(use_fast=False).add_documents of {FEW}, remove_documents of {REMOVED}; ids are integers",
        nbits=2,
        use_fast=False,
        embedding_size=32,
    )


if __name__ == "__main__":
    main()
