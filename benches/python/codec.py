"""Which codec keeps what of a search: bytes, errors, overlap with exhaustive search, judgements, on real vectors.

Usage: python benches/python/codec.py ../shared/data [--vectors FILE.npz ...] [--only NAME ...]

The data directory has `scifact`, `nq-mini` and `colbertv2-nanofiqa-fixture`. SciFact is cut to its judged abstracts and others up to
1,000, one passage each; both are encoded by the default model, once: vectors are kept in benches/data. `--only`
takes names of collections, files without their ending, or `centroids`, which tries other centroids on nq-mini. `--vectors` brings those of
another model: arrays `documents` (tokens, dim), `lengths`, `queries`, `query_lengths`, all queries of one after the other.
All codecs get the centroids and the codes that Weft's own build finds. Truth is exhaustive MaxSim over the uncompressed vectors.
Bytes are those of code, residual, factors and the passage's part of a token; codebook and postings come on top. Prints markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import codec_models as models
import ir_measures
import numpy as np
import weft
from weft import _core
from weft.encoder import passage_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE = Path(__file__).parents[1] / "data"
ABSTRACTS, QUERIES, SAMPLE = 1000, 300, 20_000


@dataclass
class Collection:
    """Vectors of passages and queries; which are relevant, when that is known."""

    name: str
    tokens: np.ndarray
    lengths: np.ndarray
    queries: np.ndarray
    query_lengths: np.ndarray
    documents: list[str]
    query_ids: list[str]
    qrels: Path | None = None


def read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def encoded(name: str, data: Path) -> Path:
    """Encode passages and judged queries of a collection, or find the vectors from the last time."""
    encoder = weft.Encoder.open()
    cache = CACHE / f"codecs-{name}-{encoder.fingerprint[:16]}.npz"
    if cache.exists():
        return cache
    rows = [line.split("\t")[:2] for line in (data / "qrels/test.tsv").read_text().splitlines()[1:]]
    judged, relevant = {query for query, _ in rows}, {document for _, document in rows}
    documents = read(data / "corpus.jsonl")
    if len(documents) > ABSTRACTS:
        others = [d for d in documents if str(d["_id"]) not in relevant]
        documents = [d for d in documents if str(d["_id"]) in relevant]
        documents += random.Random(7).sample(others, len(others))[: ABSTRACTS - len(documents)]
    queries = [q for q in read(data / "queries.jsonl") if str(q["_id"]) in judged][:QUERIES]
    texts = [passage_text(d.get("title") or None, d["text"]) for d in documents]
    vectors = encoder.encode_document(texts, truncate=True)
    asked = encoder.encode_query([q["text"] for q in queries])
    CACHE.mkdir(exist_ok=True)
    np.savez(
        cache,
        documents=np.concatenate(vectors).astype(np.float16),
        lengths=[len(v) for v in vectors],
        queries=np.concatenate(asked).astype(np.float32),
        query_lengths=[len(q) for q in asked],
        ids=[str(d["_id"]) for d in documents],
        query_ids=[str(q["_id"]) for q in queries],
    )
    return cache


def load(name: str, file: Path, qrels: Path | None = None) -> Collection:
    stored = np.load(file)
    lengths, query_lengths = stored["lengths"], stored["query_lengths"][:QUERIES]
    names = lambda key, n: [str(i) for i in (stored[key] if key in stored else range(n))]  # noqa: E731
    return Collection(
        name,
        models.unit(stored["documents"].astype(np.float32)),
        lengths,
        stored["queries"][: query_lengths.sum()].astype(np.float32),
        query_lengths,
        names("ids", len(lengths)),
        names("query_ids", len(query_lengths)),
        qrels,
    )


def weft_build(collection: Collection) -> tuple[np.ndarray, np.ndarray]:
    """Centroids and codes of Weft's own build; its decoded vectors judge `models.plain`."""
    with tempfile.TemporaryDirectory() as folder:
        index = _core.Index.open(
            Path(folder, "index"), create=True, nbits=2, codec="weft", train_tokens=0, threads=1
        )
        count, writer = len(collection.lengths), index.begin()
        ids, none = [str(i) for i in range(count)], [None] * count
        spans: list[list[tuple[int, int]]] = [[] for _ in ids]
        tokens = collection.tokens.astype(np.float16)
        writer.add(ids, none, none, none, spans, collection.lengths.tolist(), tokens)
        writer.commit()
        book = index.codebook()
        assert book is not None
        centroids = np.frombuffer(book["centroids"], np.float32).reshape(-1, tokens.shape[1])
        codes = np.frombuffer(index.codes(ids)[1], np.uint32).astype(np.int64)
        table = models.Table(*(np.frombuffer(book[part], np.float32) for part in ("cutoffs", "weights")))
        n = int(collection.lengths[0])
        decoded = np.frombuffer(index.vectors("0", 0)[0], np.float32).reshape(n, -1)
        own = models.plain(models.Tokens(collection.tokens[:n], centroids[codes[:n]], np.array([n])), table)
        # A component that rounding to float16 moves across a cut-off is allowed for.
        assert (decoded * own).sum(axis=1).mean() > 0.999, "codec_models does not do what the engine does"
    return centroids, codes


