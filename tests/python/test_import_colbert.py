"""Indexes that colbert-ai built are taken over as they are, and what is no whole index is refused."""

from __future__ import annotations

import gzip
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import weft
from hashing import Hashing
from importing import GOLDEN, coded, collection, decoded, golden, goldens, texts
from weft.errors import IndexExists, IndexNotFound, InvalidInput, ModelNotFound, UnreadableSource
from weft.exports.plaid.tensor_file import TensorFile
from weft.imports.torch_file import read_tensor, read_tensors

NAMES = [name for name in goldens("colbert-ai") if name != "legacy"]
CODED = [name for name in NAMES if (GOLDEN / "colbert-ai" / name / "decoded.npy").exists()]


def source(name):
    return GOLDEN / "colbert-ai" / name / "index"


@pytest.fixture
def copy(tmp_path):
    """A copy of a golden index that a test may spoil."""
    return shutil.copytree(source("chunks"), tmp_path / "source")


@pytest.mark.parametrize("name", NAMES)
def test_passages_tokens_and_tables(name, tmp_path):
    expected = golden(f"colbert-ai/{name}")
    lengths = expected["doclens"]
    done = weft.import_index(source(name), tmp_path / "new.weft")
    kept = [pid for pid, length in enumerate(lengths) if length]
    assert (done.kind, done.dim, done.nbits) == ("colbert-ai", expected["dim"], expected["nbits"])
    assert (done.documents, done.passages, done.tokens) == (len(kept), len(kept), sum(lengths))
    assert (done.checkpoint, done.model) == ("minilm-32", None)
    assert any("minilm-32" in note and "model=" in note for note in done.notes)
    assert sum(one.count for one in done.left_out) == len(lengths) - len(kept)
    with weft.open(tmp_path / "new.weft") as index:
        assert index.check() == []
        assert list(index) == [str(pid) for pid in kept]
        assert index.info()["codec"] == "plaid"
        book = index._native.codebook()
        cutoffs, weights = read_tensors(source(name) / "buckets.pt")
        assert np.frombuffer(book["cutoffs"], np.float32).tolist() == cutoffs.tolist()
        assert np.frombuffer(book["weights"], np.float32).tolist() == weights.astype(np.float32).tolist()
        centroids = read_tensor(source(name) / "centroids.pt")
        assert book["exact"] == "float16"
        np.testing.assert_array_equal(
            np.frombuffer(book["centroids"], np.float32).reshape(-1, expected["dim"]),
            centroids.astype(np.float32),
        )
        assert len(centroids) == expected["partitions"]
        found, codes, residuals = coded(index, list(index))
        chunks = range(expected["chunks"])
        assert found == [length for length in lengths if length]
        np.testing.assert_array_equal(
            codes, np.concatenate([read_tensor(source(name) / f"{chunk}.codes.pt") for chunk in chunks])
        )
        np.testing.assert_array_equal(
            residuals,
            np.concatenate(
                [read_tensor(source(name) / f"{chunk}.residuals.pt").reshape(-1) for chunk in chunks]
            ),
        )


@pytest.mark.parametrize("name", CODED)
def test_decoded_vectors_are_those_of_the_library(name, tmp_path):
    weft.import_index(source(name), tmp_path / "new.weft")
    expected = np.load(GOLDEN / "colbert-ai" / name / "decoded.npy")
    with weft.open(tmp_path / "new.weft", read_only=True) as index:
        found = np.concatenate([decoded(index, str(pid)) for pid in range(3)])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-6


def test_an_imported_index_lives_on(tmp_path):
    weft.import_index(source("2bit"), tmp_path / "new.weft")
    rows = np.load(GOLDEN / "shared" / "vectors.npy")[:56].astype(np.float32)
    with weft.open(tmp_path / "new.weft") as index:
        before = decoded(index, "1")
        index.add_vectors([rows], ids=["again"])
        first, second = index.search_vectors(rows[:32], k=2, exact=True)
        assert {first.id, second.id} == {"0", "again"}
        assert index.delete(["0", "5"]) == 2
        assert index.update("1", {"seen": True}) == 1
        index.compact()
        assert index.check() == []
        assert len(index) == 63
        np.testing.assert_array_equal(decoded(index, "1"), before)
        assert index.search_vectors(rows[:32], k=1)[0].id == "again"


