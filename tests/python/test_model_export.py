"""Exporting a model, as far as it goes without torch: refusals, the directory, int8, what it costs.

The graphs in `tests/reference/golden/optimum` were exported by the real optimum (`tests/reference/export/make.py`); where a test
needs an exporter, one of them stands in for what torch and optimum would have written.
"""

from __future__ import annotations

import json
import shutil
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import weft
from weft.cli import main
from weft.encoder.session import EncoderSession
from weft.errors import InvalidInput, MissingExtra, ModelError, ModelNotFound

REFERENCE = Path(__file__).parents[1] / "reference"
CHECKPOINTS = REFERENCE / "checkpoints"
sys.path.append(str(REFERENCE / "export"))

from graphs import GOLDEN, largest_difference, libraries  # noqa: E402  they lie with the scripts

GRAPHS = sorted(path.stem for path in GOLDEN.glob("*.onnx"))
CASES = [(graph, library, name) for graph in GRAPHS for library, name in libraries(graph)]


def copy(name: str, target: Path) -> Path:
    return Path(shutil.copytree(CHECKPOINTS / name, target))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


# Exported graphs


def test_every_kind_of_backbone_and_layout_has_a_graph():
    assert GRAPHS == ["pylate-bert", "pylate-modernbert", "pylate-xlmr", "st6-modernbert", "stanford"]
    assert len(CASES) >= 9


@pytest.mark.parametrize(("graph", "library", "name"), CASES, ids="/".join)
def test_an_exported_graph_gives_the_vectors_of_the_checkpoints_own_library(graph, library, name):
    assert largest_difference(GOLDEN / f"{graph}.onnx", library, name) < 1e-5


@pytest.mark.parametrize("name", GRAPHS)
def test_an_exported_graph_takes_ids_and_attention_and_gives_vectors_of_length_one(name):
    session = onnxruntime.InferenceSession(str(GOLDEN / f"{name}.onnx"))
    assert [value.name for value in session.get_inputs()] == ["input_ids", "attention_mask"]
    (output,) = session.get_outputs()
    assert output.name == "contextual"
    assert output.shape[:2] == ["batch", "length"]
    ids = np.arange(5, 25, dtype=np.int64).reshape(2, 10)
    (vectors,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-6)


# Refusals


@pytest.fixture
def without_torch(monkeypatch):
    def found(name, *rest):
        return None if name.partition(".")[0] == "torch" else find_spec(name, *rest)

    monkeypatch.setattr("weft.model_export.requirements.find_spec", found)


def test_without_the_extra_the_error_says_what_to_install(without_torch, tmp_path):
    with pytest.raises(MissingExtra, match=r'torch.*pip install "weft\[export\]"'):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_it_too(without_torch, tmp_path, capsys):
    assert main(["model", "export", str(CHECKPOINTS / "stanford"), str(tmp_path / "out")]) == 1
    assert 'pip install "weft[export]"' in capsys.readouterr().err


