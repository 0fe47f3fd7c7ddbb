"""An index fed in steps beside one built at once, at every doubling: overlap with exhaustive search, build time, size.

Usage: python benches/python/growth.py [--step 500] [--threads 2]

Needs what `passages.py` stores. Truth is exhaustive MaxSim in float32 over the uncompressed vectors, by numpy. Prints markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from passages import STORE, Passages, load
from weft import _core

K = 10


def truth(collection: Passages) -> np.ndarray:
    """MaxSim of every question with every passage: float32 of shape (questions, passages). Kept, since it takes minutes."""
    file = STORE / "truth.npy"
    if not file.exists():
        tokens = np.concatenate(collection.queries)
        starts = np.cumsum([0] + [len(q) for q in collection.queries])[:-1]
        scores = np.empty((len(collection.queries), len(collection.vectors)), np.float32)
        for first in range(0, len(collection.vectors), 500):
            part = collection.vectors[first : first + 500]
            products = np.concatenate(part).astype(np.float32) @ tokens.T
            ends = np.cumsum([0] + [len(matrix) for matrix in part])[:-1]
            maxima = np.maximum.reduceat(products, ends, axis=0)
            scores[:, first : first + len(part)] = np.add.reduceat(maxima, starts, axis=1).T
        np.save(file, scores)
    scores = np.load(file)
    shape = (len(collection.queries), len(collection.vectors))
    assert scores.shape == shape, f"{file} is of other passages: remove it"
    return scores


def overlap(index: _core.Index, collection: Passages, scores: np.ndarray, count: int) -> float:
    """Share of the exhaustive top 10 of the first `count` passages that a search at defaults gives."""
    shared = []
    for row, hits in zip(scores, index.search(collection.queries, K, texts=False), strict=True):
        best = set(np.argpartition(-row[:count], K)[:K].tolist())
        shared.append(len(best & {int(hit[0]) for hit in hits}) / K)
    return float(np.mean(shared))


def commit(index: _core.Index, vectors: list[np.ndarray], first: int, last: int) -> float:
    started = time.perf_counter()
    writer = index.begin()
    for start in range(first, last, 1000):
        part = vectors[start : min(last, start + 1000)]
        none: list[str | None] = [None] * len(part)
        ids = [str(start + i) for i in range(len(part))]
        writer.add(ids, none, none, none, [[] for _ in part], [len(m) for m in part], np.concatenate(part))
    writer.commit()
    return time.perf_counter() - started


def figures(index: _core.Index) -> str:
    information = index.info()
    centroids = sum(codebook["centroids"] for codebook in information["codebooks"])
    return f"{centroids:,} | {information['bytes_per_token']:.1f} | {len(information['segments'])}"


def main(step: int, threads: int, folder: Path) -> None:
    collection = load()
    total = len(collection.vectors)
    scores = truth(collection)
    marks = [total]
    while marks[0] > 3000:
        marks.insert(0, marks[0] // 2)
    print(
        "| passages | fed as | overlap@10 | build s | slowest commit s | centroids | bytes/token | segments |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    steps = _core.Index.open(folder / "steps", create=True, threads=threads)
    at, times = 0, [0.0]
    for mark in marks:
        while at < mark:
            last = min(mark, at + step)
            times.append(commit(steps, collection.vectors, at, last))
            at = last
        found = overlap(steps, collection, scores, mark)
        print(
            f"| {mark:,} | steps of {step} | {found:.4f} | {sum(times):.1f} | {max(times):.2f} | {figures(steps)} |"
        )
        once = _core.Index.open(folder / f"once-{mark}", create=True, threads=threads)
        taken = commit(once, collection.vectors, 0, mark)
        found = overlap(once, collection, scores, mark)
        print(f"| {mark:,} | at once | {found:.4f} | {taken:.1f} | | {figures(once)} |", flush=True)
    assert steps.check() == []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--step", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        main(arguments.step, arguments.threads, Path(directory))