@pytest.mark.parametrize("form", ["tsv", "tsv.gz", "json"])
def test_texts_of_a_collection(form, tmp_path):
    file = collection(tmp_path / "texts.tsv", 64)
    if form == "tsv.gz":
        (tmp_path / "texts.tsv.gz").write_bytes(gzip.compress(file.read_bytes()))
    if form == "json":
        joined = [f"{title} | {text}" for title, text in texts()]
        (tmp_path / "texts.json").write_text(json.dumps(joined), encoding="utf-8")
    done = weft.import_index(source("1bit"), tmp_path / "new.weft", collection=tmp_path / f"texts.{form}")
    assert done.documents == 64
    with weft.open(tmp_path / "new.weft") as index:
        for pid, (title, text) in enumerate(texts()):
            found = index.get(str(pid))
            expected = (None, f"{title} | {text}") if form == "json" else (title, text)
            assert (found.title, found.text) == expected
            assert found.passages == ((0, len(expected[1])),)


def test_texts_of_removed_passages_are_passed_over(tmp_path):
    removed = [pid for pid, length in enumerate(golden("colbert-ai/removed")["doclens"]) if not length]
    file = collection(tmp_path / "texts.tsv", 18)
    weft.import_index(source("removed"), tmp_path / "new.weft", collection=file)
    with weft.open(tmp_path / "new.weft") as index:
        assert not any(str(pid) in index for pid in removed)
        for name in index:
            assert index.get(name).text == texts()[int(name)][1]


def test_texts_that_the_index_holds(tmp_path):
    weft.import_index(source("list"), tmp_path / "new.weft")
    kept = json.loads((source("list") / "metadata.json").read_text(encoding="utf-8"))["config"]["collection"]
    with weft.open(tmp_path / "new.weft") as index:
        assert [index.get(str(pid)).text for pid in range(18)] == kept


