"""An export from end to end without torch: the directory, the check, what int8 costs, the command.

A golden graph, made by the real optimum, stands in for what torch and optimum would have written.
"""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import weft
from exporting import CHECKPOINTS, GOLDEN, GRAPHS, copy
from weft.cli import main
from weft.encoder.session import EncoderSession
from weft.errors import InvalidInput, ModelError


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
