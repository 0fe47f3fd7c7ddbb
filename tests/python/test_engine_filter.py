"""Filters: the language against a plain oracle, and searches under filters against brute force."""

from __future__ import annotations

import json
import os
import sqlite3

import numpy as np
import pytest
from engine import clustered, maxsim, queries
from filtering import matches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft import _core, errors

# WEFT_LONG=1 tries many more.
EXAMPLES = 5000 if os.environ.get("WEFT_LONG") else 120
# Few keys and values, so that filters meet something.
KEYS = st.sampled_from(["a", "b", "a.b", "b.c", "", ".", "é", "$x", "a b"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [0, 1, -1, 2, 1.0, 0.1, -0.0, 1.5, 1e22, 10**22, 2**53, 2**53 + 1, -(2**70), 1e300, 5e-324]
    ),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "ab", "abc", "é", "e\u0301", "\U0001f600", "\uffff", "x\0y", "1", "true"]),
    st.text(max_size=3),
).filter(lambda value: not isinstance(value, str) or value.encode("utf-8", "replace").decode() == value)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
METADATA = st.none() | st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.sampled_from(
    ["a", "b", "a.b", "b.c", "a.b.c", "a.a", "", ".", "..", ".a", "a.", "é", "a b", "none"]
)
SIGN = st.sampled_from(["", "$"])


def one(operators):
    return st.builds(lambda sign, pair: {sign + pair[0]: pair[1]}, SIGN, operators)


PLAIN = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte", "contains"]), SCALARS),
    st.tuples(st.sampled_from(["in", "nin"]), st.lists(SCALARS, max_size=3)),
    st.tuples(st.just("exists"), st.booleans()),
    st.tuples(st.just("prefix"), SCALARS.filter(lambda value: isinstance(value, str))),
)
OPERATORS = st.recursive(
    one(PLAIN),
    lambda inner: one(st.tuples(st.just("not"), inner)) | st.builds(lambda a, b: {**a, **b}, inner, inner),
    max_leaves=3,
)
CONDITIONS = st.dictionaries(PATHS, SCALARS | st.lists(SCALARS, max_size=3) | OPERATORS, max_size=2)
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: st.builds(
        lambda plain, key, many, one: {**plain, key: one if key == "$not" else many},
        CONDITIONS,
        st.sampled_from(["$and", "$or", "$not"]),
        st.lists(inner, max_size=3),
        inner,
    ),
    max_leaves=5,
)


def dumps(value):
    return None if value is None else json.dumps(value, ensure_ascii=False)


def fill(writer, metadata, spans=None, rows=None):
    """Stage documents d0, d1, ... of one token a passage."""
    n = len(metadata)
    spans = spans or [[]] * n
    passages = sum(max(len(s), 1) for s in spans)
    rows = clustered(np.random.default_rng(3), passages, 8) if rows is None else rows
    none = [None] * n
    ids = [f"d{i}" for i in range(n)]
    writer.add(ids, ["four"] * n, none, [dumps(m) for m in metadata], spans, [1] * passages, rows)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return _core.Index.open(tmp_path_factory.mktemp("filter") / "i", create=True)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(METADATA, max_size=6), st.lists(METADATA, max_size=6), st.lists(FILTERS, min_size=1, max_size=8)
)
def test_the_language_is_that_of_the_oracle(engine, metadata, updated, filters):
    """Through add, update and delete within one transaction that is never committed."""
    writer = engine.begin()
    metadata = [*metadata, {"a": 1}]
    fill(writer, metadata)
    ids = [f"d{i}" for i in range(len(metadata))]
    for state in (metadata, [*updated, *metadata[len(updated) :]][: len(metadata)]):
        assert writer.update(ids, [dumps(m) for m in state]) == len(ids)
        for wanted in filters:
            expected = [i for i, m in zip(ids, state, strict=True) if matches(m or {}, wanted)]
            assert writer.select(json.dumps(wanted)) == expected, wanted
    expected = [i for i, m in zip(ids, state, strict=True) if not matches(m or {}, filters[0])]
    assert writer.delete_where(json.dumps(filters[0])) == len(ids) - len(expected)
    assert writer.select("{}") == expected
    writer.abort()


