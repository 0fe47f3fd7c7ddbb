"""Indexes of RAGatouille: documents of several passages come back as one, with their metadata."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import weft
from importing import GOLDEN, collection, decoded, golden, texts
from weft.errors import UnreadableSource

OWNERS = ["alpha"] * 3 + ["beta"] * 5 + ["gamma"] * 9 + ["delta"]
TEXTS = [text for _, text in texts()[:18]]


def made(path, golden_name="chunks", owners=None, kept=None, metadata=None):
    """Put beside a golden of colbert-ai what RAGatouille puts there."""
    shutil.copytree(GOLDEN / "colbert-ai" / golden_name / "index", path)
    owners = dict(enumerate(OWNERS)) if owners is None else owners
    (path / "pid_docid_map.json").write_text(json.dumps(owners))
    (path / "collection.json").write_text(json.dumps(TEXTS if kept is None else kept))
    if metadata is not None:
        (path / "docid_metadata_map.json").write_text(json.dumps(metadata))
    return path


def taken_over(source, path, **given):
    done = weft.import_index(source, path, **given)
    with weft.open(path, read_only=True) as index:
        assert index.check() == []
    return done


def test_documents_of_several_passages(tmp_path):
    source = made(tmp_path / "source", metadata={"beta": {"year": 1999, "tags": ["a"]}, "gamma": None})
    done = taken_over(source, tmp_path / "new.weft")
    assert (done.kind, done.documents, done.passages, done.left_out) == ("ragatouille", 4, 18, ())
    weft.import_index(GOLDEN / "colbert-ai" / "chunks" / "index", tmp_path / "plain.weft")
    with weft.open(tmp_path / "new.weft") as index, weft.open(tmp_path / "plain.weft") as plain:
        assert list(index) == ["alpha", "beta", "gamma", "delta"]
        beta = index.get("beta")
        assert beta.metadata == {"year": 1999, "tags": ["a"]}
        assert beta.text == "\n".join(TEXTS[3:8])
        assert [beta.text[start:end] for start, end in beta.passages] == TEXTS[3:8]
        assert index.count({"year": 1999}) == 1
        for number in range(5):
            np.testing.assert_array_equal(decoded(index, "beta", number), decoded(plain, str(3 + number)))
        hit = index.search_vectors(decoded(index, "beta", 2), k=1, exact=True)[0]
        assert (hit.id, hit.passage, hit.text) == ("beta", 2, TEXTS[5])


def test_passages_that_stand_apart(tmp_path):
    owners = {pid: "even" if pid % 2 == 0 else "odd" for pid in range(18)}
    taken_over(made(tmp_path / "source", owners=owners), tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft", read_only=True) as index:
        lengths = golden("colbert-ai/chunks")["doclens"]
        assert [len(decoded(index, "odd", number)) for number in range(9)] == lengths[1::2]
        assert index.get("odd").text == "\n".join(TEXTS[1::2])


REMOVED = [pid for pid, length in enumerate(golden("colbert-ai/removed")["doclens"]) if not length]


def test_after_a_deletion(tmp_path):
    """RAGatouille takes texts and numbers of deleted passages away and renumbers nothing."""
    live = [pid for pid in range(18) if pid not in REMOVED]
    source = made(
        tmp_path / "source", "removed", {pid: OWNERS[pid] for pid in live}, [TEXTS[pid] for pid in live]
    )
    done = taken_over(source, tmp_path / "new.weft")
    assert [(one.count, one.what.split(" ")[1]) for one in done.left_out] == [(4, "without")]
    assert done.documents == 3
    with weft.open(tmp_path / "new.weft", read_only=True) as index:
        assert index.get("beta").text == "\n".join(TEXTS[pid] for pid in (4, 5, 6))


def test_built_anew_after_a_deletion(tmp_path):
    """Numbers go on where they were, and the index counts from 0."""
    owners = {pid if pid < 3 else pid + 2: name for pid, name in enumerate(OWNERS)}
    done = taken_over(made(tmp_path / "source", owners=owners), tmp_path / "new.weft")
    assert any("skips numbers" in note for note in done.notes)
    with weft.open(tmp_path / "new.weft", read_only=True) as index:
        assert index.get("delta").text == TEXTS[17]


def test_a_collection_of_the_callers(tmp_path):
    file = collection(tmp_path / "texts.tsv", 18)
    taken_over(made(tmp_path / "source", kept=["nothing"]), tmp_path / "new.weft", collection=file)
    with weft.open(tmp_path / "new.weft", read_only=True) as index:
        assert index.get("delta").text == TEXTS[17]


@pytest.mark.parametrize(
    ("change", "file", "words"),
    [
        ({"owners": {**dict(enumerate(OWNERS)), 18: "more"}}, "pid_docid_map.json", "names passage 18"),
        ({"owners": {0: 7}}, "pid_docid_map.json", "an id of type int"),
        ({"owners": {"one": "a"}}, "pid_docid_map.json", "has the key 'one'"),
        ({"owners": ["a"]}, "pid_docid_map.json", "holds a list"),
        ({"owners": {0: " "}, "kept": ["a"]}, "", "visible characters"),
        ({"kept": TEXTS[:5]}, "collection.json", "has 5 texts, and the index 18 passages"),
        ({"kept": [1] * 18}, "collection.json", "no list of strings"),
    ],
)
def test_what_contradicts_itself(tmp_path, change, file, words):
    source = made(tmp_path / "source", **change)
    with pytest.raises(UnreadableSource, match=words) as caught:
        weft.import_index(source, tmp_path / "new.weft")
    assert str(caught.value).startswith(f"{source / file}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_metadata_that_is_none(tmp_path):
    source = made(tmp_path / "source", metadata={"beta": "text"})
    with pytest.raises(UnreadableSource, match="docid_metadata_map.json: .*'beta' is a str"):
        weft.import_index(source, tmp_path / "new.weft")


def test_half_a_surrogate_pair(tmp_path):
    source = made(tmp_path / "source", kept=[*TEXTS[:17], "half \ud800"])
    with pytest.raises(UnreadableSource, match="'delta' has half a surrogate pair"):
        weft.import_index(source, tmp_path / "new.weft")
