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
from dataclasses import dataclass
from pathlib import Path

import ir_measures
import numpy as np
import weft
from ir_measures import R, nDCG
from weft import _core
from weft.encoder import passage_text

CACHE = Path(__file__).parents[1] / "data"
MEASURES = [nDCG @ 10, R @ 100]
# Queries whose losses are measured: exhaustive search over decoded vectors takes a third of a second each.
SCANNED = 60


def read_jsonl(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass
class Collection:
    """Vectors of passages and queries, and whose they are."""

    documents: list[np.ndarray]
    owners: list[str]
    queries: list[np.ndarray]
    query_ids: list[str]
    query_texts: list[str]


def encoded(data: Path, encoder: weft.Encoder) -> tuple[Collection, list[str]]:
    """Encode title and text of every document, split as `weft index` splits them; and the judged queries."""
    owners, texts = [], []
    for document in read_jsonl(data / "corpus.jsonl"):
        title, text = document["title"], document["text"]
        for start, end in encoder.split(text, title=title):
            owners.append(str(document["_id"]))
            texts.append(passage_text(title, text[start:end]))
    judged = {line.split("\t")[0] for line in (data / "qrels/test.tsv").read_text().splitlines()[1:]}
    queries = [q for q in read_jsonl(data / "queries.jsonl") if str(q["_id"]) in judged]
    asked = [q["text"] for q in queries]
    cache = CACHE / f"scifact-{encoder.fingerprint[:16]}.npz"
    if not cache.exists():
        CACHE.mkdir(exist_ok=True)
        documents = [vectors.astype(np.float16) for vectors in encoder.iter_documents(texts)]
        np.savez(cache, documents=np.concatenate(documents), lengths=[len(d) for d in documents])
    stored = np.load(cache)
    documents = np.split(stored["documents"], np.cumsum(stored["lengths"])[:-1])
    assert len(documents) == len(texts), "the cached vectors are of another collection: remove benches/data"
    found = [np.asarray(q, np.float32) for q in encoder.encode_query(asked)]
    return Collection(documents, owners, found, [str(q["_id"]) for q in queries], asked), texts


def encoding_rate(encoder: weft.Encoder, texts: list[str], passages: int = 512) -> float:
    """Passages encoded per second, over passages spread evenly over the collection."""
    some = texts[:: max(1, len(texts) // passages)][:passages]
    encoder.encode_document(some[:32])
    started = time.perf_counter()
    encoder.encode_document(some)
    return len(some) / (time.perf_counter() - started)


def exhaustive(collection: Collection, folder: Path, k: int) -> list[list[tuple[int, float]]]:
    """Find the k best by MaxSim over uncompressed vectors, in an index that never trains a codebook.

    numpy takes a second a query for it; it judges the first three.
    """
    index, _ = build(folder / "float16", collection.documents, 2, "weft", train_tokens=1 << 62)
    found = answers(index, collection.queries, k)
    tokens = np.concatenate(collection.documents).astype(np.float32)
    starts = np.cumsum([0] + [len(d) for d in collection.documents])[:-1]
    for query, hits in zip(collection.queries[:3], found, strict=False):
        scores = np.maximum.reduceat(tokens @ query.T, starts, axis=0).sum(axis=1)
        assert np.allclose([scores[i] for i, _ in hits], [s for _, s in hits], atol=0.02)
        assert scores[[i for i, _ in hits]].min() >= np.partition(scores, -k)[-k] - 0.02
    return found


def overlap(a: list[list[int]], b: list[list[int]], k: int = 10) -> float:
    return float(np.mean([len(set(x[:k]) & set(y[:k])) / k for x, y in zip(a, b, strict=True)]))


def quality(runs: list[list[tuple[int, float]]], collection: Collection, data: Path) -> dict:
    """Judge the best passage of every document."""
    lines = (data / "qrels/test.tsv").read_text().splitlines()[1:]
    qrels = [ir_measures.Qrel(q, d, int(grade)) for q, d, grade in (line.split("\t") for line in lines)]
    run = []
    for query, hits in zip(collection.query_ids, runs, strict=True):
        best: dict[str, float] = {}
        for passage, score in hits:
            best.setdefault(collection.owners[passage], score)
        run += [ir_measures.ScoredDoc(query, document, score) for document, score in best.items()]
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


def cpu_name() -> str:
    """Name the processor as Linux does, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--nanofiqa", type=Path)
    arguments = parser.parse_args()
    encoder = weft.Encoder.open()
    collection, texts = encoded(arguments.data, encoder)
    documents, queries = collection.documents, collection.queries
    print(f"{cpu_name()}, tier {_core.cpu_tier()}, Python {platform.python_version()}\n")
    tokens = sum(map(len, documents))
    print(f"{len(set(collection.owners))} documents, {len(documents)} passages, {tokens} tokens of ")
    print(
        f"{documents[0].shape[1]} dimensions; {len(queries)} queries of {np.mean([len(q) for q in queries]):.1f} tokens; "
    )
    print(f"{encoding_rate(encoder, texts):.1f} passages encoded per second\n", flush=True)
    some = queries[:SCANNED]
    with tempfile.TemporaryDirectory() as folder:
        truth = exhaustive(collection, Path(folder), 200)
        exact_quality = quality(truth, collection, arguments.data)
        print(
            "| codec | bits | build s | bytes/token | codec overlap@10 | search overlap@10 | both | nDCG@10 | R@100 |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        row = " | ".join(f"{exact_quality[m]:.4f}" for m in MEASURES)
        print(f"| uncompressed, exhaustive | 32 | - | {4 * documents[0].shape[1]} | 1 | 1 | 1 | {row} |")
        for codec, nbits in [("weft", 2), ("weft", 1), ("weft", 4), ("weft", 8), ("plaid", 2)]:
            index, seconds = build(Path(folder, f"{codec}{nbits}"), documents, nbits, codec)
            scan = ids(answers(index, some, 10, exact=True))
            staged = ids(answers(index, some, 10))
            best = ids(truth[:SCANNED])
            # The answer is checked before anything is said about it.
            assert all(len(found) == 10 for found in staged)
            judged = quality(answers(index, queries, 200), collection, arguments.data)
            losses = f"{overlap(best, scan):.4f} | {overlap(scan, staged):.4f} | {overlap(best, staged):.4f}"
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
            print(f"| with encoding | {threads} | {latency(whole, collection.query_texts)} |", flush=True)
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
