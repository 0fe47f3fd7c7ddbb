"""Goldens of other libraries' indexes, and what tests of importing share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "reference" / "golden"
SHARED = GOLDEN / "shared"


def golden(name):
    """What the library says of one golden index."""
    return json.loads((GOLDEN / name / "golden.json").read_text(encoding="utf-8"))


def goldens(library):
    """Names of the golden indexes of a library."""
    return sorted(path.parent.name for path in (GOLDEN / library).glob("*/index"))


def queries():
    return np.load(SHARED / "queries.npy").astype(np.float32)


def texts():
    """Title and text of the shared collection."""
    rows = [line.split("\t") for line in (SHARED / "collection.tsv").read_text(encoding="utf-8").splitlines()]
    return [(row[2] if len(row) > 2 else None, row[1]) for row in rows]


def collection(path, count):
    """The first lines of the shared collection as a file of their own."""
    lines = (SHARED / "collection.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:count]), encoding="utf-8")
    return path


def decoded(index, name, passage=0):
    """Decoded vectors of a passage."""
    values, tokens, dim = index._native.vectors(name, passage)
    return np.frombuffer(values, np.float32).reshape(tokens, dim)


def coded(index, names):
    """Lengths, codes and residuals of documents of one passage each."""
    lengths, codes, residuals = index._native.codes(names)
    return [one for (one,) in lengths], np.frombuffer(codes, np.uint32), np.frombuffer(residuals, np.uint8)


def agreement(index, searches, name=str):
    """Positions at which a search finds what the library found, positions, and the largest difference of scores."""
    same = positions = 0
    worst = 0.0
    for search in searches:
        for query, expected in zip(queries(), search["results"], strict=True):
            hits = index.search_vectors(
                query,
                k=search["k"],
                nprobe=search["ncells"],
                ndocs=search["ndocs"],
                centroid_score_threshold=search["centroid_score_threshold"],
            )
            positions += len(expected)
            for hit, (passage, score) in zip(hits, expected, strict=False):
                if hit.id == name(passage):
                    same += 1
                    worst = max(worst, abs(hit.score - score))
    return same, positions, worst
