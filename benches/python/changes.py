"""What small changes and filters cost on a small and on a large index, and what compacting gives back.

Usage: python benches/python/changes.py [--sizes 2000 20000 200000] [--threads 1]

Needs what `passages.py` stores: documents are stretches of 20 tokens of real passages, with text and metadata, so that 200,000 are to be had.
Every change is one commit, synchronised to the disk. Prints markdown; times are medians with the 90th percentile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from passages import Passages, load
from weft import _core

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = 20
ROUNDS = 60
SHARES = {"50 %": 2, "10 %": 10, "1 %": 100, "0.1 %": 1000, "0.01 %": 10_000}


def documents(collection: Passages, count: int) -> tuple[np.ndarray, list[str]]:
    """Stretches of tokens, and the words of the passage for a text."""
    vectors, texts = [], []
    for matrix, text in zip(collection.vectors, collection.texts, strict=True):
        for start in range(0, len(matrix) - LENGTH + 1, LENGTH):
            vectors.append(matrix[start : start + LENGTH])
            texts.append(text[start * 4 : start * 4 + 80] or text[:80])
            if len(vectors) == count:
                return np.stack(vectors), texts
    raise SystemExit(f"the stored passages give {len(vectors)} documents, {count} are wanted")


def metadata(number: int) -> str:
    return json.dumps(
        {"number": number, "lang": ["en", "fr", "de"][number % 3]}
        | {f"one_in_{share}": number % share == 0 for share in SHARES.values()}
    )


def build(path: Path, vectors: np.ndarray, texts: list[str], threads: int) -> _core.Index:
    index = _core.Index.open(path, create=True, threads=threads)
    writer = index.begin()
    for first in range(0, len(vectors), 2000):
        part = vectors[first : first + 2000]
        numbers = range(first, first + len(part))
        writer.add(
            [str(n) for n in numbers],
            texts[first : first + 2000],
            [None] * len(part),
            [metadata(n) for n in numbers],
            [[] for _ in part],
            [LENGTH] * len(part),
            part.reshape(-1, part.shape[2]),
        )
    writer.commit()
    return index


def timed(work: Callable[[int], object], rounds: int = ROUNDS) -> str:
    times = np.empty(rounds)
    for number in range(rounds):
        started = time.perf_counter()
        work(number)
        times[number] = time.perf_counter() - started
    times *= 1e3
    return f"{np.median(times):.1f} ({np.quantile(times, 0.9):.1f})"


def size(path: Path) -> float:
    return sum(file.stat().st_size for file in path.iterdir()) / 1e6


def changes(index: _core.Index, vectors: np.ndarray, texts: list[str]) -> str:
    count = len(vectors)

    def add(number: int) -> None:
        writer = index.begin()
        writer.add(
            [f"new{number}"], [texts[number]], [None], [metadata(number)], [[]], [LENGTH], vectors[number]
        )
        writer.commit()

    def update(number: int) -> None:
        writer = index.begin()
        writer.update([str(count // 3 + number)], [metadata(number)])
        writer.commit()

    cells = [timed(add), timed(lambda number: index.delete([str(count // 2 + number)])), timed(update)]
    assert index.info()["documents"] == count
    return " | ".join(cells)


def filters(index: _core.Index, queries: list[np.ndarray], documents: int) -> list[str]:
    def search(given: str | None) -> Callable[[int], object]:
        return lambda number: index.search(
            [queries[number % len(queries)]], 10, filter=given, texts=False, threads=1
        )

    rows = [f"| none | {documents:,} | | {timed(search(None), 200)} |"]
    for name, share in SHARES.items():
        given = json.dumps({f"one_in_{share}": True})
        started = time.perf_counter()
        hits = search(given)(0)[0]  # type: ignore[index]
        first = (time.perf_counter() - started) * 1e3
        matching = index.count(given)
        assert len(hits) == min(10, matching)
        rows.append(f"| {name} | {matching:,} | {first:.1f} | {timed(search(given), 200)} |")
    return rows


def main(sizes: list[int], threads: int, folder: Path) -> None:
    collection = load()
    print("| documents | add one, ms | delete one, ms | update one, ms |\n| --- | --- | --- | --- |")
    for count in sizes:
        vectors, texts = documents(collection, count)
        index = build(folder / "i", vectors, texts, threads)
        print(f"| {count:,} | {changes(index, vectors, texts)} |", flush=True)
        if count != sizes[-1]:
            index.close()
            shutil.rmtree(folder / "i")
    print("\n| filter keeps | documents | first use, ms | one query, ms |\n| --- | --- | --- | --- |")
    print("\n".join(filters(index, collection.queries, count)), flush=True)
    before = size(folder / "i")
    index.delete_where(json.dumps({"one_in_2": True}))
    deleted = size(folder / "i")
    started = time.perf_counter()
    done = index.compact()
    taken = time.perf_counter() - started
    assert index.check() == []
    print(
        f"\nMB on disk: {before:.1f}, half deleted {deleted:.1f}, compacted {done['bytes_after'] / 1e6:.1f} in {taken:.1f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 20_000, 200_000])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        main(arguments.sizes, arguments.threads, Path(directory))
