"""Exported graphs, float and int8: whose vectors they give, and on what these hang."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from exporting import GOLDEN, GRAPHS, largest_difference, libraries
from weft.encoder.session import EncoderSession
from weft.errors import ModelError

CASES = [(graph, library, name) for graph in GRAPHS for library, name in libraries(graph)]


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