def test_the_remark_in_place_of_a_long_list_is_no_text(tmp_path):
    weft.import_index(source("long-list"), tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft") as index:
        assert {document.text for document in index.documents()} == {None}


def named_collection(directory, path):
    file = directory / "metadata.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata["config"]["collection"] = str(path)
    file.write_text(json.dumps(metadata), encoding="utf-8")


def test_the_collection_that_the_index_names(copy, tmp_path):
    named_collection(copy, collection(tmp_path / "texts.tsv", 18))
    weft.import_index(copy, tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft") as index:
        assert index.get("17").text == texts()[17][1]
    # What stands there now is another one: it is said, and not used.
    collection(tmp_path / "texts.tsv", 17)
    done = weft.import_index(copy, tmp_path / "other.weft")
    assert any("has 17 texts" in note for note in done.notes)
    with weft.open(tmp_path / "other.weft") as index:
        assert index.get("3").text is None


def test_a_header_is_a_passage_as_it_is_for_colbert(copy, tmp_path):
    lines = ["id\ttext", *(f"{pid}\ttext {pid}" for pid in range(1, 18))]
    (tmp_path / "texts.tsv").write_text("\r\n".join(lines))
    weft.import_index(copy, tmp_path / "new.weft", collection=tmp_path / "texts.tsv")
    with weft.open(tmp_path / "new.weft") as index:
        assert [index.get(name).text for name in ("0", "17")] == ["text", "text 17"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.tsv", "0\tone\n1\ttwo\n", "has 2 texts, and the index 18 passages"),
        ("a.tsv", "0\tone\n2\ttwo\n", "a.tsv:2: begins with '2'"),
        ("a.tsv", "0\tone\nno tab\n", "a.tsv:2: one column"),
        ("a.json", '["one"]', "has 1 texts"),
        ("a.json", '{"a": "one"}', "no list of strings"),
        ("a.json", "[1", "is no JSON"),
        ("a.csv", "0,one", "its kind is not known"),
    ],
)
def test_collections_that_do_not_fit(copy, tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput, match=words):
        weft.import_index(copy, tmp_path / "new.weft", collection=tmp_path / name)
    assert not (tmp_path / "new.weft").exists()


def test_a_collection_that_changes_meanwhile(copy, tmp_path, monkeypatch):
    file = collection(tmp_path / "texts.tsv", 18)
    monkeypatch.setattr(
        "weft.imports.importing.model_for", lambda *_: (file.write_text("0\tone\n"), "none")[1:] * 2
    )
    with pytest.raises(InvalidInput, match="the texts end at passage 1"):
        weft.import_index(copy, tmp_path / "new.weft", collection=file)
    assert not (tmp_path / "new.weft").exists()


def test_a_collection_that_is_not_there(copy, tmp_path):
    with pytest.raises(InvalidInput, match="no such file"):
        weft.import_index(copy, tmp_path / "new.weft", collection=tmp_path / "a.tsv")


# Sources that are none


def tensor(path, kind, values):
    with TensorFile(path) as file:
        file.begin(kind, values.shape[1:])
        file.write(values)


def spoil_length(directory):
    (directory / "doclens.1.json").write_text("[1, 2, 3]")


def spoil_kind_of_length(directory):
    (directory / "doclens.1.json").write_text("[1.5]")


def spoil_code(directory):
    codes = read_tensor(directory / "1.codes.pt").copy()
    codes[7] = 256
    tensor(directory / "1.codes.pt", "i4", codes)


def spoil_negative_code(directory):
    codes = read_tensor(directory / "2.codes.pt").copy()
    codes[0] = -1
    tensor(directory / "2.codes.pt", "i4", codes)


def spoil_width(directory):
    residuals = read_tensor(directory / "0.residuals.pt")
    tensor(directory / "0.residuals.pt", "u1", residuals[:, :4].copy())


def spoil_rows(directory):
    residuals = read_tensor(directory / "0.residuals.pt")
    tensor(directory / "0.residuals.pt", "u1", residuals[:-1].copy())


def spoil_centroid(directory):
    centroids = read_tensor(directory / "centroids.pt").copy()
    centroids[3, 3] = np.nan
    tensor(directory / "centroids.pt", "f2", centroids)


def spoil_dim(directory):
    tensor(directory / "centroids.pt", "f2", np.ones((256, 12), np.float16))


def spoil_tables(directory):
    with TensorFile(directory / "buckets.pt") as file:
        file.begin("f4")
        file.write(np.array([0.2, 0.1, 0.3]))
        file.begin("f4")
        file.write(np.array([0.0, 0.1, 0.2, 0.3]))


def spoil_table_size(directory):
    with TensorFile(directory / "buckets.pt") as file:
        file.begin("f4")
        file.write(np.array([0.1, 0.2]))
        file.begin("f4")
        file.write(np.array([0.0, 0.1, 0.2]))


def spoil_nbits(directory):
    change(directory, "config", {"nbits": 4})


def spoil_chunks(directory):
    change(directory, "num_chunks", 2)


def spoil_more_chunks(directory):
    change(directory, "num_chunks", 4)


def spoil_chunk_number(directory):
    change(directory, "num_chunks", "three")


def spoil_metadata(directory):
    (directory / "metadata.json").write_text("[" * 100_000)


def spoil_unfinished(directory):
    (directory / "metadata.json").unlink()


def change(directory, key, value):
    file = directory / "metadata.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata[key] = value
    file.write_text(json.dumps(metadata), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (spoil_length, "1.codes.pt", "codes, and doclens.1.json counts 6 tokens"),
        (spoil_kind_of_length, "doclens.1.json", "no list of lengths"),
        (spoil_code, "1.codes.pt", "has the code 256, and there are 256 centroids"),
        (spoil_negative_code, "2.codes.pt", "has the code -1"),
        (spoil_width, "0.residuals.pt", "has shape"),
        (spoil_rows, "0.residuals.pt", "has shape"),
        (spoil_centroid, "centroids.pt", "not finite"),
        (spoil_dim, "centroids.pt", "multiples of 8"),
        (spoil_tables, "buckets.pt", "do not ascend"),
        (spoil_table_size, "buckets.pt", "has 3 weights"),
        (spoil_nbits, "metadata.json", "nbits is '4', and the files have 2"),
        (spoil_chunks, "doclens.2.json", "counts 2 chunks"),
        (spoil_more_chunks, "doclens.3.json", "cannot be read"),
        (spoil_chunk_number, "metadata.json", "num_chunks is 'three'"),
        (spoil_metadata, "metadata.json", "nested too deeply|is no JSON"),
        (spoil_unfinished, "metadata.json", "never finished"),
    ],
)
def test_what_contradicts_itself(copy, tmp_path, spoil, file, words):
    spoil(copy)
    with pytest.raises(UnreadableSource, match=words) as caught:
        weft.import_index(copy, tmp_path / "new.weft")
    assert str(caught.value).startswith(f"{copy / file}: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


@pytest.mark.parametrize(
    "file", ["centroids.pt", "buckets.pt", "1.codes.pt", "2.residuals.pt", "doclens.0.json"]
)
def test_a_missing_file(copy, tmp_path, file):
    (copy / file).unlink()
    with pytest.raises(UnreadableSource, match="cannot be read") as caught:
        weft.import_index(copy, tmp_path / "new.weft", kind="colbert-ai")
    assert str(caught.value).startswith(f"{copy / file}: ")


def test_nothing_is_left(copy, tmp_path):
    for chunk in range(3):
        (copy / f"doclens.{chunk}.json").write_text("[0, 0]")
        tensor(copy / f"{chunk}.codes.pt", "i4", np.zeros(0, np.int32))
        tensor(copy / f"{chunk}.residuals.pt", "u1", np.zeros((0, 8), np.uint8))
    with pytest.raises(UnreadableSource, match="no passage that could be taken over"):
        weft.import_index(copy, tmp_path / "new.weft")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_files_that_nobody_needs(copy, tmp_path):
    for name in ("ivf.pid.pt", "avg_residual.pt", "plan.json", "0.metadata.json"):
        (copy / name).unlink()
    assert weft.import_index(copy, tmp_path / "new.weft").documents == 18


def test_an_index_from_before_zip(tmp_path):
    with pytest.raises(UnreadableSource, match="older than 1.6"):
        weft.import_index(source("legacy"), tmp_path / "new.weft")


def test_what_is_no_index(tmp_path):
    with pytest.raises(IndexNotFound, match="no such directory"):
        weft.import_index(tmp_path / "nowhere", tmp_path / "new.weft")
    with pytest.raises(UnreadableSource, match="is no index of"):
        weft.import_index(tmp_path, tmp_path / "new.weft")
    with pytest.raises(InvalidInput, match="kind is 'faiss'"):
        weft.import_index(source("1bit"), tmp_path / "new.weft", kind="faiss")
    weft.import_index(source("chunks"), tmp_path / "new.weft")
    with pytest.raises(UnreadableSource, match="an index of Weft already"):
        weft.import_index(tmp_path / "new.weft", tmp_path / "newer.weft")


def test_the_place_is_taken(tmp_path):
    (tmp_path / "new.weft").mkdir()
    (tmp_path / "new.weft" / "letter.txt").write_text("dear")
    with pytest.raises(IndexExists):
        weft.import_index(source("chunks"), tmp_path / "new.weft")
    assert [path.name for path in (tmp_path / "new.weft").iterdir()] == ["letter.txt"]


def test_the_place_lies_in_the_source(tmp_path):
    shutil.copytree(source("chunks"), tmp_path / "index")
    (tmp_path / "link").symlink_to(tmp_path / "index")
    before = sorted(path.name for path in (tmp_path / "index").iterdir())
    for place in ("index/new.weft", "link/new.weft", "index"):
        with pytest.raises(InvalidInput, match="lies inside of"):
            weft.import_index(tmp_path / "index", tmp_path / place)
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == before


def test_a_slash_at_the_end_of_a_place_changes_nothing(tmp_path):
    done = weft.import_index(f"{source('chunks')}/", f"{tmp_path}/new.weft/")
    assert done.destination == str(tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft") as index:
        assert len(index) == done.documents


def test_interrupted(tmp_path):
    def progress(stage, done, total):
        assert total is None or done <= total
        if stage != "import":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weft.import_index(source("2bit"), tmp_path / "new.weft", progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_passages(tmp_path):
    told = []
    weft.import_index(source("removed"), tmp_path / "new.weft", progress=lambda *one: told.append(one))
    assert [one for one in told if one[0] == "import"][-1] == ("import", 17, 18)
    assert told[-1][0] != "import"


# The model


def test_the_model_is_remembered(tmp_path, bundled):
    file = collection(tmp_path / "texts.tsv", 64)
    done = weft.import_index(source("2bit"), tmp_path / "new.weft", collection=file, model="some/model")
    assert done.model == "some/model"
    with weft.open(tmp_path / "new.weft", encoder=Hashing("some/model")) as index:
        assert index.info()["encoder"]["name"] == "some/model"
        assert len(index.search("nobel laureates", k=3)) == 3
    with pytest.raises(weft.EncoderMismatch):
        weft.open(tmp_path / "new.weft", encoder=Hashing("another/model"))


def test_the_checkpoint_that_is_named_is_tried(tmp_path, bundled):
    done = weft.import_index(source("2bit"), tmp_path / "new.weft")
    assert (done.model, done.notes) == ("minilm-32", ())


def test_settings_that_differ_from_the_model_s_are_told(tmp_path, monkeypatch):
    model = Hashing("some/model")
    model.settings = SimpleNamespace(query_length=48, attend_to_expansion=False, query_marker="[unused0]")
    monkeypatch.setattr("weft.encoding.open_encoder", lambda *_, **__: model)
    done = weft.import_index(source("2bit"), tmp_path / "new.weft", model="some/model")
    assert len(done.notes) == 1
    assert "query_maxlen 32, and the model says 48" in done.notes[0]


def test_a_model_of_another_dimension(tmp_path, bundled, monkeypatch):
    monkeypatch.setattr("hashing.DIM", 16)
    with pytest.raises(InvalidInput, match="of dimension 16, and those of .* have 32"):
        weft.import_index(source("2bit"), tmp_path / "new.weft", model="some/model")
    assert list(tmp_path.iterdir()) == []
    done = weft.import_index(source("2bit"), tmp_path / "new.weft")
    assert done.model is None
    assert any("of dimension 16" in note for note in done.notes)


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(ModelNotFound):
        weft.import_index(source("2bit"), tmp_path / "new.weft", model=tmp_path / "nowhere")
    weft.import_index(source("2bit"), tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft") as index, pytest.raises(InvalidInput, match="model="):
        index.search("words")


def test_a_model_is_remembered_later(tmp_path):
    weft.import_index(source("2bit"), tmp_path / "new.weft")
    with weft.open(tmp_path / "new.weft", encoder=Hashing()) as index:
        assert len(index.search("nobel laureates", k=3)) == 3
        assert index.info()["encoder"] is None
        index.remember_encoder()
        index.remember_encoder()
        assert index.info()["encoder"]["name"] == "hashing"
    with pytest.raises(weft.EncoderMismatch):
        weft.open(tmp_path / "new.weft", encoder=Hashing("another/model"))


def test_a_model_of_another_dimension_is_not_remembered(tmp_path, monkeypatch):
    weft.import_index(source("2bit"), tmp_path / "new.weft")
    monkeypatch.setattr("hashing.DIM", 16)
    with weft.open(tmp_path / "new.weft", encoder=Hashing()) as index:
        with pytest.raises(InvalidInput, match="of dimension 16, and those of .* have 32"):
            index.remember_encoder()
        assert index.info()["encoder"] is None
    with weft.open(tmp_path / "new.weft") as index, pytest.raises(InvalidInput, match="model="):
        index.remember_encoder()


@pytest.mark.parametrize("name", [None, 7, "", "~nobody/model", "a\0b", "x" * 300, "../..", ["a"]])
def test_checkpoints_that_are_no_names(copy, tmp_path, name):
    file = copy / "metadata.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata["config"] |= {"checkpoint": name, "collection": name}
    file.write_text(json.dumps(metadata), encoding="utf-8")
    done = weft.import_index(copy, tmp_path / "new.weft")
    assert done.model is None
    assert 1 <= len(done.notes) <= 2


# The command


def test_the_command(run, tmp_path):
    file = collection(tmp_path / "texts.tsv", 18)
    done = run(
        "import", source("removed"), tmp_path / "new.weft", "--collection", file, "--model", "some/model"
    )
    assert (done.status, done.out) == (0, "")
    assert "left out 4 passages without tokens" in done.err
    assert "the model is some/model" in done.err
    assert "took over 14 documents in 14 passages, 740 token vectors of dimension 32 at 2 bits" in done.err
    assert run("check", tmp_path / "new.weft").status == 0
    again = run("import", source("removed"), tmp_path / "new.weft")
    assert again.status == 1
    assert "new.weft" in again.err


def test_the_command_refuses(run, tmp_path):
    done = run("import", source("legacy"), tmp_path / "new.weft", "--quiet")
    assert done.status == 3
    assert done.err.startswith("weft: ")
    assert "buckets.pt" in done.err
    assert not (tmp_path / "new.weft").exists()
    assert run("import", tmp_path / "nowhere", tmp_path / "new.weft").status == 3
    assert run("import", source("1bit"), tmp_path / "new.weft", "--kind", "faiss").status == 2
    assert run("import", source("1bit"), tmp_path / "new.weft", "--quiet").err == ""
