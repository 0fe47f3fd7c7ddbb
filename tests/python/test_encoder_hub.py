"""Finding models: directories, the bundled one, the hub's cache; and what is said when there is none."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import weft
from weft import hub
from weft.encoder import Encoder
from weft.errors import InvalidInput, ModelError, ModelNotFound

_TOY = Path(__file__).parents[1] / "data" / "encoder" / "make_toy.py"
_spec = importlib.util.spec_from_file_location("make_toy", _TOY)
toy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toy)
sys.path.insert(0, str(_TOY.parent))
import make_checkpoint as checkpoint  # noqa: E402

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A hub cache made by hand: one repository, one snapshot, the name `main` for it."""
    repository = tmp_path / "hub" / "models--org--toy"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    snapshot = toy.make(repository / "snapshots" / COMMIT)
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_a_cached_model_opens_without_a_network(cache):
    encoder = Encoder.open("org/toy", offline=True)
    assert encoder.describe()["path"] == "org/toy"
    assert encoder.name == "org/toy"
    assert hub.locate("org/toy", revision=COMMIT).directory == cache


def test_a_model_outside_the_cache_says_what_to_do(cache):
    with pytest.raises(ModelNotFound, match="org/other: not in the hub cache, and offline"):
        Encoder.open("org/other")
    with pytest.raises(FileNotFoundError, match="offline"):
        Encoder.open("org/other", offline=True)


def test_a_snapshot_without_a_graph_does_not_count(cache):
    (cache / "model.onnx").unlink()
    with pytest.raises(ModelNotFound, match="not in the hub cache"):
        Encoder.open("org/toy", offline=True)


def test_what_the_cache_lacks_is_named(cache):
    (cache / "tokenizer.json").unlink()
    with pytest.raises(ModelNotFound, match="what it holds is not all: .*no tokenizer.json and no vocab.txt"):
        Encoder.open("org/toy", offline=True)


def test_a_cached_model_with_weights_alone_opens_too(tmp_path, cache):
    shutil.rmtree(cache)
    made = checkpoint.pylate(cache, query_length=12, document_length=30)
    assert Encoder.open("org/toy", offline=True, threads=1).dim == checkpoint.DIM
    # As when another library has fetched the backbone alone.
    (made.directory / "1_Dense" / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="1_Dense: no weights"):
        Encoder.open("org/toy", offline=True)


def test_a_snapshot_that_the_client_calls_incomplete_is_used_when_it_has_what_is_needed(cache, monkeypatch):
    """The client remembers all files of the repository and misses those that were not asked for."""
    import huggingface_hub

    errors = pytest.importorskip("huggingface_hub.errors")
    if not hasattr(errors, "IncompleteSnapshotError"):
        pytest.skip("this client does not tell")

    def incomplete(name, **given):
        raise errors.IncompleteSnapshotError("README.md is missing", snapshot_path=str(cache))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", incomplete)
    assert hub.locate("org/toy").directory == cache


SMALL = ["config.json", "tokenizer.json", "tokenizer_config.json", "modules.json", "1_Dense/config.json"]
DENSE = ["1_Dense/model.safetensors", "2_Dense/config.json", "2_Dense/model.safetensors"]
CODE = ["README.md", "modeling.py", ".gitattributes", "pytorch_model.bin", "onnx/model_qint8_avx512.onnx"]


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["model.onnx", "model_int8.onnx", "model.safetensors"], ["model_int8.onnx"]),
        (
            ["onnx/model.onnx", "onnx/model.onnx_data", "model.safetensors"],
            ["onnx/model.onnx", "onnx/model.onnx_data"],
        ),
        (
            ["model.onnx", "model.onnx.data", "model.onnx_data_1"],
            ["model.onnx", "model.onnx.data", "model.onnx_data_1"],
        ),
        (["vespa_colbert.onnx", "model.safetensors"], ["vespa_colbert.onnx"]),
        (["model.safetensors"], ["model.safetensors"]),
        (
            [
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
            [
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
        ),
        (
            ["0_Transformer/model.safetensors", "0_Transformer/vocab.txt"],
            ["0_Transformer/model.safetensors", "0_Transformer/vocab.txt"],
        ),
    ],
)
def test_one_graph_is_fetched_or_the_weights_and_never_code(there, chosen):
    files = [*SMALL, *DENSE, *CODE, *there]
    small = hub.small_files(files)
    assert set(small) >= {*SMALL, *DENSE}
    assert sorted({*small, *hub.network_files(files)}) == sorted({*SMALL, *DENSE, *chosen})


def test_pickled_weights_are_not_fetched():
    with pytest.raises(ModelError, match=r"pickled \(pytorch_model\.bin\).*safe_serialization=True"):
        hub.network_files([*SMALL, *CODE])
    with pytest.raises(ModelError, match=r"no ONNX graph .* and no model\.safetensors"):
        hub.network_files(SMALL)


def test_the_projection_is_fetched_with_a_graph_that_lacks_it(cache, tmp_path, monkeypatch):
    """In `onnx/` lies what tools write that know backbones only; colbert-ai's projection is in the weights."""
    made = checkpoint.stanford(tmp_path / "source", metadata={"query_maxlen": 12, "doc_maxlen": 30})
    (made.directory / "onnx").mkdir()
    (made.directory / "onnx" / "model_int8.onnx").write_bytes(b"a graph")
    shutil.rmtree(cache)
    Hub(monkeypatch, made.directory, cache)
    assert {"onnx/model_int8.onnx", "model.safetensors"} <= set(hub.pull("org/toy").files)
    (made.directory / "vespa_colbert.onnx").write_bytes(b"a graph with the projection")
    shutil.rmtree(cache)
    files = set(hub.pull("org/toy").files)
    assert "vespa_colbert.onnx" in files
    assert not {"onnx/model_int8.onnx", "model.safetensors"} & files


