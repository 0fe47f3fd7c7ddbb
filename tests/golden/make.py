"""Make the golden indexes of the format version that this build writes: ``python tests/golden/make.py``.

They are made once when a format version is new, and never again: what they are for is that later builds read them. Beside each lies
``expected.json``: what it holds and what it answers.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "python"))

from engine import clustered, unit  # noqa: E402  it lies with the tests
from weft import _core  # noqa: E402

DIM = 16
LENGTH = 6


def words(number):
    """A text whose words tell its number."""
    names = ("warp", "weft", "loom", "shuttle", "thread")
    return f"{names[number % 5]} {names[number // 5 % 5]} number{number} \u00e9\U0001f9f5"


def make(path, count, train_tokens):
    """Add, replace, delete and update documents."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    index = _core.Index.open(path, create=True, threads=1, train_tokens=train_tokens)
    rng = np.random.default_rng(7)
    for ids in (range(count - 3), range(count - 5, count)):
        writer = index.begin()
        vectors = clustered(rng, len(ids) * LENGTH, DIM, centres=9)
        # Every fifth has two passages.
        spans = [[(0, 4), (2, 9)] if n % 5 == 0 else [] for n in ids]
        lengths = [length for n in ids for length in ([2, LENGTH - 2] if n % 5 == 0 else [LENGTH])]
        metadata = [
            json.dumps({"year": 2000 + n, "tags": ["a", n % 3], "of": {"part": n % 2 == 0}}) for n in ids
        ]
        titles = [f"title {n}" if n % 2 else None for n in ids]
        writer.add([f"d{n}" for n in ids], [words(n) for n in ids], titles, metadata, spans, lengths, vectors)
        writer.commit()
    writer = index.begin()
    writer.delete(["d1", "d6"])
    writer.update(["d2"], [json.dumps({"year": 1999})])
    writer.commit()
    index.close()


def expected(path):
    """What an index holds and answers."""
    index = _core.Index.open(path, threads=1)
    rng = np.random.default_rng(8)
    queries = [unit(rng.standard_normal((3, DIM))) for _ in range(3)]
    hits = {
        "staged": index.search(queries, 5),
        "exact": index.search(queries, 5, exact=True),
        "filtered": index.search(queries, 5, filter=json.dumps({"year": {"gte": 2005}, "of.part": True})),
        "keyword": index.search([], 5, words=["weft number3", "thread"], mode="keyword"),
        "hybrid": index.search(queries[:1], 5, words=["loom"], mode="hybrid"),
    }
    info = index.info()
    return {
        "documents": index.get(index.ids(None, 1000)),
        "hits": {
            name: [[(*hit[:2], *hit[3:8]) for hit in one] for one in lists] for name, lists in hits.items()
        },
        "info": {
            key: info[key]
            for key in (
                "documents",
                "passages",
                "tokens",
                "dim",
                "nbits",
                "codec",
                "generation",
                "format_version",
            )
        },
        "segments": [segment["kind"] for segment in info["segments"]],
    }


def take_over(path):
    """Import coded vectors with centroids of float32, then add and delete."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(11)
    edges = np.sort(rng.normal(0, 0.2, 31)).astype(np.float32)
    importer = _core.Importer.create(
        path,
        nbits=4,
        centroids=unit(rng.standard_normal((40, DIM))),
        cutoffs=edges[1::2].copy(),
        weights=edges[0::2].copy(),
        threads=1,
    )
    ids = range(30)
    importer.add(
        [f"d{n}" for n in ids],
        [words(n) for n in ids],
        [None] * 30,
        [json.dumps({"year": 2000 + n, "of": {"part": n % 2 == 0}}) for n in ids],
        [[]] * 30,
        [LENGTH] * 30,
        rng.integers(40, size=30 * LENGTH, dtype=np.int32),
        rng.integers(256, size=(30 * LENGTH, DIM // 2), dtype=np.uint8),
    )
    importer.commit()
    index = _core.Index.open(path, threads=1)
    writer = index.begin()
    writer.add(["late"], [words(77)], [None], [None], [[]], [LENGTH], clustered(rng, LENGTH, DIM))
    writer.delete(["d4"])
    writer.commit()
    index.close()


if __name__ == "__main__":
    made = {
        "float": lambda path: make(path, 20, None),
        "coded": lambda path: make(path, 60, 200),
        "imported": take_over,
    }
    for name, call in made.items():
        path = HERE / f"v{_core.FORMAT_VERSION}" / name / "index"
        call(path)
        (path.parent / "expected.json").write_text(
            json.dumps(expected(path), indent=1, ensure_ascii=False) + "\n"
        )