@pytest.mark.parametrize("opset", [0, 13, 21])
def test_an_opset_that_cannot_be_written_is_refused(opset, tmp_path):
    with pytest.raises(InvalidInput, match=f"opset is {opset}, expected 14 to 20"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", opset=opset)


def test_a_collection_without_int8_is_refused(tmp_path, capsys):
    with pytest.raises(InvalidInput, match="ask for int8 too"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", evaluate=tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["model", "export", "a", "b", "--evaluate", "c"])
    assert "say --int8 too" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="nowhere: no such directory"):
        weft.export_model(tmp_path / "nowhere", tmp_path / "out")


def test_pickled_weights_are_refused_with_a_word_on_how_to_convert(tmp_path):
    checkpoint = copy("stanford", tmp_path / "pickled")
    (checkpoint / "model.safetensors").unlink()
    (checkpoint / "pytorch_model.bin").write_bytes(b"\x80\x04not read")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: pickled.*save_pretrained"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_pickled_weights_of_a_dense_layer_are_refused_too(tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "pickled")
    (checkpoint / "2_Dense" / "model.safetensors").rename(checkpoint / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"2_Dense/pytorch_model\.bin: pickled"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_backbone_with_code_of_its_own_is_refused(tmp_path):
    checkpoint = copy("pylate-xlmr", tmp_path / "coded")
    change(checkpoint / "config.json", auto_map={"AutoModel": "somebody/code--modeling.Model"})
    with pytest.raises(ModelError, match=r"config\.json: auto_map.*runs no code"):
        weft.export_model(checkpoint, tmp_path / "out")


@pytest.mark.parametrize("named", ["os.system", "torch.nn.modules.activation.MultiheadAttention"])
def test_an_activation_is_looked_up_and_never_imported(named, tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "odd")
    change(checkpoint / "1_Dense" / "config.json", activation_function=named)
    with pytest.raises(
        ModelError, match=rf"1_Dense/config\.json: the activation '{named.rpartition('.')[2]}'"
    ):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_bare_backbone_is_refused(tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "bare")
    for name in ("config_sentence_transformers.json", "modules.json"):
        (checkpoint / name).unlink()
    with pytest.raises(ModelError, match="not a late-interaction model"):
        weft.export_model(checkpoint, tmp_path / "out")


# The configuration, in the names of transformers 4


def configuration(content: dict[str, object]) -> dict[str, object]:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.model_export.configuration import backbone_configuration

    return backbone_configuration(JsonFile(Path("config.json"), content))


def test_modernbert_saved_by_transformers_5_keeps_its_angles_and_its_layers():
    rope = {
        "full_attention": {"rope_theta": 80000.0, "rope_type": "default"},
        "sliding_attention": {"rope_theta": 500.0, "rope_type": "default"},
    }
    layers = ["full_attention", "sliding_attention"] * 3
    found = configuration({"model_type": "modernbert", "rope_parameters": rope, "layer_types": layers})
    assert (found["global_rope_theta"], found["local_rope_theta"]) == (80000.0, 500.0)
    assert found["global_attn_every_n_layers"] == 2
    assert not {"rope_parameters", "layer_types"} & set(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no such file, or empty"),
        ({"hidden_size": 3}, "has no model_type"),
        (
            {"model_type": "bert", "rope_parameters": {"rope_theta": 1.0}},
            "rope_parameters is read for ModernBERT",
        ),
        (
            {"model_type": "modernbert", "rope_parameters": {"full_attention": {"rope_type": "yarn"}}},
            "rope_type of full_attention is 'yarn'",
        ),
        (
            {"model_type": "modernbert", "layer_types": ["sliding_attention", "full_attention"]},
            "layer_types are not one full layer every so many",
        ),
    ],
)
def test_a_setting_without_a_counterpart_is_an_error(content, message):
    with pytest.raises(ModelError, match=message):
        configuration(content)


# The directory


@pytest.fixture
def exporter(monkeypatch):
    """Put golden graphs in the place of torch and optimum; `wrong` makes the source another network."""
    from weft.model_export.int8 import quantise

    given = types.SimpleNamespace(wrong=False, fails=None)

    def load_network(folder, configuration, layers, *, attention):
        return EncoderSession(GOLDEN / f"{Path(folder).name}.onnx", threads=1)

    def write_graph(network, path, opset):
        if given.fails is not None:
            raise given.fails
        if given.wrong:
            quantise(network.path, path)
        else:
            shutil.copyfile(network.path, path)

    fakes = {"network": {"load_network": load_network}, "graph": {"write_graph": write_graph}}
    for name, content in fakes.items():
        module = types.ModuleType(f"weft.model_export.{name}")
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(f"weft.model_export.{name}", module, raising=False)
    monkeypatch.setattr("weft.model_export.export.check_requirements", lambda: None)
    return given


@pytest.mark.parametrize("name", GRAPHS)
def test_an_export_opens_with_the_settings_of_its_checkpoint(name, exporter, tmp_path):
    from weft.encoder.settings import read_settings

    report = weft.export_model(CHECKPOINTS / name, tmp_path / "out", threads=1)
    encoder = weft.Encoder.open(tmp_path / "out", threads=1)
    assert encoder.settings == read_settings(CHECKPOINTS / name)
    assert encoder.dim == report.dim
    assert report.difference.largest < 1e-5
    assert report.difference.texts > 80
    (vectors,) = encoder.encode_document("The loom stands by the window.")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["checkpoint"] == name
    assert len(record["weights"]["model.safetensors"]) == 64
    assert str(tmp_path) not in json.dumps(record)


def test_no_weights_are_copied(exporter, tmp_path):
    weft.export_model(CHECKPOINTS / "pylate-bert", tmp_path / "out", threads=1)
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert {"model.onnx", "tokenizer.json", "modules.json", "1_Dense/config.json", "export.json"} <= names
    assert not [name for name in names if name.endswith(".safetensors")]


def test_a_licence_goes_with_the_export(exporter, tmp_path):
    checkpoint = copy("stanford", tmp_path / "stanford")
    (checkpoint / "LICENSE.txt").write_text("yours", encoding="utf-8")
    weft.export_model(checkpoint, tmp_path / "out", threads=1)
    assert (tmp_path / "out" / "LICENSE.txt").read_text(encoding="utf-8") == "yours"


def test_a_graph_that_is_not_its_source_is_an_error_and_leaves_nothing(exporter, tmp_path):
    exporter.wrong = True
    with pytest.raises(ModelError, match="differs from its source by up to"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", threads=1)
    assert list(tmp_path.iterdir()) == []


class OneHot:
    """A network whose vectors are told by ids, off by `error` where attention is `at`."""

    def __init__(self, error: float = 0.0, at: int = 1) -> None:
        self.error, self.at = error, at

    def run(self, ids: np.ndarray, attention: np.ndarray) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[ids] + np.float32(self.error) * (attention == self.at)[:, :, None]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (OneHot(2e-4), "the export is wrong and was not kept"),
        (OneHot(2e-4, at=0), "should not be filled up, or attend to the masks"),
        (OneHot(float("nan")), "the vectors of the graph are not finite for text 0"),
    ],
)
def test_what_differs_is_said(graph, message):
    from weft.encoder.tokenise import Row
    from weft.model_export.verify import check, compare

    rows = [Row([1, 2, 3], 3), Row([1, 2, 3, 4, 4, 4], 3)]
    check(compare(OneHot(), OneHot(9e-5), rows, [3, 3]), "near enough")
    with pytest.raises(ModelError, match=message):
        check(compare(OneHot(), graph, rows, [3, 3]), "model.onnx")