class Hub:
    """Stands in for the hub: one repository, its files in a folder."""

    def __init__(self, monkeypatch, source, cache):
        import huggingface_hub

        self.source, self.cache, self.asked = source, cache, []
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda **_: self)
        real = huggingface_hub.snapshot_download
        monkeypatch.setattr(
            huggingface_hub,
            "snapshot_download",
            lambda name, **given: real(name, **given) if given.get("local_files_only") else self.fetch(given),
        )
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)

    def model_info(self, name, revision):
        if self.source is None:
            raise TimeoutError("no route to host")
        names = [
            path.relative_to(self.source).as_posix() for path in self.source.rglob("*") if path.is_file()
        ]
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in names])

    def fetch(self, given):
        self.asked.append(given["revision"])
        for name in given["allow_patterns"]:
            target = self.cache / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.source / name, target)
        return str(self.cache)


def test_pull_fetches_what_opening_takes(cache, tmp_path, monkeypatch):
    source = checkpoint.pylate(tmp_path / "source", query_length=12, document_length=30).directory
    (source / "modeling.py").write_text("raise SystemExit", encoding="utf-8")
    shutil.rmtree(cache)
    there = Hub(monkeypatch, source, cache)
    pulled = hub.pull("org/toy", revision="v2")
    assert pulled.directory == cache
    assert there.asked == ["v2", "v2"], "the small files first, then the large ones they ask for"
    assert not (cache / "modeling.py").exists()
    assert pulled.size == sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    assert Encoder.open("org/toy", threads=1).dim == checkpoint.DIM
    assert len(there.asked) == 2, "what the cache holds is not asked for again"


def test_an_incomplete_snapshot_is_completed(cache, tmp_path, monkeypatch):
    source = checkpoint.pylate(tmp_path / "source", query_length=12, document_length=30).directory
    shutil.rmtree(cache / "..", ignore_errors=True)
    cache.mkdir(parents=True)
    shutil.copyfile(source / "config.json", cache / "config.json")
    there = Hub(monkeypatch, source, cache)
    assert Encoder.open("org/toy", threads=1).dim == checkpoint.DIM
    assert there.asked == [None, None]


def test_weights_are_fetched_where_the_graph_leaves_a_layer_out(cache, tmp_path, monkeypatch):
    """next-plaid's exporter drops residuals: its graph beside such a model is another model."""
    layers = [checkpoint.random_layer(1, 32, 16, residual=True)]
    made = checkpoint.pylate(tmp_path / "source", dense=layers, query_length=12, document_length=30)
    (made.directory / "model_int8.onnx").write_bytes(b"not the model")
    checkpoint.write_json(made.directory / "onnx_config.json", {"do_query_expansion": False})
    shutil.rmtree(cache)
    Hub(monkeypatch, made.directory, cache)
    encoder = Encoder.open("org/toy", threads=1)
    assert encoder.info()["graph"] is None
    assert not (cache / "model_int8.onnx").exists()
    assert Encoder.open(made.directory, threads=1).fingerprint == encoder.fingerprint


def test_a_hub_out_of_reach_says_what_to_do(cache, monkeypatch):
    Hub(monkeypatch, None, cache)
    with pytest.raises(ModelNotFound, match=r"org/other: could not be downloaded \(TimeoutError\)"):
        hub.pull("org/other")


def test_a_repository_without_a_model_is_named(cache, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "README.md").write_text("none", encoding="utf-8")
    Hub(monkeypatch, source, cache)
    with pytest.raises(ModelError, match="org/other: has no ONNX graph"):
        hub.pull("org/other")


def test_pull_takes_hub_ids_only(tmp_path):
    for name in (str(tmp_path), "default"):
        with pytest.raises(InvalidInput, match="is here already"):
            hub.pull(name)
    with pytest.raises(ModelNotFound, match="not a hub id"):
        hub.pull("nowhere")


@pytest.mark.parametrize("name", ["no/such/directory", "./nowhere", "word"])
def test_what_is_neither_directory_nor_hub_id_is_refused(name):
    with pytest.raises(ModelNotFound, match="no such directory, and not a hub id"):
        Encoder.open(name)


def test_without_the_bundled_model_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "weft_model", None)
    with pytest.raises(ModelNotFound, match=r"pip install \./models/default"):
        hub.locate(None)


def test_the_bundled_model_is_asked_for_its_path_only(monkeypatch, tmp_path):
    class Bundled:
        @staticmethod
        def path():
            return tmp_path

    monkeypatch.setitem(sys.modules, "weft_model", Bundled)
    assert hub.locate(None) == hub.locate("default") == hub.ModelLocation(tmp_path, "default", "default")


def test_an_index_finds_the_revision_of_its_model_again(cache, tmp_path):
    """The name `main` moves on; the commit that the index was made with stays."""
    encoder = Encoder.open("org/toy", revision=COMMIT, threads=1)
    with weft.open(tmp_path / "index", create=True, encoder=encoder) as index:
        index.add(["the sea"], ids=["a"])
    newer = cache.parent / COMMIT[::-1]
    toy.make(newer, attend=True)
    (cache.parents[1] / "refs" / "main").write_text(newer.name, encoding="utf-8")
    assert Encoder.open("org/toy", threads=1).fingerprint != encoder.fingerprint
    with weft.open(tmp_path / "index") as index:
        assert [hit.id for hit in index.search("sea")] == ["a"]
