"""Updating metadata and deleting by filter: at once, atomically, and only what changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from engine import build, clustered, pairs, put
from weft import _core, errors


def update(index, ids, metadata):
    writer = index.begin()
    writer.update(ids, [m if m is None else json.dumps(m) for m in metadata])
    return writer.commit()


def files(index):
    return {p.name: p.stat().st_mtime_ns for p in Path(index.path).glob("*.weft")}


@pytest.fixture(params=[30, 1640])
def index(request, tmp_path):
    """Uncompressed and compressed."""
    return build(tmp_path / "i", request.param, 40)[0]


def test_an_update_touches_metadata_alone(index):
    before, query = files(index), [np.eye(4, 48, dtype=np.float32)]
    ranking = pairs(index.search(query, 10))
    done = update(index, ["d1", "unknown", "d2"], [{"year": 2020}, {"year": 1}, {"year": 2021}])
    assert (done["updated"], done["added"], done["deleted"]) == (2, 0, 0)
    assert index.get(["d1"])[0] == ("d1", "text 1", None, '{"year": 2020}', [(0, 6)])
    assert index.select('{"year": {"gte": 2020}}', None, 5) == ["d1", "d2"]
    update(index, ["d1", "d2"], [{"year": 2019, "x": [1]}, None])
    assert index.select('{"year": {"gte": 2020}}', None, 5) == []
    assert index.select('{"x": {"contains": 1}}', None, 5) == ["d1"]
    assert index.get(["d2"])[0][3] is None
    assert files(index) == before
    assert pairs(index.search(query, 10)) == ranking
    assert index.check() == []


def test_other_readers_see_an_update_whole(index):
    reader = _core.Index.open(index.path, read_only=True)
    names = [f"d{i}" for i in range(20)]
    assert reader.count('{"state": 1}') == 0
    writer = index.begin()
    writer.update(names, ['{"state": 1}'] * 20)
    assert writer.select('{"state": 1}') == names
    assert reader.count('{"state": 1}') == 0
    writer.commit()
    assert reader.count('{"state": 1}') == 20
    hits = reader.search([np.eye(4, 48, dtype=np.float32)], 30, filter='{"state": 1}')[0]
    assert sorted(hit[0] for hit in hits) == sorted(names)
    assert {hit[9] for hit in hits} == {'{"state": 1}'}


def test_nothing_staged_is_no_commit(index):
    generation = index.generation
    for stage in (
        lambda writer: None,
        lambda writer: writer.update(["unknown"], ["{}"]),
        lambda writer: writer.delete(["unknown"]),
        lambda writer: writer.delete_where('{"a": 1}'),
        lambda writer: writer.select("{}"),
    ):
        writer = index.begin()
        stage(writer)
        assert writer.commit()["generation"] == generation
    assert index.generation == generation
    assert index.delete_where('{"a": 1}') == 0


def test_a_refused_update_stages_nothing(index):
    writer = index.begin()
    for ids, metadata, message in (
        (["d1", "d2"], ["{}"], "metadata has 1 entries, ids has 2"),
        (["d1", "d2"], ['{"a": 1}', "[]"], 'document "d2" is to have metadata that are no JSON object'),
        (["d1"], ["{"], "no JSON object: EOF"),
    ):
        with pytest.raises(errors.InvalidInput, match=message):
            writer.update(ids, metadata)
    assert writer.select('{"a": 1}') == []
    assert writer.update(["d1"], ['{"a": 1}']) == 1
    assert writer.commit()["updated"] == 1
    with pytest.raises(errors.InvalidInput, match="committed or aborted already"):
        writer.select("{}")


def test_the_writer_sees_what_it_staged(index):
    writer = index.begin()
    rows = clustered(np.random.default_rng(1), 4)
    writer.add(["n"], ["new"], [None], ['{"a": 1}'], [[]], [4], rows)
    writer.update(["d0"], ['{"a": 2}'])
    assert writer.metadata(["n", "d0", "d1", "unknown"]) == ['{"a": 1}', '{"a": 2}', "{}", None]
    assert writer.select('{"a": {"exists": true}}') == ["d0", "n"]
    assert writer.delete_where('{"a": 1}') == 1
    assert writer.select('{"a": {"exists": true}}') == ["d0"]
    assert len(writer.select('{"a": {"ne": 2}}')) == len(index) - 1
    assert writer.commit() == {
        "added": 1, "replaced": 0, "deleted": 1, "updated": 1, "generation": index.generation,
    }  # fmt: skip
    assert index.get(["n"]) == [None]
    assert index.check() == []


def test_replacing_and_deleting_take_the_values_along(index):
    rows = clustered(np.random.default_rng(1), 8)
    writer = index.begin()
    writer.add(["x", "y"], ["a", "b"], [None] * 2, ['{"a": 1}', '{"a": 1}'], [[]] * 2, [4, 4], rows)
    writer.commit()
    writer = index.begin()
    writer.add(["x"], ["a"], [None], ['{"a": 2}'], [[]], [4], rows[:4])
    writer.commit()
    assert index.select('{"a": 1}', None, 9) == ["y"]
    assert index.select('{"a": 2}', None, 9) == ["x"]
    assert index.delete_where('{"a": [1, 2]}') == 2
    assert index.count('{"a": {"exists": true}}') == 0
    assert index.check() == []


def test_the_encoder_belongs_to_the_commit(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    writer = index.begin()
    writer.set_encoder('{"fingerprint": "f"}')
    writer.abort()
    assert (index.encoder(), index.generation) == (None, 0)
    with pytest.raises(errors.InvalidInput, match="no fingerprint"):
        index.begin().set_encoder("{}")
    writer = index.begin()
    writer.set_encoder('{"fingerprint": "f", "name": "one"}')
    writer.commit()
    assert json.loads(index.encoder())["name"] == "one"
    writer = index.begin()
    writer.set_encoder('{"fingerprint": "f", "name": "the same"}')
    with pytest.raises(errors.EncoderMismatch, match="not with"):
        writer.set_encoder('{"fingerprint": "g"}')
    assert writer.commit()["generation"] == 1


def test_metadata_must_be_an_object(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    writer = index.begin()
    rows = clustered(np.random.default_rng(1), 2)
    for metadata in ("[]", "1", '{"a": NaN}', '{"a": 1', '{"a": "\\ud800"}', '{"a":' * 200 + "1" + "}" * 200):
        with pytest.raises(errors.InvalidInput, match='document "b" has metadata that are no JSON object'):
            writer.add(["a", "b"], ["x"] * 2, [None] * 2, ["{}", metadata], [[]] * 2, [1, 1], rows)
    assert writer.select("{}") == []


def test_numbers_of_passages_are_not_given_twice(tmp_path):
    index, _ = build(tmp_path / "i", 3, 4)
    put(index, ["x"], [4], clustered(np.random.default_rng(1), 4))
    index.delete(["x"])
    put(index, ["x"], [4], clustered(np.random.default_rng(1), 4))
    assert index.search([np.eye(4, 48, dtype=np.float32)], 1, filter='{"a": {"ne": 1}}', exact=True)
    assert {hit[2] for hit in index.search([np.eye(4, 48, dtype=np.float32)], 9)[0]} == {0, 1, 2, 4}