def nearest(tokens: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    blocks = (tokens[i : i + 4000] for i in range(0, len(tokens), 4000))
    return np.concatenate([(block @ centroids.T).argmax(axis=1) for block in blocks])


def moved(tokens: np.ndarray, centroids: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The direction of the mean of each centroid's tokens, in float16's values; a centroid without tokens stays."""
    order = np.argsort(codes, kind="stable")
    used, starts = np.unique(codes[order], return_index=True)
    centroids = centroids.copy()
    centroids[used] = models.unit(np.add.reduceat(tokens[order], starts, axis=0))
    return centroids.astype(np.float16).astype(np.float32)


def k_means(tokens: np.ndarray, k: int, rounds: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Spherical k-means on 24 tokens a centroid, for numbers of centroids that are not Weft's rule."""
    choice = np.random.default_rng(0)
    centroids = tokens[choice.choice(len(tokens), k, replace=False)]
    for _ in range(rounds):
        sample = tokens[choice.choice(len(tokens), min(len(tokens), 24 * k), replace=False)]
        centroids = moved(sample, centroids, nearest(sample, centroids))
    return centroids, nearest(tokens, centroids)


def together(
    collection: Collection, centroids: np.ndarray, codes: np.ndarray, rounds: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Go on with k-means on what is left of tokens when the mean residual of their passage is taken away."""
    x, lengths, centroids = collection.tokens, collection.lengths, centroids.copy()
    starts = np.cumsum(lengths) - lengths
    for _ in range(rounds):
        mean = np.add.reduceat(models.residual(x, centroids[codes]), starts, axis=0) / lengths[:, None]
        left = x - np.repeat(mean, lengths, axis=0)
        codes = nearest(left, centroids)
        centroids = moved(left, centroids, codes)
    return centroids, nearest(left, centroids)


def max_sim(collection: Collection, tokens: np.ndarray) -> np.ndarray:
    """Every query with every passage: float32 of shape (queries, passages)."""
    starts = np.cumsum(collection.lengths) - collection.lengths
    query_starts = np.cumsum(collection.query_lengths) - collection.query_lengths
    scores = np.empty((len(query_starts), len(starts)), np.float32)
    for first in range(0, len(starts), 8):
        part = starts[first : first + 8]
        some = tokens[part[0] : part[-1] + collection.lengths[first : first + 8][-1]]
        # Blocks of products that stay in the cache.
        best = [
            np.maximum.reduceat(some @ collection.queries[i : i + 256].T, part - part[0], axis=0)
            for i in range(0, len(collection.queries), 256)
        ]
        scores[:, first : first + 8] = np.add.reduceat(np.concatenate(best, axis=1), query_starts, axis=1).T
    return scores


def ranking(scores: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


class Judge:
    """Compares decoded vectors with the true ones of a collection and prints a row."""

    def __init__(self, collection: Collection):
        self.collection = collection
        truth = max_sim(collection, collection.tokens)
        self.best = [ranking(truth, 10), ranking(truth, 100)]
        choice = np.random.default_rng(1)
        self.tokens = choice.choice(len(collection.tokens), min(len(collection.tokens), 4000), replace=False)
        some = choice.choice(len(collection.queries), min(len(collection.queries), 1000), replace=False)
        self.queries = collection.queries[some]
        judged = f"{self.quality(truth):.4f}" if collection.qrels else "-"
        print("\n| codec | bits | bytes | cosine | rms error of q.x | overlap@10 | recall@100 | nDCG@10 |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        print(f"| uncompressed | 32 | {4 * collection.tokens.shape[1]} | 1 | 0 | 1 | 1 | {judged} |")

    def quality(self, scores: np.ndarray) -> float:
        c = self.collection
        assert c.qrels is not None
        lines = (line.split("\t") for line in c.qrels.read_text().splitlines()[1:])
        qrels = [ir_measures.Qrel(q, d, int(grade)) for q, d, grade in lines if q in set(c.query_ids)]
        run = [
            ir_measures.ScoredDoc(query, c.documents[i], float(row[i]))
            for query, row, hits in zip(c.query_ids, scores, ranking(scores, 100), strict=True)
            for i in hits
        ]
        measure = ir_measures.nDCG @ 10
        return float(ir_measures.calc_aggregate([measure], qrels, run)[measure])

    def row(self, codec: str, nbits: int, size: float, decoded: np.ndarray) -> None:
        c = self.collection
        scores = max_sim(c, decoded)
        shares = []
        for best in self.best:
            pairs = zip(ranking(scores, best.shape[1]), best, strict=True)
            shares.append(np.array([len(set(a) & set(b)) / best.shape[1] for a, b in pairs]))
        spread = shares[0].std() / np.sqrt(len(shares[0]))
        cosine = (models.unit(decoded) * c.tokens).sum(axis=1).mean()
        error = np.sqrt((((decoded - c.tokens)[self.tokens] @ self.queries.T) ** 2).mean())
        judged = f"{self.quality(scores):.4f}" if c.qrels else "-"
        overlap = f"{shares[0].mean():.4f} ± {spread:.4f} | {shares[1].mean():.4f}"
        print(
            f"| {codec} | {nbits} | {size:.1f} | {cosine:.4f} | {error:.4f} | {overlap} | {judged} |",
            flush=True,
        )


def trellises() -> dict[tuple[int, int], np.ndarray]:
    """Weights by window and bits; prints what they keep of normal components."""
    print("| code of normal components | 1 bit | 2 bits |\n| --- | --- | --- |")
    normal = np.random.default_rng(7).standard_normal(400_000).astype(np.float32)
    errors = [((normal - models.lloyd_max(normal, b)(normal)) ** 2).mean() for b in (1, 2)]
    print(f"| Lloyd-Max, squared error | {errors[0]:.4f} | {errors[1]:.4f} |")
    found = {}
    for window in (4, 5, 6):
        trained = [models.train_trellis(window, nbits) for nbits in (1, 2)]
        found |= {(window, nbits): weights for nbits, (weights, _) in zip((1, 2), trained, strict=True)}
        print(f"| trellis, {1 << window} weights | {trained[0][1]:.4f} | {trained[1][1]:.4f} |", flush=True)
    return found


def decodings(
    collection: Collection, tokens: models.Tokens, weights: dict, widths: tuple[int, ...]
) -> Iterator[tuple[str, int, float, Callable[[], np.ndarray]]]:
    """Name, bits, bytes of every codec, and what decodes the tokens with it."""
    n, dim = tokens.x.shape
    turn, straight = models.rotation(dim), np.eye(dim, dtype=np.float32)
    held = np.random.default_rng(3).choice(n, min(n, SAMPLE), replace=False)
    sample = (tokens.x - tokens.c)[held]
    four = {nbits: models.Residuals(nbits, weights[4, nbits]) for nbits in (1, 2)}
    m = models.shared(tokens, four[2], turn)
    # The passage's row: two bits a dimension and a scale in float16.
    passage = (dim / 4 + 2) * len(collection.lengths) / n
    for nbits in widths:
        size, own = 3 + dim * nbits / 8, models.lloyd_max(sample, nbits)
        plain, table = models.Residuals(nbits), models.quantiles(sample, nbits)
        yield "plaid", nbits, size, partial(models.plain, tokens, table)
        yield "weft, today", nbits, size, partial(models.plain, tokens, own)
        if nbits < 4:
            yield "weft, rerounded", nbits, size, partial(models.rerounded, tokens, own)
            yield "rotation, scale", nbits, size + 1, partial(models.scaled, tokens, nbits, turn)
        yield "rotation, a and b", nbits, size, partial(models.gain_shape, tokens, plain, turn)
        if nbits < 4:
            six, code, with_m = models.Residuals(nbits, weights[6, nbits]), four[nbits], size + passage
            yield "trellis 16, a and b", nbits, size, partial(models.gain_shape, tokens, code, turn)
            yield "trellis 16, passage", nbits, with_m, partial(models.gain_shape, tokens, code, turn, m)
            yield (
                "trellis 16, passage, not rotated",
                nbits,
                with_m,
                partial(models.gain_shape, tokens, code, straight, m),
            )
            yield "trellis 64, passage", nbits, with_m, partial(models.gain_shape, tokens, six, turn, m)
            yield "trellis 16, running mean", nbits, size, partial(models.running, tokens, code, turn)


def nanofiqa(data: Path) -> Collection:
    """ColBERTv2's vectors of 35 documents. Five queries rank nothing, so that windows of 32 document tokens ask beside them."""
    documents, queries = np.load(data / "documents.npz"), np.load(data / "queries.npz")
    tokens = models.unit(documents["embeddings"].astype(np.float32))
    windows = [tokens[i : i + 32] for i in range(0, len(tokens) - 31, 32)]
    asked = np.concatenate([queries["embeddings"].astype(np.float32), *windows])
    lengths = np.concatenate([queries["lengths"], [32] * len(windows)])
    ids = [str(i) for i in range(len(lengths))]
    return Collection("nanofiqa", tokens, documents["lengths"], asked, lengths, ids[:35], ids)


def compare(
    collection: Collection,
    built: tuple[np.ndarray, np.ndarray],
    weights: dict,
    widths: tuple[int, ...],
    only: tuple[str, ...] = (),
) -> None:
    centroids, codes = built
    tokens = models.Tokens(collection.tokens, centroids[codes], collection.lengths)
    length = (models.residual(tokens.x, tokens.c) ** 2).sum(axis=1).mean()
    print(f"\n### {collection.name}\n\n{len(collection.lengths):,} passages, {len(codes):,} tokens, ", end="")
    print(
        f"{len(centroids):,} centroids, {len(collection.query_lengths)} queries. Mean squared residual ",
        end="",
    )
    print(f"{((tokens.x - tokens.c) ** 2).sum(axis=1).mean():.3f}, across the centroid {length:.3f}.")
    judge = Judge(collection)
    for codec, nbits, size, decode in decodings(collection, tokens, weights, widths):
        if not only or codec in only:
            judge.row(codec, nbits, size, decode())


def candidates(collection: Collection, built: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> None:
    """How many of the true best ten the centroid interaction keeps, and how many with what the passages' rows add."""
    centroids, codes = built
    tokens = models.Tokens(collection.tokens, centroids[codes], collection.lengths)
    truth = ranking(max_sim(collection, collection.tokens), 10)
    starts = np.cumsum(collection.lengths) - collection.lengths
    query_starts = np.cumsum(collection.query_lengths) - collection.query_lengths
    sums = np.add.reduceat(collection.queries, query_starts, axis=0)
    m = models.shared(tokens, models.Residuals(2, weights), models.rotation(tokens.x.shape[1]))[starts]
    plain = max_sim(collection, tokens.c)
    print(
        f"\n### {collection.name}, centroid interaction\n\n| score | true top 10 in the best 32 | 64 | 128 |"
    )
    print("| --- | --- | --- | --- |")
    for name, scores in (("centroids", plain), ("centroids and passage", plain + sums @ m.T)):
        found = []
        for kept in (32, 64, 128):
            rows = zip(ranking(scores, kept), truth, strict=True)
            found.append(np.mean([len(set(a) & set(b)) / 10 for a, b in rows]))
        print(f"| {name} | {' | '.join(f'{share:.4f}' for share in found)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--vectors", type=Path, nargs="*", default=[])
    parser.add_argument("--only", nargs="*", help="names of collections; all when it is left out")
    arguments = parser.parse_args()
    wanted = lambda name: arguments.only is None or name in arguments.only  # noqa: E731
    weights = trellises()
    if wanted("nanofiqa"):
        nano = nanofiqa(arguments.data / "colbertv2-nanofiqa-fixture")
        # Seventy tokens a centroid, as 10,000 passages have.
        compare(nano, k_means(nano.tokens, 64, rounds=10), weights, (1, 2, 4))
    for name in ("nq-mini", "scifact"):
        if wanted(name):
            data = arguments.data / name
            collection = load(name, encoded(name, data), data / "qrels/test.tsv")
            built = weft_build(collection)
            compare(collection, built, weights, (1, 2, 4))
            candidates(collection, built, weights[4, 2])
    for file in arguments.vectors:
        if wanted(file.stem):
            collection = load(file.stem, file)
            compare(collection, weft_build(collection), weights, (1, 2, 4))
    if wanted("centroids"):
        name = "nq-mini"
        collection = load(name, encoded(name, arguments.data / name))
        centroids, codes = weft_build(collection)
        others = {
            "trained without what passages share": together(collection, centroids, codes),
            "as many, plain k-means": k_means(collection.tokens, len(centroids)),
            "four times as many, plain k-means": k_means(collection.tokens, 4 * len(centroids)),
        }
        for kind, built in others.items():
            collection.name = f"{name}, centroids {kind}"
            shown = ("plaid", "trellis 16, passage", "trellis 64, passage")
            compare(collection, built, weights, (1, 2), shown)


if __name__ == "__main__":
    main()
