"""What the default model, the codec and the staged search do on SciFact: speed, size, losses, judgements.

Usage: python benches/python/scifact.py ../shared/data/scifact [--nanofiqa ../shared/data/colbertv2-nanofiqa-fixture]

Vectors are kept in benches/data, so that a second run encodes nothing. Ground truth is exhaustive MaxSim in float32 over
the uncompressed vectors. *Codec loss* compares exhaustive search over decoded vectors with it, *search loss* the
staged search with exhaustive search over the same decoded vectors. Prints markdown.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

import ir_measures
import numpy as np
import weft
from ir_measures import R, nDCG
from weft import _core

CACHE = Path(__file__).parents[1] / "data"
MEASURES = [nDCG @ 10, R @ 100]


def read_jsonl(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def encoded(data: Path) -> tuple[list[np.ndarray], list[np.ndarray], list[dict], list[dict], float]:
    """Vectors of passages and of the judged queries, and passages encoded per second."""
    corpus = read_jsonl(data / "corpus.jsonl")
    judged = {line.split("\t")[0] for line in (data / "qrels/test.tsv").read_text().splitlines()[1:]}
    queries = [q for q in read_jsonl(data / "queries.jsonl") if str(q["_id"]) in judged]
    encoder = weft.Encoder.open()
    cache = CACHE / f"scifact-{encoder.fingerprint[:16]}.npz"
    if not cache.exists():
        CACHE.mkdir(exist_ok=True)
        texts = [f"{d['title']} {d['text']}" for d in corpus]
        started = time.perf_counter()
        documents = encoder.encode_document(texts, truncate=True)
        rate = len(texts) / (time.perf_counter() - started)
        vectors = encoder.encode_query([q["text"] for q in queries])
        np.savez(
            cache,
            documents=np.concatenate(documents).astype(np.float16),
            lengths=[len(d) for d in documents],
            queries=np.stack(vectors).astype(np.float32),
            rate=rate,
        )
    stored = np.load(cache)
    ends = np.cumsum(stored["lengths"])
    documents = np.split(stored["documents"], ends[:-1])
    return documents, list(stored["queries"]), corpus, queries, float(stored["rate"])


def exhaustive(
    documents: list[np.ndarray], queries: list[np.ndarray], k: int
) -> list[list[tuple[int, float]]]:
    """The k best by MaxSim over uncompressed vectors, float32."""
    lengths = np.array([len(d) for d in documents])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    tokens = np.concatenate(documents).astype(np.float32)
    out = []
    for query in queries:
        scores = np.maximum.reduceat(tokens @ query.T, starts, axis=0).sum(axis=1)
        best = np.argsort(-scores, kind="stable")[:k]
        out.append([(int(i), float(scores[i])) for i in best])
    return out


def overlap(a: list[list[int]], b: list[list[int]], k: int = 10) -> float:
    return float(np.mean([len(set(x[:k]) & set(y[:k])) / k for x, y in zip(a, b, strict=True)]))


def quality(runs: list[list[tuple[str, float]]], queries: list[dict], data: Path) -> dict:
    lines = (data / "qrels/test.tsv").read_text().splitlines()[1:]
    qrels = [ir_measures.Qrel(q, d, int(grade)) for q, d, grade in (line.split("\t") for line in lines)]
    run = [
        ir_measures.ScoredDoc(str(query["_id"]), doc, score)
        for query, hits in zip(queries, runs, strict=True)
        for doc, score in hits
    ]
    return ir_measures.calc_aggregate(MEASURES, qrels, run)


def build(
    path: Path, documents: list[np.ndarray], nbits: int, codec: str, **options: int
) -> tuple[_core.Index, float]:
    index = _core.Index.open(path, create=True, nbits=nbits, codec=codec, **options)
    started = time.perf_counter()
    writer = index.begin()
    for first in range(0, len(documents), 1000):
        part = documents[first : first + 1000]
        none: list[str | None] = [None] * len(part)
        ids = [str(first + i) for i in range(len(part))]
        spans: list[list[tuple[int, int]]] = [[] for _ in part]
        writer.add(ids, none, none, none, spans, [len(d) for d in part], np.concatenate(part))
    writer.commit()
    return index, time.perf_counter() - started


def answers(
    index: _core.Index, queries: list[np.ndarray], k: int, **options: object
) -> list[list[tuple[int, float]]]:
    found = index.search(queries, k, texts=False, **options)  # type: ignore[arg-type]
    return [[(int(hit[0]), hit[1]) for hit in hits] for hits in found]


def ids(runs: list[list[tuple[int, float]]]) -> list[list[int]]:
    return [[i for i, _ in hits] for hits in runs]


def latency(search: object, queries: list) -> str:
    """p50 and p95 in milliseconds, each query three times, the median of the three."""
    times = np.empty((3, len(queries)))
    for round_ in range(3):
        for i, query in enumerate(queries):
            started = time.perf_counter()
            search(query)  # type: ignore[operator]
            times[round_, i] = time.perf_counter() - started
    per_query = np.median(times, axis=0) * 1e3
    return f"{np.median(per_query):.1f} | {np.quantile(per_query, 0.95):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--nanofiqa", type=Path)
    arguments = parser.parse_args()
    documents, queries, corpus, asked, rate = encoded(arguments.data)
    names = [str(d["_id"]) for d in corpus]
    named = lambda runs: [[(names[i], s) for i, s in hits] for hits in runs]  # noqa: E731
    print(
        f"{platform.processor() or platform.machine()}, tier {_core.cpu_tier()}, Python {platform.python_version()}\n"
    )
    tokens = sum(map(len, documents))
    print(
        f"{len(documents)} passages, {tokens} tokens of {documents[0].shape[1]} dimensions, {len(queries)} queries; "
    )
    print(f"{rate:.1f} passages encoded per second\n")
    truth = exhaustive(documents, queries, 100)
    exact_quality = quality(named(truth), asked, arguments.data)
    print(
        "| codec | bits | build s | bytes/token | codec overlap@10 | search overlap@10 | both | nDCG@10 | R@100 |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    row = " | ".join(f"{exact_quality[m]:.4f}" for m in MEASURES)
    print(f"| uncompressed, exhaustive | 32 | - | {4 * documents[0].shape[1]} | 1 | 1 | 1 | {row} |")
    with tempfile.TemporaryDirectory() as folder:
        for codec, nbits in [("weft", 1), ("weft", 2), ("weft", 4), ("weft", 8), ("plaid", 2)]:
            index, seconds = build(Path(folder, f"{codec}{nbits}"), documents, nbits, codec)
            scan = ids(answers(index, queries, 10, exact=True))
            staged = ids(answers(index, queries, 10))
            # The answer is checked before anything is said about it.
            assert all(len(found) == 10 for found in staged)
            judged = quality(named(answers(index, queries, 100)), asked, arguments.data)
            losses = f"{overlap(ids(truth), scan):.4f} | {overlap(scan, staged):.4f} | {overlap(ids(truth), staged):.4f}"
            row = " | ".join(f"{judged[m]:.4f}" for m in MEASURES)
            size = index.info()["bytes_per_token"]
            print(f"| {codec} | {nbits} | {seconds:.1f} | {size:.1f} | {losses} | {row} |", flush=True)
        print("\n| one query, 2 bits | threads | p50 ms | p95 ms |\n| --- | --- | --- | --- |")
        for threads in (1, 2):
            index = _core.Index.open(Path(folder, "weft2"), threads=threads)
            engine = lambda q: index.search([q], 10, texts=False)  # noqa: B023, E731
            print(f"| engine alone | {threads} | {latency(engine, queries)} |")
            encoder = weft.Encoder.open(threads=threads)
            whole = lambda q: index.search([encoder.encode_query([q])[0]], 10)  # noqa: B023, E731
            print(f"| with encoding | {threads} | {latency(whole, [q['text'] for q in asked])} |", flush=True)
        if arguments.nanofiqa:
            nanofiqa(arguments.nanofiqa, Path(folder))


def nanofiqa(data: Path, folder: Path) -> None:
    """Codec error on real ColBERTv2 vectors: mean cosine of decoded and true vectors."""
    stored = np.load(data / "documents.npz")
    lengths = stored["lengths"]
    documents = np.split(stored["embeddings"].astype(np.float32), np.cumsum(lengths)[:-1])
    print("\n| ColBERTv2 vectors (nanofiqa) | 1 bit | 2 bits | 4 bits |\n| --- | --- | --- | --- |")
    for codec in ("weft", "plaid"):
        cosines = []
        for nbits in (1, 2, 4):
            index, _ = build(folder / f"nano-{codec}{nbits}", documents, nbits, codec, train_tokens=0)
            decoded = [index.vectors(str(i), 0) for i in range(len(documents))]
            values = np.concatenate([np.frombuffer(b, np.float32).reshape(n, d) for b, n, d in decoded])
            true = np.concatenate(documents)
            true /= np.linalg.norm(true, axis=1, keepdims=True)
            cosines.append(f"{(values * true).sum(axis=1).mean():.4f}")
        print(f"| {codec}, mean cosine | {' | '.join(cosines)} |")
    k = index.info()["codebooks"][0]["centroids"]
    print(
        f"\n{k} centroids for {lengths.sum()} tokens, the rule for so few: a collection has 20 times more tokens a centroid"
    )


if __name__ == "__main__":
    main()