@pytest.mark.parametrize("failure", [ModelError("cannot be traced"), KeyboardInterrupt(), MemoryError()])
def test_a_failure_leaves_an_earlier_export_as_it_was(failure, exporter, tmp_path):
    out = tmp_path / "out"
    weft.export_model(CHECKPOINTS / "stanford", out, threads=1)
    before = (out / "export.json").read_bytes()
    exporter.fails = failure
    with pytest.raises(type(failure)):
        weft.export_model(CHECKPOINTS / "pylate-bert", out, threads=1, force=True)
    assert (out / "export.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_is_replaced_only_on_request(exporter, tmp_path):
    out = tmp_path / "out"
    weft.export_model(CHECKPOINTS / "stanford", out, threads=1)
    with pytest.raises(InvalidInput, match="is there already.*--force"):
        weft.export_model(CHECKPOINTS / "pylate-bert", out, threads=1)
    weft.export_model(CHECKPOINTS / "pylate-bert", out, threads=1, force=True)
    assert not (out / "artifact.metadata").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_never_replaced(exporter, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"no export of Weft's"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "home", force=True)
    with pytest.raises(InvalidInput, match="is a file"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "home" / "thesis.tex", force=True)
    with pytest.raises(InvalidInput, match="no such folder to put"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "no" / "out")
    assert (tmp_path / "home" / "thesis.tex").read_text(encoding="utf-8") == "years"


def test_an_empty_folder_is_filled(exporter, tmp_path):
    (tmp_path / "out").mkdir()
    weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", threads=1)
    assert (tmp_path / "out" / "model.onnx").is_file()


# int8


@pytest.fixture(scope="module")
def int8_graphs(tmp_path_factory):
    from weft.model_export.int8 import quantise

    folder = tmp_path_factory.mktemp("int8")
    for name in GRAPHS:
        quantise(GOLDEN / f"{name}.onnx", folder / f"{name}.onnx")
    return folder


def rows(session: EncoderSession) -> list[np.ndarray]:
    generator = np.random.default_rng(3)
    return [generator.integers(5, 300, size=length) for length in (3, 40, 7, 24, 12, 31)]


def run(session: EncoderSession, texts: list[np.ndarray]) -> list[np.ndarray]:
    ids = np.zeros((len(texts), max(map(len, texts))), np.int64)
    attention = np.zeros_like(ids)
    for line, text in enumerate(texts):
        ids[line, : len(text)] = text
        attention[line, : len(text)] = 1
    vectors = session.run(ids, attention)
    return [vectors[line, : len(text)] for line, text in enumerate(texts)]


@pytest.mark.parametrize("name", GRAPHS)
def test_int8_keeps_directions_and_no_float_matrix(name, int8_graphs):
    import onnx

    exact, small = (EncoderSession(folder / f"{name}.onnx", threads=1) for folder in (GOLDEN, int8_graphs))
    pairs = zip(run(exact, rows(exact)), run(small, rows(small)), strict=True)
    cosines = np.concatenate([np.einsum("ld,ld->l", left, right) for left, right in pairs])
    assert cosines.mean() > 0.99
    weights = onnx.load(str(small.path)).graph.initializer
    # Scales of tables are a column.
    wide = [one.name for one in weights if len(one.dims) == 2 and one.dims[1] > 1]
    assert wide
    assert all(name.endswith(".int8") for name in wide)


@pytest.mark.parametrize("name", GRAPHS)
def test_int8_vectors_of_a_text_do_not_depend_on_its_batch(name, int8_graphs):
    session = EncoderSession(int8_graphs / f"{name}.onnx", threads=1)
    together = run(session, rows(session))
    for text, vectors in zip(rows(session), together, strict=True):
        np.testing.assert_allclose(run(session, [text])[0], vectors, atol=2e-6)


def test_an_int8_graph_too_large_for_one_file_keeps_its_weights_beside_it(monkeypatch, int8_graphs, tmp_path):
    from weft.model_export import int8

    monkeypatch.setattr(int8, "_PROTOBUF_LIMIT", 10_000)
    int8.quantise(GOLDEN / "stanford.onnx", tmp_path / "stanford.onnx")
    assert (tmp_path / "stanford.onnx_data").stat().st_size > 10_000
    one, two = (EncoderSession(folder / "stanford.onnx", threads=1) for folder in (int8_graphs, tmp_path))
    for left, right in zip(run(one, rows(one)), run(two, rows(two)), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_graph_without_weights_cannot_be_made_int8(tmp_path):
    import onnx
    from weft.model_export.int8 import quantise

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Abs", ["x"], ["x2"])], "none", [value], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="nothing to make int8"):
        quantise(tmp_path / "none.onnx", tmp_path / "int8.onnx")


@pytest.fixture
def collection(tmp_path):
    """A BEIR folder of six documents and four questions."""
    folder = tmp_path / "six"
    (folder / "qrels").mkdir(parents=True)
    topics = [
        "amber resin",
        "the baltic sea",
        "an earthquake",
        "a wooden lighthouse",
        "nobel prize",
        "a river",
    ]
    documents = [
        {
            "_id": f"d{n}",
            "title": topic.title(),
            "text": f"This passage tells of {topic} and of nothing else.",
        }
        for n, topic in enumerate(topics)
    ]
    queries = [{"_id": f"q{n}", "text": f"what is known of {topic}"} for n, topic in enumerate(topics[:4])]
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    grades = "".join(f"q{n}\td{n}\t1\n" for n in range(4))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{grades}", encoding="utf-8")
    return folder


def test_int8_loss_is_measured_in_rankings(exporter, collection, tmp_path):
    stages = []
    report = weft.export_model(
        CHECKPOINTS / "stanford",
        tmp_path / "out",
        int8=True,
        evaluate=collection,
        threads=1,
        progress=lambda stage, done, total: stages.append((stage, done, total)),
    )
    loss = report.int8.retrieval
    assert (loss.collection, loss.documents, loss.queries) == ("six", 6, 4)
    assert set(loss.float32) == set(loss.int8) == {"nDCG@10", "R@100"}
    assert loss.float32["R@100"] == loss.int8["R@100"] == 1.0
    assert loss.overlap_at_10 == 1.0
    assert report.int8.difference.largest > report.difference.largest
    ended = [stage for stage, done, total in stages if done == total]
    assert ended == ["encode float", "encode int8"]
    assert weft.Encoder.open(tmp_path / "out", threads=1).info()["graph"].endswith("model_int8.onnx")
    lines = str(report).splitlines()
    assert lines[3] == "int8 on six: 6 documents, 4 queries, exhaustive MaxSim"
    assert lines[4].split() == ["float", "int8"]


def test_a_collection_that_is_incomplete_is_named_before_anything_is_traced(exporter, collection, tmp_path):
    (collection / "qrels" / "test.tsv").unlink()
    with pytest.raises(InvalidInput, match=r"test\.tsv: no such file"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", int8=True, evaluate=collection)
    assert not (tmp_path / "out").exists()


def test_without_a_collection_the_sample_is_used():
    from weft.model_export.retrieval import sample_collection

    sample = sample_collection()
    assert len(sample.documents) == 1500
    assert len(sample.queries) == 205
    assert set(sample.queries) == set(sample.judgements)
    assert all(set(grades) <= set(sample.documents) for grades in sample.judgements.values())


# The command


def test_the_command_prints_what_was_found(exporter, collection, tmp_path, capsys):
    out = tmp_path / "out"
    given = ["model", "export", str(CHECKPOINTS / "stanford"), str(out), "--threads", "1", "--no-progress"]
    assert main([*given, "--int8", "--evaluate", str(collection)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(
        f"{out}: bert, 1 Dense, 8 dimensions; model.onnx 0.1 MB, model_int8.onnx 0.1 MB"
    )
    assert said[1].startswith("checked on 93 texts, ")
    assert said[5].split()[0] == "nDCG@10"
    assert main(given) == 1
    assert "say --force" in capsys.readouterr().err
    assert main([*given, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"]["largest"] < 1e-5
