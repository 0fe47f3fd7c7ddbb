"""What is written for colbert-ai has the same codes, residuals and tables, in the files that colbert-ai reads."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import weft
from engine import clustered
from hypothesis import given
from hypothesis import strategies as st
from importing import GOLDEN, coded, decoded, golden
from weft import _core
from weft.errors import IndexExists, IndexNotFound, InvalidInput, WeftError
from weft.exports.plaid import chunks as chunk_files
from weft.exports.plaid import coded as coded_passages
from weft.exports.plaid import inverted
from weft.imports.torch_file import read_tensor, read_tensors


def source(name):
    return GOLDEN / "colbert-ai" / name / "index"


@pytest.mark.parametrize("name", ["1bit", "2bit", "4bit", "cuda"])
def test_colbert_gets_back_what_it_gave(name, tmp_path):
    weft.import_index(source(name), tmp_path / "new.weft")
    done = weft.export_plaid(tmp_path / "new.weft", tmp_path / "plaid")
    expected = golden(f"colbert-ai/{name}")
    assert (done.passages, done.tokens, done.nbits, done.dim, done.chunks, done.trained) == (
        len(expected["doclens"]),
        sum(expected["doclens"]),
        expected["nbits"],
        32,
        1,
        False,
    )
    for file in ("centroids.pt", "0.codes.pt", "0.residuals.pt"):
        ours, theirs = read_tensor(tmp_path / "plaid" / file), read_tensor(source(name) / file)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(
        read_tensors(tmp_path / "plaid" / "buckets.pt"),
        read_tensors(source(name) / "buckets.pt"),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs.astype(np.float32))
    lists, lengths = read_tensors(tmp_path / "plaid" / "ivf.pid.pt")
    their_lists, their_lengths = read_tensors(source(name) / "ivf.pid.pt")
    assert (lists.dtype, lengths.dtype) == (their_lists.dtype, their_lengths.dtype)
    np.testing.assert_array_equal(lengths, their_lengths)
    # Theirs ends in zeros that belong to no list.
    assert len(lists) == lengths.sum()
    np.testing.assert_array_equal(lists, their_lists[: len(lists)])
    assert json.loads((tmp_path / "plaid" / "doclens.0.json").read_text()) == expected["doclens"]
    ours = json.loads((tmp_path / "plaid" / "metadata.json").read_text())
    theirs = json.loads((source(name) / "metadata.json").read_text())
    assert {key: ours[key] for key in ours if key != "config"} == {
        key: pytest.approx(theirs[key]) for key in theirs if key != "config"
    }
    # The number of GPUs is the machine's, and so is the place of the texts.
    assert set(theirs["config"]) - set(ours["config"]) == {"gpus"}
    assert ours["config"]["collection"] == str(tmp_path / "plaid" / "collection.tsv")
    plan = json.loads((tmp_path / "plaid" / "plan.json").read_text())
    assert set(plan) == set(json.loads((source(name) / "plan.json").read_text()))


def build(path, passages, dim=32, **settings):
    """An index of documents of one to three passages, which `passages` counts; coded from the first token on."""
    rng = np.random.default_rng(5)
    index = weft.Index(_core.Index.open(path, create=True, **{"train_tokens": 1, **settings}))
    writer = index._native.begin()
    number = 0
    while passages > 0:
        count = min(passages, 1 + number % 3)
        pieces = [f"passage {at} of {number}" for at in range(count)]
        ends = np.cumsum([len(piece) + 1 for piece in pieces]).tolist()
        spans = [(end - len(piece) - 1, end - 1) for piece, end in zip(pieces, ends, strict=True)]
        lengths = rng.integers(1, 30, count).tolist()
        writer.add(
            [f"d{number}"],
            ["\n".join(pieces)],
            [f"Title\t{number}" if number % 2 else None],
            [json.dumps({"number": number}) if number % 5 else None],
            [spans],
            lengths,
            clustered(rng, sum(lengths), dim),
        )
        passages -= count
        number += 1
    writer.commit()
    return index


def same(one, two, *, codes=True):
    """Whether two indexes have the same documents and vectors."""
    assert list(one) == list(two)
    for left, right in zip(one.documents(), two.documents(), strict=True):
        assert (left.text, left.metadata, left.passages) == (right.text, right.metadata, right.passages)
        for passage in range(len(left.passages)):
            if codes:
                np.testing.assert_array_equal(decoded(one, left.id, passage), decoded(two, left.id, passage))
            else:
                cosine = (decoded(one, left.id, passage) * decoded(two, left.id, passage)).sum(axis=1)
                assert cosine.min() > 0.9
    if codes:
        books = one._native.codebook(), two._native.codebook()
        assert {key: value for key, value in books[0].items() if key != "codec"} == {
            key: value for key, value in books[1].items() if key != "codec"
        }
        for left, right in zip(*(index._native.codes(list(index)) for index in (one, two)), strict=True):
            assert left == right


@pytest.mark.parametrize(("nbits", "codec"), [(1, "plaid"), (2, "weft"), (4, "weft"), (8, "plaid")])
def test_there_and_back(tmp_path, nbits, codec):
    index = build(tmp_path / "a.weft", 2500, nbits=nbits, codec=codec)
    assert index.delete(["d1", "d7"]) == 2
    done = weft.export_plaid(index, tmp_path / "plaid")
    back = weft.import_index(tmp_path / "plaid", tmp_path / "b.weft")
    assert (back.documents, back.passages, back.tokens) == (done.documents, done.passages, done.tokens)
    assert done.documents == len(index)
    with weft.open(tmp_path / "b.weft") as again:
        assert again.check() == []
        same(index, again)
    index.close()


def test_chunks_and_blocks_of_any_size(tmp_path, monkeypatch):
    """The same directory, whatever is in memory at a time; and chunks are cut where they are full."""
    with build(tmp_path / "a.weft", 2300) as index:
        weft.export_plaid(index, tmp_path / "whole")
        monkeypatch.setattr(chunk_files, "CHUNK", 700)
        monkeypatch.setattr(coded_passages, "_PASSAGES", 90)
        monkeypatch.setattr(inverted, "_TOKENS", 500)
        monkeypatch.setattr(inverted, "_COPIED", 1000)
        done = weft.export_plaid(index, tmp_path / "parts")
        assert done.chunks == 4
        for number in range(4):
            told = json.loads((tmp_path / "parts" / f"{number}.metadata.json").read_text())
            lengths = json.loads((tmp_path / "parts" / f"doclens.{number}.json").read_text())
            assert told["num_passages"] == len(lengths) == (200 if number == 3 else 700)
            assert told["passage_offset"] == 700 * number
            assert told["num_embeddings"] == sum(lengths)
        whole, parts = [read_tensors(tmp_path / folder / "ivf.pid.pt") for folder in ("whole", "parts")]
        for left, right in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(left, right)
        for what in ("codes", "residuals"):
            pieces = [read_tensor(tmp_path / "parts" / f"{number}.{what}.pt") for number in range(4)]
            np.testing.assert_array_equal(
                np.concatenate(pieces), read_tensor(tmp_path / "whole" / f"0.{what}.pt")
            )
        weft.import_index(tmp_path / "parts", tmp_path / "b.weft")
        with weft.open(tmp_path / "b.weft") as again:
            same(index, again)


def test_inverted_lists_by_hand(tmp_path):
    """Lengths 2, 1, 3; codes 1 0 | 1 | 1 1 2; four centroids."""
    lengths, codes = np.array([2, 1, 3]), np.array([1, 0, 1, 1, 1, 2], np.int32)
    lists = inverted.InvertedLists(4)
    lists.count(lengths[:2], codes[:3])
    lists.count(lengths[2:], codes[3:])
    lists.write(
        tmp_path / "ivf.pid.pt", [(lengths[:1], codes[:2]), (lengths[1:], codes[2:])], lambda done: None
    )
    found = [one.tolist() for one in read_tensors(tmp_path / "ivf.pid.pt")]
    assert found == [[0, 0, 1, 2, 2], [1, 3, 1, 0]]
    assert [path.name for path in tmp_path.iterdir()] == ["ivf.pid.pt"]


@given(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 12)
)
def test_inverted_lists_of_any_passages(tmp_path_factory, passages, cut):
    path = tmp_path_factory.getbasetemp() / "ivf.pid.pt"
    lists = inverted.InvertedLists(7)
    chunks = []
    for part in (passages[:cut], passages[cut:]):
        lengths = np.array([len(codes) for codes in part], np.int64)
        codes = np.array([code for codes in part for code in codes], np.int32)
        lists.count(lengths, codes)
        chunks.append((lengths, codes))
    lists.write(path, chunks, lambda done: None)
    values, lengths = read_tensors(path)
    ends = np.cumsum(lengths)
    for centroid in range(7):
        expected = [pid for pid, codes in enumerate(passages) if centroid in codes]
        assert values[ends[centroid] - lengths[centroid] : ends[centroid]].tolist() == expected


def test_a_small_index_gets_a_codebook(tmp_path):
    with build(tmp_path / "a.weft", 12, nbits=8, train_tokens=None) as index:
        assert index._native.codebook() is None
        done = weft.export_plaid(index, tmp_path / "plaid")
        assert (done.trained, done.passages) == (True, 12)
        weft.import_index(tmp_path / "plaid", tmp_path / "b.weft")
        with weft.open(tmp_path / "b.weft") as again:
            same(index, again, codes=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.weft", "b.weft", "plaid"]


def test_texts_for_each_library(tmp_path):
    with build(tmp_path / "a.weft", 8) as index:
        weft.export_plaid(index, tmp_path / "plaid")
        owners = ["d0", "d1", "d1", "d2", "d2", "d2", "d3", "d4"]
        lines = (tmp_path / "plaid" / "collection.tsv").read_text().split("\n")
        assert lines[:3] == ["0\tpassage 0 of 0", "1\tpassage 0 of 1\tTitle 1", "2\tpassage 1 of 1\tTitle 1"]
        assert json.loads((tmp_path / "plaid" / "pid_docid_map.json").read_text()) == {
            str(pid): name for pid, name in enumerate(owners)
        }
        assert len(json.loads((tmp_path / "plaid" / "collection.json").read_text())) == 8
        assert json.loads((tmp_path / "plaid" / "docid_metadata_map.json").read_text()) == {
            name: {"number": int(name[1:])} for name in ("d1", "d2", "d3", "d4")
        }
        back = pickle.loads((tmp_path / "plaid" / "plaid_ids_to_documents_ids.pkl").read_bytes())
        forth = pickle.loads((tmp_path / "plaid" / "documents_ids_to_plaid_ids.pkl").read_bytes())
        assert back == dict(enumerate(owners))
        assert forth == {"d0": 0, "d1": 1, "d2": 3, "d3": 6, "d4": 7}
        # Titles are in the TSV alone.
        done = weft.import_index(
            tmp_path / "plaid", tmp_path / "b.weft", collection=tmp_path / "plaid" / "collection.tsv"
        )
        assert done.documents == 5
        with weft.open(tmp_path / "b.weft") as again:
            assert [document.title for document in again.documents()] == [
                None,
                "Title 1",
                None,
                "Title 3",
                None,
            ]


def test_documents_without_texts_or_metadata(tmp_path):
    with weft.open(tmp_path / "a.weft", create=True) as index:
        index.add_vectors([np.eye(8, dtype=np.float32)] * 3, ids=["ä", "b\u2028", "c"])
        weft.export_plaid(index, tmp_path / "plaid")
    assert not (tmp_path / "plaid" / "docid_metadata_map.json").exists()
    assert (tmp_path / "plaid" / "collection.tsv").read_text() == "0\t\n1\t\n2\t\n"
    weft.import_index(tmp_path / "plaid", tmp_path / "b.weft")
    with weft.open(tmp_path / "b.weft") as again:
        assert list(again) == ["ä", "b\u2028", "c"]


def test_float32_centroids_are_not_rounded(tmp_path):
    import plaid_arrays

    directory = plaid_arrays.next_plaid(tmp_path / "source")
    exact = np.load(directory / "centroids.npy") * np.float32(1.0001)
    np.save(directory / "centroids.npy", exact)
    weft.import_index(directory, tmp_path / "a.weft")
    weft.export_plaid(tmp_path / "a.weft", tmp_path / "plaid")
    np.testing.assert_array_equal(read_tensor(tmp_path / "plaid" / "centroids.pt"), exact)
    weft.import_index(tmp_path / "plaid", tmp_path / "b.weft")
    with weft.open(tmp_path / "a.weft") as one, weft.open(tmp_path / "b.weft") as two:
        np.testing.assert_array_equal(decoded(one, "3"), decoded(two, "3"))
        assert coded(one, list(one))[1].tolist() == coded(two, list(two))[1].tolist()


def test_the_checkpoint_is_the_model_s(tmp_path, bundled):
    weft.import_index(source("chunks"), tmp_path / "a.weft", model="some/model")
    done = weft.export_plaid(tmp_path / "a.weft", tmp_path / "plaid")
    found = json.loads((tmp_path / "plaid" / "metadata.json").read_text())["config"]["checkpoint"]
    assert done.checkpoint == found
    weft.import_index(source("chunks"), tmp_path / "b.weft", model=tmp_path)
    assert weft.export_plaid(tmp_path / "b.weft", tmp_path / "other").checkpoint == str(tmp_path.resolve())


# What goes wrong


def test_the_place_is_taken(tmp_path, index):
    (tmp_path / "plaid").mkdir()
    with pytest.raises(IndexExists, match="is there already"):
        weft.export_plaid(index, tmp_path / "plaid")
    with pytest.raises(IndexNotFound):
        weft.export_plaid(tmp_path / "nowhere", tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plaid", "toy.weft"]


def test_the_place_lies_in_the_index(tmp_path, index):
    with pytest.raises(InvalidInput, match="lies inside of"):
        weft.export_plaid(index, f"{index.path}/plaid")
    assert "plaid" not in [path.name for path in (tmp_path / "toy.weft").iterdir()]


def test_an_empty_index(tmp_path):
    with weft.open(tmp_path / "a.weft", create=True) as empty, pytest.raises(InvalidInput, match="is empty"):
        weft.export_plaid(empty, tmp_path / "plaid")
    assert [path.name for path in tmp_path.iterdir()] == ["a.weft"]


@pytest.mark.parametrize("stage", ["write", "invert"])
def test_an_interruption_leaves_nothing(tmp_path, stage):
    def progress(name, done, total):
        assert 0 < done <= total == 2500
        if name == stage:
            raise KeyboardInterrupt

    with build(tmp_path / "a.weft", 2500) as index, pytest.raises(KeyboardInterrupt):
        weft.export_plaid(index, tmp_path / "plaid", progress=progress)
    assert [path.name for path in tmp_path.iterdir()] == ["a.weft"]


def test_a_change_meanwhile(tmp_path):
    with (
        build(tmp_path / "a.weft", 2500) as index,
        pytest.raises(WeftError, match="was changed while it was read"),
    ):
        weft.export_plaid(index, tmp_path / "plaid", progress=lambda *_: index.delete("d3"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.weft"]


def test_the_command(run, tmp_path):
    with build(tmp_path / "a.weft", 12, train_tokens=None):
        pass
    done = run("export-plaid", tmp_path / "a.weft", tmp_path / "plaid")
    assert (done.status, done.out) == (0, "")
    assert "compressed for the export" in done.err
    assert "must be told the checkpoint" in done.err
    assert "wrote 12 passages of 6 documents" in done.err
    assert run("export-plaid", tmp_path / "a.weft", tmp_path / "plaid").status == 1
    assert run("export-plaid", tmp_path / "nowhere", tmp_path / "other").status == 3
    assert run("export-plaid", tmp_path / "a.weft", tmp_path / "quiet", "--quiet").err == ""


FULL = """
import resource, signal, sys
import weft

what, source, destination, limit = sys.argv[1:]
# Every write beyond this size fails with EFBIG.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    (weft.import_index if what == "import" else weft.export_plaid)(source, destination)
except OSError:
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("what", ["import", "export"])
@pytest.mark.parametrize("limit", [10_000, 100_000, 300_000])
def test_a_full_disk_leaves_nothing(tmp_path, what, limit):
    with build(tmp_path / "a.weft", 2500, nbits=8) as index:
        weft.export_plaid(index, tmp_path / "plaid")
    source = tmp_path / ("plaid" if what == "import" else "a.weft")
    done = subprocess.run(
        [sys.executable, "-c", FULL, what, source, tmp_path / "new", str(limit)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.weft", "plaid"]
