"""Indexes that RAGatouille, PyLate, fast-plaid and next-plaid built: the same documents, vectors and answers."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import weft
from hypothesis import given, settings
from hypothesis import strategies as st
from importing import GOLDEN, SHARED, decoded, golden, goldens, queries
from weft.errors import UnreadableSource

NAMES = [
    f"{library}/{name}"
    for library in ("fast-plaid", "next-plaid")
    for name in goldens(library)
    if name != "binary"
]

TIE = 0.02
"""How far their scores are from those of float32: fast-plaid multiplies in float16, next-plaid in int8."""


@pytest.mark.parametrize("name", NAMES)
def test_what_was_taken_over(name, tmp_path):
    expected = golden(name)
    done = weft.import_index(GOLDEN / name / "index", tmp_path / "new.weft")
    assert done.kind == name.split("/")[0]
    assert (done.documents, done.tokens) == (len(expected["doclens"]), sum(expected["doclens"]))
    assert (done.dim, done.nbits, done.left_out) == (expected["dim"], expected["nbits"], ())
    with weft.open(tmp_path / "new.weft") as index:
        assert index.check() == []
        assert [len(decoded(index, str(at))) for at in range(len(index))] == expected["doclens"]
        for row in expected["metadata"] or []:
            found = index.get(str(row.pop("_subset_")))
            assert found.text == row.pop("text", None)
            assert found.title == row.pop("title", None)
            assert found.metadata == {key: value for key, value in row.items() if value is not None}
        vectors = GOLDEN / name / "decoded.npy"
        if vectors.exists():
            theirs = np.load(vectors)
            found = np.concatenate([decoded(index, str(at)) for at in range(len(index))])[: len(theirs)]
            assert np.abs(found - theirs).max() < 1e-6
        index.add_vectors([decoded(index, "0")], ids=["more"])
        assert index.delete(["1"]) == 1
        index.compact()
        assert index.check() == []


@pytest.mark.parametrize("kind", ["fast-plaid", "next-plaid"])
def test_answers(kind, tmp_path):
    """At least 98 positions of 100 are the same, and where one is not, both scores are within the library's rounding."""
    same = positions = 0
    for name in (one for one in NAMES if one.startswith(kind)):
        weft.import_index(GOLDEN / name / "index", tmp_path / "new.weft")
        with weft.open(tmp_path / "new.weft", read_only=True) as index:
            for search in golden(name)["searches"]:
                for query, expected in zip(queries(), search["results"], strict=False):
                    hits = index.search_vectors(query, k=len(expected), exact=True)
                    positions += len(expected)
                    for hit, (at, score) in zip(hits, expected, strict=True):
                        same += hit.id == str(at)
                        assert abs(hit.score - score) < TIE
        for path in (tmp_path / "new.weft").iterdir():
            path.unlink()
        (tmp_path / "new.weft").rmdir()
    assert positions > 500
    assert same / positions > 0.98


def passages_of(documents):
    """Which passages of the index each document has."""
    found: dict = {}
    for passage, name in documents.items():
        found.setdefault(str(name), []).append(int(passage))
    return found


