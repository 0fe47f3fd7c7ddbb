"""With a centroid_score_threshold a search answers as colbert-ai does with the same parameters."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from engine import clustered, pairs, queries, unit
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plaid_oracle import PlaidOracle
from test_engine_import import code, codebook, foreign, take

# Nearer scores than this may change places by rounding.
ROUNDING = 1e-5


def found(index, query, k, **parameters):
    hits = index.search([query], k, **parameters)[0]
    return [int(hit[0][1:]) for hit in hits], [hit[1] for hit in hits]


def ask(index, oracle, query, k, nprobe, threshold, ndocs):
    """Compare one search; say whether its answer was beyond rounding."""
    pids, scores = oracle.search(query, k, nprobe=nprobe, threshold=threshold, ndocs=ndocs)
    if oracle.gap < ROUNDING or len(pids) < k:
        return False
    got = found(index, query, k, nprobe=nprobe, centroid_score_threshold=threshold, ndocs=ndocs)
    assert got[0] == pids.tolist()
    np.testing.assert_allclose(got[1], scores, atol=2e-5)
    return True


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    nbits=st.sampled_from([1, 2, 4]),
    dim=st.sampled_from([8, 48, 128]),
    centroids=st.integers(2, 120),
    tokens=st.integers(1, 40),
    nprobe=st.integers(1, 4),
    threshold=st.sampled_from([-1.0, 0.2, 0.35, 0.5, 2.0]),
    ndocs=st.sampled_from([16, 24, 40]),
    kind=st.sampled_from([np.float16, np.float32]),
)
def test_random_codes(tmp_path_factory, seed, nbits, dim, centroids, tokens, nprobe, threshold, ndocs, kind):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, size=90).tolist()
    made, codes, buckets = foreign(rng, lengths, dim, nbits, count=centroids, kind=kind)
    index = take(tmp_path_factory.mktemp("plaid") / "i", made, codes, buckets, lengths)
    oracle = PlaidOracle(made["centroids"], made["weights"], codes, buckets, lengths)
    asked = [unit(rng.standard_normal((tokens, dim))) for _ in range(4)]
    answered = [ask(index, oracle, query, 4, nprobe, threshold, ndocs) for query in asked]
    assume(any(answered))


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """1,200 passages of 24 tokens with the codes of 600 centroids: index, oracle, queries."""
    rng = np.random.default_rng(5)
    lengths = [24] * 1200
    vectors = clustered(rng, sum(lengths), 64, centres=400, noise=0.9)
    made = codebook(rng, 64, 2)
    made["centroids"] = clustered(np.random.default_rng(5), 600, 64, centres=400, noise=0.4).astype(
        np.float16
    )
    codes, buckets = code(made, vectors)
    index = take(tmp_path_factory.mktemp("plaid") / "i", made, codes, buckets, lengths)
    oracle = PlaidOracle(made["centroids"], made["weights"], codes, buckets, lengths)
    return index, oracle, queries(vectors.reshape(1200, 24, 64), 40, 32)


@pytest.mark.parametrize(
    ("k", "nprobe", "threshold", "ndocs"),
    [(10, 1, 0.5, 256), (100, 2, 0.45, 1024), (10, 4, 0.4, 64), (5, 1, 0.9, 40), (10, 2, 0.3, 100)],
)
def test_a_collection(collection, k, nprobe, threshold, ndocs):
    index, oracle, asked = collection
    answered = [ask(index, oracle, query, k, nprobe, threshold, ndocs) for query in asked]
    assert sum(answered) >= len(asked) * 0.9


def test_threads_and_tiers_change_nothing(collection):
    index, _, asked = collection
    parameters = {"nprobe": 2, "centroid_score_threshold": 0.5, "ndocs": 80}
    expected = pairs(index.search(asked, 10, threads=1, **parameters))
    assert pairs(index.search(asked, 10, threads=2, **parameters)) == expected
    assert pairs([index.search([query], 10, threads=2, **parameters)[0] for query in asked]) == expected
    program = (
        "import json, sys; from weft import _core; from engine import pairs; import numpy as np\n"
        "v = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(40, -1, 64)\n"
        "i = _core.Index.open(sys.argv[1], read_only=True)\n"
        "found = i.search(list(v), 10, **json.loads(sys.argv[2]))\n"
        "print(json.dumps([_core.cpu_tier(), pairs(found)]))"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, index.path, json.dumps(parameters)],
        input=np.stack(asked).tobytes(),
        capture_output=True,
        check=True,
        env={**os.environ, "WEFT_CPU": "scalar", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    tier, got = json.loads(child.stdout)
    assert tier == "scalar"
    assert [[tuple(hit) for hit in hits] for hits in got] == expected


def test_k_come_back_where_colbert_ai_gives_fewer(collection):
    """colbert-ai scores ndocs / 4 passages and gives no more: here at least k are scored, and cells are added until there are so many."""
    index, oracle, asked = collection
    pids, _ = oracle.search(asked[0], 50, nprobe=1, threshold=0.5, ndocs=40)
    assert len(pids) == 10
    got, _ = found(index, asked[0], 50, nprobe=1, centroid_score_threshold=0.5, ndocs=40)
    assert len(set(got)) == 50


def test_the_order_of_adding_decides_between_equals(tmp_path):
    """In the stages the later of equals goes on, as in colbert-ai; equal results come in the order of adding."""
    rng = np.random.default_rng(4)
    made, codes, buckets = foreign(rng, [3], 16, 2, count=9)
    same = np.tile(codes, 30), np.tile(buckets, (30, 1))
    index = take(tmp_path / "i", made, *same, [3] * 30)
    query = unit(rng.standard_normal((4, 16)))
    got, _ = found(index, query, 3, nprobe=9, centroid_score_threshold=2.0, ndocs=16)
    assert got == [26, 27, 28]
    assert found(index, query, 3, nprobe=9)[0] == [0, 1, 2]