@settings(max_examples=EXAMPLES // 12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(METADATA, min_size=1, max_size=30), st.lists(FILTERS, min_size=3, max_size=8))
def test_committed_documents_match_like_staged_ones(tmp_path_factory, metadata, filters):
    index = _core.Index.open(tmp_path_factory.mktemp("committed") / "i", create=True)
    writer = index.begin()
    fill(writer, metadata, [[(0, 1), (1, 4)] if i % 3 == 0 else [] for i in range(len(metadata))])
    writer.commit()
    ids = [f"d{i}" for i in range(len(metadata))]
    query = [np.ones((1, 8), np.float32)]
    # Twice: the second time from what was kept.
    for wanted in filters * 2:
        expected = [i for i, m in zip(ids, metadata, strict=True) if matches(m or {}, wanted)]
        text = json.dumps(wanted)
        assert index.select(text, None, 1000) == expected
        assert index.count(text) == len(expected)
        assert [d[0] for d in index.documents(text, None, 1000)] == expected
        paged, after = [], None
        while page := index.select(text, after, 2):
            paged, after = paged + page, page[-1]
        assert paged == expected
        assert {hit[0] for hit in index.search(query, 1000, filter=text)[0]} == set(expected)
    assert index.check() == []


TOPICS = 40


def tagged(path, count, length, dim=48, **settings):
    """Documents d0, d1, ... with a number, a share that a filter can take of them, and a topic."""
    rng = np.random.default_rng(4)
    vectors = clustered(rng, count * length, dim)
    index = _core.Index.open(path, create=True, threads=2, **settings)
    share = rng.permutation(count) / count
    metadata = [
        {"number": i, "share": float(share[i]), "topic": f"t{int(share[i] * TOPICS)}"} for i in range(count)
    ]
    half = count // 2
    for start, end in ((0, half), (half, count)):
        writer = index.begin()
        n = end - start
        writer.add(
            [f"d{i}" for i in range(start, end)],
            ["text"] * n,
            [None] * n,
            [dumps(m) for m in metadata[start:end]],
            [[]] * n,
            [length] * n,
            vectors[start * length : end * length],
        )
        writer.commit()
    return index, vectors.reshape(count, length, dim), share


@pytest.fixture(scope="module", params=["float", "coded"])
def collection(request, tmp_path_factory):
    """4,000 documents, uncompressed or in segments of a codebook, some of them deleted."""
    path = tmp_path_factory.mktemp("search") / "i"
    train = 1 << 30 if request.param == "float" else 1000
    index, vectors, share = tagged(path, 4000, 8, train_tokens=train)
    gone = [f"d{i}" for i in range(0, 4000, 7)]
    assert index.delete(gone) == len(gone)
    share = np.where(np.arange(4000) % 7 == 0, 2.0, share)
    stored = np.stack(
        [
            np.frombuffer(index.vectors(f"d{i}", 0)[0], np.float32).reshape(8, 48) if i % 7 else vectors[i]
            for i in range(4000)
        ]
    )
    return index, stored, share


SELECTIVITIES = [0.9, 0.5, 0.1, 0.02, 0.005, 0.001]


@pytest.mark.parametrize("below", SELECTIVITIES)
def test_search_under_a_filter_is_brute_force_over_what_matches(collection, below):
    index, vectors, share = collection
    wanted = dumps({"share": {"lt": below}})
    allowed = np.flatnonzero(share < below)
    asked = queries(vectors, count=6)
    exact = index.search(asked, 10, filter=wanted, exact=True)
    staged = index.search(asked, 10, filter=wanted)
    lost = 0
    for query, truth, found in zip(asked, exact, staged, strict=True):
        scores = maxsim(query, vectors[allowed])
        best = np.argsort(-scores, kind="stable")[:10]
        np.testing.assert_allclose([hit[1] for hit in truth], scores[best], atol=1e-3)
        assert {hit[0] for hit in truth} == {f"d{i}" for i in allowed[best]}
        # k come back however rare they are, and only those that match.
        assert len(found) == min(10, len(allowed))
        assert {int(hit[0][1:]) for hit in found} <= set(allowed.tolist())
        lost += len({hit[0] for hit in truth} - {hit[0] for hit in found})
    assert lost <= 1


def test_filters_that_match_nothing_or_everything(collection):
    index, vectors, _ = collection
    asked = queries(vectors, count=2)
    assert index.search(asked, 5, filter=dumps({"share": {"gt": 5}})) == [[], []]
    assert index.search(asked, 5, filter=dumps({"$or": []})) == [[], []]
    assert index.search(asked, 5, filter="{}") == index.search(asked, 5)
    every = index.search(asked, 5, filter=dumps({"none": {"exists": False}}), exact=True)
    assert every == index.search(asked, 5, exact=True)


def test_grouping_and_a_filter(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True, train_tokens=100)
    rng = np.random.default_rng(5)
    rows = clustered(rng, 600, 8)
    writer = index.begin()
    # 200 documents of three passages each.
    fill(writer, [{"even": i % 2 == 0, "i": i} for i in range(200)], [[(0, 1), (1, 2), (2, 4)]] * 200, rows)
    writer.commit()
    query = rows[:2]
    for wanted, allowed in (({"even": True}, range(0, 200, 2)), ({"i": {"lt": 7}}, range(7))):
        hits = index.search([query], 10, filter=dumps(wanted), group=True, exact=True)[0]
        stored = decoded_passages(index, allowed)
        best = np.array([maxsim(query, document[:, None, :]).max() for document in stored])
        expected = np.argsort(-best, kind="stable")[:10]
        np.testing.assert_allclose([hit[1] for hit in hits], best[expected], atol=1e-4)
        assert [hit[0] for hit in hits] == [f"d{allowed[i]}" for i in expected]


def decoded_passages(index, numbers):
    return [
        np.stack([np.frombuffer(index.vectors(f"d{i}", p)[0], np.float32) for p in range(3)]) for i in numbers
    ]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("{", "the filter is not JSON"),
        ('{"a": {"b": 1}}', r"filter\['a'\] has the unknown operator 'b': use eq"),
        ('{"$or": [{"a": [[]]}]}', r"filter\['\$or'\]\[0\]\['a'\]\[0\] is a list"),
        ("[" * 10_000, "the filter is not JSON"),
    ],
)
def test_errors_name_the_place(engine, wanted, message):
    for call in (
        lambda: _core.parse_filter(wanted),
        lambda: engine.count(wanted),
        lambda: engine.select(wanted, None, 1),
        lambda: engine.delete_where(wanted),
        lambda: engine.search([np.ones((1, 8), np.float32)], 1, filter=wanted),
    ):
        with pytest.raises(errors.InvalidFilter, match=message):
            call()
    assert issubclass(errors.InvalidFilter, errors.InvalidInput)
    _core.parse_filter("{}")