@pytest.mark.parametrize("name", ["ragatouille/split", "ragatouille/deleted"])
def test_ragatouille(name, tmp_path):
    expected = golden(name)
    source = GOLDEN / name / "index"
    done = weft.import_index(source, tmp_path / "new.weft")
    passages = passages_of(expected["documents"])
    assert (done.kind, done.documents, done.tokens) == (
        "ragatouille",
        len(passages),
        sum(expected["doclens"]),
    )
    assert sum(one.count for one in done.left_out) == expected["doclens"].count(0)
    metadata = json.loads((source / "docid_metadata_map.json").read_text(encoding="utf-8"))
    # All texts, also those of what was deleted since.
    every = json.loads((GOLDEN / "ragatouille/split/index/collection.json").read_text(encoding="utf-8"))
    with weft.open(tmp_path / "new.weft") as index:
        assert index.check() == []
        assert list(index) == list(passages)
        for document in index.documents():
            mine = passages[document.id]
            pieces = [document.text[start:end] for start, end in document.passages]
            assert pieces == [every[passage] for passage in mine]
            assert document.metadata == metadata[document.id]
            assert [len(decoded(index, document.id, number)) for number in range(len(mine))] == [
                expected["doclens"][passage] for passage in mine
            ]
        same = positions = 0
        for search in expected["searches"]:
            for query, found in zip(queries(), search["results"], strict=False):
                hits = index.search_vectors(query, k=len(found), exact=True)
                for hit, (passage, score) in zip(hits, found, strict=True):
                    positions += 1
                    if passages[hit.id][hit.passage] == passage:
                        same += 1
                        # On a CPU colbert-ai counts a query token that nothing resembles as 0, not less.
                        assert score - 0.5 < hit.score < score + 1e-4
    # RAGatouille probes some of the cells; here all passages are scored.
    assert same / positions > 0.9, (same, positions)


@pytest.mark.parametrize("name", ["pylate/fast", "pylate/stanford"])
def test_pylate(name, tmp_path):
    expected = golden(name)
    done = weft.import_index(GOLDEN / name / "index", tmp_path / "new.weft")
    assert done.kind == ("fast-plaid" if name.endswith("fast") else "colbert-ai")
    lengths = json.loads((SHARED / "doclens.json").read_text())
    with weft.open(tmp_path / "new.weft") as index:
        assert index.check() == []
        assert list(index) == [str(one) for one in expected["documents"].values()]
        assert [len(decoded(index, one)) for one in index] == [lengths[at] for at in expected["passages"]]
        for search in expected["searches"]:
            for query, found in zip(queries(), search["results"], strict=False):
                hits = index.search_vectors(query, k=len(found), exact=True)
                assert [hit.id for hit in hits] == [str(one) for one, _ in found]
                assert max(abs(hit.score - score) for hit, (_, score) in zip(hits, found, strict=True)) < TIE


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("colbert-ai/chunks", ["metadata.json", "doclens.0.json", "centroids.pt", "1.codes.pt"]),
        ("next-plaid/4bit-chunked", ["metadata.json", "centroids.npy", "1.residuals.npy"]),
    ],
)
def test_pipes_in_the_place_of_files_are_refused_and_not_waited_for(tmp_path, name, files):
    for file in files:
        source = tmp_path / file
        shutil.copytree(GOLDEN / name / "index", source)
        (source / file).unlink()
        os.mkfifo(source / file)
        with pytest.raises(UnreadableSource, match=f"{file}: is a pipe or a device"):
            weft.import_index(source, tmp_path / "new.weft")
        assert not (tmp_path / "new.weft").exists()


def test_a_codec_without_residuals(tmp_path):
    with pytest.raises(UnreadableSource, match="the codec is binary"):
        weft.import_index(GOLDEN / "next-plaid" / "binary" / "index", tmp_path / "new.weft")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_any_file_is_taken_over_or_refused(tmp_path_factory, data):
    """Whatever stands in the files: a whole index, or an error that names the source, and nothing left behind."""
    here = tmp_path_factory.mktemp("changed")
    name = data.draw(st.sampled_from([f"colbert-ai/{one}" for one in ("chunks", "list")] + NAMES))
    source = shutil.copytree(GOLDEN / name / "index", here / "source")
    path = data.draw(st.sampled_from(sorted(one for one in source.iterdir() if one.stat().st_size)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    try:
        weft.import_index(source, here / "new.weft")
    except UnreadableSource as error:
        assert str(error).startswith(str(source))  # noqa: PT017
        assert [one.name for one in here.iterdir()] == ["source"]
    else:
        with weft.open(here / "new.weft", read_only=True) as index:
            assert index.check() == []
    shutil.rmtree(here)
