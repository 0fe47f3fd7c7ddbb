"""An index fed in steps: small commits wait uncompressed, codebooks grow, segments are joined, and answers stay good."""

from __future__ import annotations

import numpy as np
import pytest
from engine import clustered, pairs, put, queries, unit
from weft import _core, errors

LENGTH = 20


def topic(seed, documents, dim=48):
    """Documents around centres of their own: float32 of shape (documents, LENGTH, dim)."""
    return clustered(np.random.default_rng(seed), documents * LENGTH, dim).reshape(documents, LENGTH, dim)


def feed(index, vectors, first, step):
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        put(
            index,
            [f"d{first + start + i}" for i in range(len(part))],
            [LENGTH] * len(part),
            part.reshape(-1, part.shape[2]),
        )


def overlap(index, asked, vectors, k=10):
    """Share of the best k by MaxSim over the original vectors that the staged search gives."""
    shared = []
    for query, hits in zip(asked, index.search(asked, k), strict=True):
        scores = np.einsum("qd,ntd->nqt", query, vectors).max(axis=2).sum(axis=1)
        best = {f"d{i}" for i in np.argsort(-scores)[:k]}
        shared.append(len(best & {hit[0] for hit in hits}) / k)
    return np.mean(shared)


def centroids(index):
    (codebook,) = index.info()["codebooks"]
    return codebook["centroids"]


def test_single_documents_wait_uncompressed(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True, train_tokens=4000)
    vectors = topic(1, 300)
    feed(index, vectors[:200], 0, 200)
    assert {s["kind"] for s in index.info()["segments"]} == {"coded"}
    files = {p.name for p in (tmp_path / "i").glob("codebook-*")}
    feed(index, vectors[200:], 200, 1)
    info = index.info()
    kinds = [s["kind"] for s in info["segments"]]
    assert kinds.count("coded") == 1
    assert 1 <= kinds.count("float16") <= 12
    assert {p.name for p in (tmp_path / "i").glob("codebook-*")} == files
    assert info["passages"] == 300
    asked = queries(vectors)
    assert overlap(index, asked, vectors) > 0.9
    assert index.check() == []
    # The waiting ones are coded together as soon as they are worth a segment.
    feed(index, topic(2, 820), 300, 410)
    assert {s["kind"] for s in index.info()["segments"]} == {"coded"}
    assert index.check() == []


def test_a_new_topic_gets_centroids_and_steps_end_as_good_as_one_build(tmp_path):
    first, second = topic(3, 2000), topic(4, 2000)
    vectors = np.concatenate([first, second])
    asked = queries(vectors, 24)

    def fed(name, step):
        index = _core.Index.open(tmp_path / name, create=True, train_tokens=16_000)
        feed(index, first, 0, step)
        before = centroids(index)
        feed(index, second, 2000, step)
        return index, before

    steps, before = fed("steps", 820)
    assert centroids(steps) > before, "the second topic"
    assert steps.check() == []
    at_once = _core.Index.open(tmp_path / "once", create=True, train_tokens=16_000)
    feed(at_once, vectors, 0, 4000)
    assert overlap(steps, asked, vectors) >= overlap(at_once, asked, vectors) - 0.03
    # One codebook file, whatever grew, and codes from before its growth decode as they did.
    assert len(list((tmp_path / "steps").glob("codebook-*"))) == 1
    value, _, dim = steps.vectors("d0", 0)
    decoded = np.frombuffer(value, np.float32).reshape(-1, dim)
    assert (decoded * unit(vectors[0])).sum(axis=1).mean() > 0.9


def test_what_readers_hold_survives_growth_and_compaction(tmp_path):
    first, second = topic(5, 1000), topic(6, 1000)
    index = _core.Index.open(tmp_path / "i", create=True, train_tokens=16_000)
    feed(index, first, 0, 1000)
    reader = _core.Index.open(tmp_path / "i", read_only=True)
    asked = queries(first)
    expected = pairs(reader.search(asked, 5, exact=True))
    feed(index, second, 1000, 1000)
    index.delete([f"d{i}" for i in range(1000, 2000)])
    index.compact()
    assert pairs(reader.search(asked, 5, exact=True)) == expected
    assert pairs(index.search(asked, 5, exact=True)) == expected


def test_compact(tmp_path):
    vectors = topic(7, 1200)
    index = _core.Index.open(tmp_path / "i", create=True, train_tokens=8000)
    feed(index, vectors, 0, 150)
    index.delete([f"d{i}" for i in range(0, 1200, 2)])
    asked = queries(vectors)
    before = pairs(index.search(asked, 10, exact=True))
    told = []
    done = index.compact(lambda *stage: told.append(stage))
    assert done["bytes_after"] < 0.75 * done["bytes_before"]
    assert done["segments_after"] <= 2 < done["segments_before"]
    assert pairs(index.search(asked, 10, exact=True)) == before
    assert index.info()["passages"] == 600 == sum(s["passages"] for s in index.info()["segments"])
    assert {stage for stage, _, _ in told} >= {"merge", "write"}
    assert index.check() == []
    again = index.compact()
    assert again["segments_after"] == done["segments_after"]
    put(index, ["d0"], [LENGTH], vectors[0])
    assert index.search([unit(vectors[0])], 1)[0][0][0] == "d0"


def test_compacting_what_is_empty_or_all_deleted(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    assert index.compact()["segments_after"] == 0
    feed(index, topic(8, 3), 0, 1)
    index.delete(["d0", "d1", "d2"])
    assert index.compact()["segments_after"] == 0
    assert index.search([topic(8, 1)[0]], 3) == [[]]
    assert index.check() == []


def test_compacting_can_be_interrupted(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    feed(index, topic(9, 6), 0, 1)
    index.delete(["d1"])
    asked = [topic(9, 1)[0]]
    before = pairs(index.search(asked, 6))

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.compact(stop)
    assert pairs(index.search(asked, 6)) == before
    reader = _core.Index.open(tmp_path / "i", read_only=True)
    with pytest.raises(errors.ReadOnlyIndex):
        reader.compact()


def test_mostly_deleted_segments_are_rewritten_by_later_adds(tmp_path):
    vectors = topic(10, 2600)
    index = _core.Index.open(tmp_path / "i", create=True, train_tokens=8000)
    feed(index, vectors[:1700], 0, 1700)
    index.delete([f"d{i}" for i in range(1500)])
    assert sum(s["passages"] for s in index.info()["segments"]) == 1700
    feed(index, vectors[1700:], 1700, 900)
    assert sum(s["passages"] for s in index.info()["segments"]) == 1100
    assert index.check() == []
