"""Searching: float and coded indexes against brute force, and what every search promises."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from engine import build, clustered, decoded, maxsim, pairs, put, queries
from weft import _core

COUNT, LENGTH = 1640, 40  # 65,600 tokens: just enough for a codebook


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    index, vectors = build(tmp_path_factory.mktemp("coded") / "i", COUNT, LENGTH)
    assert index.info()["segments"][0]["kind"] == "coded"
    return index, vectors


@pytest.mark.parametrize("dim", [8, 48, 96, 128])
@pytest.mark.parametrize("length", [1, 300])
def test_small_index_is_brute_force(tmp_path, dim, length):
    index, vectors = build(tmp_path / "i", 60, 20, dim)
    for query, hits in zip(asked := queries(vectors, 3, length), index.search(asked, 60), strict=True):
        expected = maxsim(query, vectors)
        scores = np.array([hit[1] for hit in hits])
        found = [int(hit[0][1:]) for hit in hits]
        assert sorted(found) == list(range(60))
        np.testing.assert_allclose(scores, expected[found], atol=1e-3 * max(1, length / 12))
        assert (np.diff(scores) <= 0).all()


def test_exact_search_is_brute_force_over_decoded_vectors(coded):
    index, vectors = coded
    stored = decoded(index, COUNT)
    for query, hits in zip(asked := queries(vectors, 4), index.search(asked, 20, exact=True), strict=True):
        expected = maxsim(query, stored)
        np.testing.assert_allclose([h[1] for h in hits], np.sort(expected)[::-1][:20], atol=1e-3)
        np.testing.assert_allclose([h[1] for h in hits], expected[[int(h[0][1:]) for h in hits]], atol=1e-3)


def test_staged_search_finds_what_exact_search_finds(coded):
    index, vectors = coded
    asked = queries(vectors, 20)
    shared = 0
    for staged, exact in zip(
        pairs(index.search(asked, 10)), pairs(index.search(asked, 10, exact=True)), strict=True
    ):
        both = dict(staged).keys() & dict(exact).keys()
        shared += len(both)
        assert all(dict(staged)[id] == dict(exact)[id] for id in both)
    assert shared / (10 * len(asked)) >= 0.95


def test_threads_and_tiers_change_nothing(coded):
    index, vectors = coded
    asked = queries(vectors, 5)
    expected = pairs(index.search(asked, 10, threads=1))
    assert pairs(index.search(asked, 10, threads=2)) == expected
    program = (
        "import json, sys; from weft import _core; from engine import build, pairs, queries; import numpy as np\n"
        "v = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(5, -1, 48)\n"
        "i = _core.Index.open(sys.argv[1], read_only=True)\n"
        "print(json.dumps([_core.cpu_tier(), pairs(i.search(list(v), 10))]))"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, index.path],
        input=np.stack(asked).tobytes(),
        capture_output=True,
        check=True,
        env={**os.environ, "WEFT_CPU": "scalar", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    tier, found = json.loads(child.stdout)
    assert tier == "scalar"
    assert [[tuple(hit) for hit in hits] for hits in found] == expected


@pytest.mark.parametrize(
    "parameters",
    [{}, {"nprobe": 1}, {"ndocs": 1}, {"nprobe": 1, "ndocs": 1}, {"centroid_score_threshold": 0.4}],
)
def test_k_come_back(coded, parameters):
    index, vectors = coded
    for hits in index.search(queries(vectors, 3), 50, **parameters):
        assert len({hit[0] for hit in hits}) == 50


def test_k_come_back_after_deleting_nearly_all(coded, tmp_path):
    index, vectors = coded
    shutil.copytree(index.path, tmp_path / "i")
    rest = _core.Index.open(tmp_path / "i")
    assert rest.delete([f"d{i}" for i in range(7, COUNT)]) == COUNT - 7
    for hits in rest.search(queries(vectors, 3), 7, nprobe=1, ndocs=1):
        assert {hit[0] for hit in hits} == {f"d{i}" for i in range(7)}
    assert len(rest.search(queries(vectors, 1), 100)[0]) == 7


def test_grouping_gives_k_documents(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    vectors = clustered(np.random.default_rng(3), 30 * 5 * 4)
    spans = [[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]] * 30
    put(index, [f"d{i}" for i in range(30)], [4] * 150, vectors, texts=["abcde"] * 30, spans=spans)
    hits = index.search([vectors[:6]], 12, group=True)[0]
    assert len(hits) == len({hit[0] for hit in hits}) == 12
    best = {}
    for hit in index.search([vectors[:6]], 150)[0]:
        best.setdefault(hit[0], hit[1])
    assert [(hit[0], hit[1]) for hit in hits] == list(best.items())[:12]


@pytest.mark.parametrize("codec", ["weft", "plaid"])
def test_more_bits_decode_closer(tmp_path, codec):
    near = []
    for nbits in (1, 2, 4, 8):
        index, vectors = build(tmp_path / str(nbits), COUNT, LENGTH, nbits=nbits, codec=codec)
        near.append(float((decoded(index, 50) * vectors[:50]).sum(axis=2).mean()))
    assert near == sorted(set(near))
    assert near[-1] > 0.99
