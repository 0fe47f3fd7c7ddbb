"""What words add to meaning on SciFact: semantic, keyword and hybrid search, judged and timed.

Usage: python benches/python/hybrid.py ../shared/data/scifact

Vectors are those of scifact.py, kept in benches/data; without them the first run encodes for some minutes. All modes search
one 2-bit index through the Python API, with the titles and texts of the same passages. Prints markdown.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from pathlib import Path

import weft
from scifact import MEASURES, Collection, cpu_name, encoded, latency, quality, read_jsonl
from weft import _core

DEPTH = 200  # Passages per query: enough for 100 documents after the best passage of each is taken.
RUNS: list[tuple[str, dict[str, object]]] = [
    ("semantic", {"mode": "semantic"}),
    ("keyword", {"mode": "keyword"}),
    ("hybrid, rrf", {"mode": "hybrid"}),
    ("hybrid, rrf, weights 1 and 0.5", {"mode": "hybrid", "weights": (1.0, 0.5)}),
    ("hybrid, weighted", {"mode": "hybrid", "fusion": "weighted"}),
    ("hybrid, weighted, weights 1 and 0.5", {"mode": "hybrid", "fusion": "weighted", "weights": (1.0, 0.5)}),
    ("hybrid, weighted, weights 1 and 0.3", {"mode": "hybrid", "fusion": "weighted", "weights": (1.0, 0.3)}),
]


def filled(
    path: Path, collection: Collection, texts: list[str], data: Path, encoder: weft.Encoder
) -> weft.Index:
    """Index every passage under its number, with its title apart, as `weft index` would have it."""
    titles = {str(row["_id"]): row["title"] for row in read_jsonl(data / "corpus.jsonl")}
    named = [titles[owner] or None for owner in collection.owners]
    # What is encoded is the title, a blank, and the piece of the text.
    pieces = [text[len(title) + 1 :] if title else text for text, title in zip(texts, named, strict=True)]
    index = weft.open(path, create=True, encoder=encoder)
    index.add_vectors(collection.documents, ids=map(str, range(len(pieces))), texts=pieces, titles=named)
    return index


def run_of(
    index: weft.Index, queries: list[str], parameters: dict[str, object]
) -> list[list[tuple[int, float]]]:
    found = index.search(queries, DEPTH, texts=False, **parameters)  # type: ignore[call-overload]
    return [[(int(hit.id), hit.score) for hit in hits] for hits in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    encoder = weft.Encoder.open()
    collection, texts = encoded(data, encoder)
    queries = collection.query_texts
    print(f"{cpu_name()}, tier {_core.cpu_tier()}, Python {platform.python_version()}; ", end="")
    print(f"{len(texts)} passages, {len(queries)} queries\n\n| search | nDCG@10 | R@100 | p50 ms | p95 ms |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        index = filled(Path(folder, "hybrid.weft"), collection, texts, data, encoder)
        judged = {}
        for name, parameters in RUNS:
            run = run_of(index, queries, parameters)
            # The answer is checked before anything is said about it.
            assert all(hits == sorted(hits, key=lambda hit: -hit[1]) for hits in run)
            judged[name] = quality(run, collection, data)
            one = lambda query: index.search(query, 10, **parameters)  # noqa: B023, E731
            row = " | ".join(f"{judged[name][measure]:.4f}" for measure in MEASURES)
            print(f"| {name} | {row} | {latency(one, queries)} |", flush=True)
        better = max(judged["semantic"][MEASURES[0]], judged["keyword"][MEASURES[0]])
        gain = judged["hybrid, rrf"][MEASURES[0]] - better
        print(f"\nhybrid at its defaults against the better of its parts: nDCG@10 {gain:+.4f}")
        print("times are of one query with its encoding, for 10 hits with texts")


if __name__ == "__main__":
    main()
