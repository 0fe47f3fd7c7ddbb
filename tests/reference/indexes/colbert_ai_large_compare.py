"""Hold Weft against the larger colbert-ai indexes: python tests/reference/indexes/colbert_ai_large_compare.py OUT

OUT is what colbert_ai_large.py wrote. Prints for 1, 2 and 4 bits how many positions of colbert-ai's lists Weft gives with the same parameters on
the imported index, the largest difference of a score, and how many codes and residual bytes of the vectors are colbert-ai's.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import weft

TOGETHER = 100
"""Passages coded at once."""


def searched(index: weft.Index, queries: np.ndarray, search: dict) -> tuple[int, int, float]:
    """Return equal positions, all positions, and the largest difference of an equal hit's score."""
    found = index.search_vectors(
        queries,
        k=search["k"],
        nprobe=search["ncells"],
        centroid_score_threshold=search["centroid_score_threshold"],
        ndocs=search["ndocs"],
        texts=False,
    )
    equal, positions, largest = 0, 0, 0.0
    for hits, wanted in zip(found, search["results"], strict=True):
        positions += len(wanted)
        for hit, (pid, score) in zip(hits, wanted, strict=False):
            if hit.id == str(pid):
                equal += 1
                largest = max(largest, abs(hit.score - score))
    return equal, positions, largest


def coded(source: Path, vectors: np.ndarray) -> tuple[int, int, int]:
    """Return how many tokens there are, and for how many the code and the whole residual are colbert-ai's.

    The vectors are added a hundred passages at a time to an index imported anew: fewer tokens than a codebook grows by.
    """
    counts, at, first = np.zeros(3, int), 0, 0
    while at < len(vectors):
        with tempfile.TemporaryDirectory() as folder:
            weft.import_index(source, f"{folder}/i")
            with weft.open(f"{folder}/i") as index:
                names = [str(pid) for pid in range(first, min(first + TOGETHER, len(index)))]
                lengths, codes, residuals = index._native.codes(names)
                ends = at + np.cumsum([sum(one) for one in lengths])
                pieces = np.split(vectors[at : ends[-1]], ends[:-1] - at)
                index.add_vectors(pieces, ids=[f"again {name}" for name in names])
                _, again, bits = index._native.codes([f"again {name}" for name in names])
        wanted, got = np.frombuffer(codes, np.uint32), np.frombuffer(again, np.uint32)
        rows = (np.frombuffer(one, np.uint8).reshape(len(got), -1) for one in (residuals, bits))
        same = np.equal(*rows).all(axis=1)
        counts += len(got), (wanted == got).sum(), same.sum()
        at, first = int(ends[-1]), first + TOGETHER
    return int(counts[0]), int(counts[1]), int(counts[2])


def main(out: Path) -> None:
    """Compare every number of bits."""
    queries, vectors = np.load(out / "queries.npy"), np.load(out / "vectors.npy")
    for nbits in (1, 2, 4):
        about = json.loads((out / f"{nbits}bit" / "golden.json").read_text())
        with tempfile.TemporaryDirectory() as folder:
            weft.import_index(out / f"{nbits}bit" / "index", f"{folder}/i")
            with weft.open(f"{folder}/i") as index:
                for search in about["searches"]:
                    equal, positions, largest = searched(index, queries, search)
                    print(
                        f"{nbits} bits, k = {search['k']}: {equal} of {positions} positions, scores {largest:.1e}"
                    )
        tokens, codes, residuals = coded(out / f"{nbits}bit" / "index", vectors)
        print(f"{nbits} bits, {tokens} tokens: {codes} codes and {residuals} residuals are colbert-ai's")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
