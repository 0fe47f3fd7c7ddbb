"""Hold Weft against what `real.py` wrote: ``real_compare.py CHECKPOINT COLLECTION OUTPUT``, where Weft is installed.

Prints a row per library and kind: texts, vectors, texts whose ids or kept tokens differ, the largest difference of a
component in the others, and the largest difference of a score over all pairs of 20 queries and 20 passages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from real import texts
from weft import Encoder

Matrices = list[np.ndarray]


def read(path: Path, kind: str) -> tuple[list[np.ndarray], Matrices]:
    """Return ids of the kept tokens and vectors of every text."""
    with np.load(path) as file:
        ends = np.cumsum(file[f"{kind}_lengths"])[:-1]
        ids, kept = np.split(file[f"{kind}_ids"], ends), np.split(file[f"{kind}_kept"].astype(bool), ends)
        vectors = np.split(file[f"{kind}_vectors"], np.cumsum([int(row.sum()) for row in kept])[:-1])
    return [one[row] for one, row in zip(ids, kept, strict=True)], vectors


def scores(queries: Matrices, passages: Matrices) -> np.ndarray:
    """Return the MaxSim of every pair."""
    return np.array([[(query @ passage.T).max(axis=1).sum() for passage in passages] for query in queries])


def main() -> None:
    """Print the table."""
    checkpoint, collection, output = map(Path, sys.argv[1:])
    given = texts(collection)
    encoder = Encoder.open(checkpoint)
    own = {
        "query": encoder.encode_query(given["query"], truncate=True),
        "document": encoder.encode_document(given["document"], truncate=True),
    }
    print(
        "| library | kind | texts | vectors | other tokens | largest component difference | largest score difference |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in sorted(output.glob("*.npz")):
        theirs = {kind: read(path, kind)[1] for kind in own}
        score = np.abs(
            scores(own["query"][:20], own["document"][:20])
            - scores(theirs["query"][:20], theirs["document"][:20])
        ).max()
        for kind, matrices in own.items():
            pairs = list(zip(matrices, theirs[kind], strict=True))
            same = [(a, b) for a, b in pairs if a.shape == b.shape]
            worst = max(float(np.abs(a - b).max()) for a, b in same)
            count = sum(len(a) for a, _ in pairs)
            print(
                f"| {path.stem} | {kind} | {len(pairs)} | {count} | {len(pairs) - len(same)} | {worst:.1e} | {score:.1e} |"
            )


if __name__ == "__main__":
    main()