def test_a_wrong_value_is_no_silent_answer(tmp_path):
    """Values of another document in the table: what it leads to is compared with the metadata."""
    index = _core.Index.open(tmp_path / "i", create=True)
    writer = index.begin()
    fill(writer, [{"a": 1}, {"a": 2}])
    writer.commit()
    index.close()
    with sqlite3.connect(tmp_path / "i" / "catalog.sqlite") as catalogue:
        catalogue.execute("UPDATE field_values SET document = document + 10 WHERE document = 0")
        catalogue.execute("UPDATE field_values SET document = 0 WHERE document = 1")
        catalogue.execute("UPDATE field_values SET document = 1 WHERE document = 10")
    catalogue.close()
    wanted = '{"a": 2}'
    index = _core.Index.open(tmp_path / "i")
    query = [np.ones((1, 8), np.float32)]
    for call in (
        lambda: index.search(query, 1, filter=wanted),
        lambda: index.documents(wanted, None, 5),
        lambda: index.delete_where(wanted),
    ):
        with pytest.raises(errors.CorruptIndex, match="does not agree with the metadata of document .d0"):
            call()


def test_a_deletion_that_fails_half_way_is_never_committed(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    writer = index.begin()
    fill(writer, [{"a": 1}, {"a": 1}, {"a": 2}])
    writer.commit()
    index.close()
    with sqlite3.connect(tmp_path / "i" / "catalog.sqlite") as catalogue:
        catalogue.execute(
            "INSERT INTO field_values SELECT field, kind, value, 2, 1 FROM field_values LIMIT 1"
        )
    catalogue.close()
    index = _core.Index.open(tmp_path / "i")
    writer = index.begin()
    with pytest.raises(errors.CorruptIndex, match="does not agree with the metadata of document .d2"):
        writer.delete_where('{"a": 1}')
    with pytest.raises(errors.InvalidInput, match="begin a new one"):
        writer.commit()
    assert len(index) == 3
