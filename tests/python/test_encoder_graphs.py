"""Ready ONNX exports: which of them end with the backbone, and that no layer is applied twice or left out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from plain_forward import vectors
from weft.encoder import Encoder
from weft.encoder.checkpoint.json_file import JsonFile
from weft.encoder.checkpoint.safetensors import Tensors
from weft.encoder.graph.backbones import build_graph
from weft.errors import ModelError

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "encoder"))
import make_checkpoint as make

LENGTHS = {"query_length": 12, "document_length": 30}


def export(made, path, output="last_hidden_state", *, inside=0, external=False):
    """Write the graph of a checkpoint: the backbone, and the maps of so many of its Dense layers."""
    path.parent.mkdir(exist_ok=True)
    built = build_graph(
        JsonFile.read(made.directory / "config.json"), Tensors([made.directory / "model.safetensors"])
    )
    model = onnx.ModelProto.FromString(built.model)
    initial = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, value in built.constants.items():
        initial[name].CopyFrom(onnx.numpy_helper.from_array(value, name))
    last, width = model.graph.node[-1].input[0], made.tensors["embeddings.LayerNorm.weight"].size
    del model.graph.node[-1]
    for number, layer in enumerate(made.dense[:inside]):
        model.graph.initializer.append(onnx.numpy_helper.from_array(layer.weight.T.copy(), f"map.{number}"))
        model.graph.node.append(
            onnx.helper.make_node("MatMul", [last, f"map.{number}"], [f"mapped.{number}"])
        )
        last, width = f"mapped.{number}", layer.weight.shape[0]
    model.graph.node.append(onnx.helper.make_node("Identity", [last], [output]))
    del model.graph.output[:]
    shape = ["batch", "length", width]
    model.graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape))
    if external:
        onnx.save_model(
            model, path, save_as_external_data=True, location=f"{path.name}_data", size_threshold=0
        )
    else:
        onnx.save(model, path)


def check(made):
    encoder = Encoder.open(made.directory, threads=1)
    (row,) = encoder._tokeniser.documents(["sea wind"], truncate=False)
    np.testing.assert_allclose(encoder.encode_document("sea wind")[0], vectors(made, row.ids), atol=2e-6)
    return encoder


@pytest.fixture
def made(tmp_path):
    return make.pylate(tmp_path / "model", config=make.BERT, **LENGTHS)


def test_a_backbone_gets_the_dense_layers_beside_it(made):
    """Sentence Transformers writes `onnx/model.onnx` without what comes behind the Transformer."""
    export(made, made.directory / "onnx" / "model.onnx")
    encoder = check(made)
    assert encoder.dim == make.DIM
    assert encoder.info()["graph"] == str(Path("onnx") / "model.onnx")
    assert [layer["outputs"] for layer in encoder.info()["dense"]] == [make.DIM]


@pytest.mark.parametrize(
    "output", ["contextual", "output", "last_hidden_state", "token_embeddings", "anything"]
)
def test_a_graph_with_the_projection_inside_is_not_projected_again(made, output):
    export(made, made.directory / "model.onnx", output, inside=1)
    assert check(made).info()["dense"] == []


def test_colbert_ai_s_layout_with_either_graph(tmp_path):
    made = make.stanford(tmp_path / "model", metadata={"query_maxlen": 12, "doc_maxlen": 30})
    stored = Tensors([made.directory / "model.safetensors"])
    bare = {
        name.removeprefix("bert."): stored.array(name)
        for name in stored.names()
        if "position_ids" not in name
    }
    made.tensors = {name: value for name, value in bare.items() if name != "linear.weight"}
    export(made, made.directory / "model.onnx", "contextual", inside=1)
    assert check(made).info()["dense"] == []
    (made.directory / "model.onnx").unlink()
    export(made, made.directory / "vespa_colbert.onnx")
    assert len(check(made).info()["dense"]) == 1


def test_weights_beside_the_graph_are_read_and_part_of_the_fingerprint(made):
    export(made, made.directory / "model.onnx", external=True)
    encoder = check(made)
    assert "model.onnx_data" in encoder.info()["files"]
    data = bytearray((made.directory / "model.onnx_data").read_bytes())
    data[-1] ^= 1
    (made.directory / "model.onnx_data").write_bytes(data)
    assert Encoder.open(made.directory, threads=1).fingerprint != encoder.fingerprint


def test_an_id_that_the_graph_does_not_know_is_an_error_of_the_model(made):
    export(made, made.directory / "model.onnx")
    encoder = Encoder.open(made.directory, threads=1)
    with pytest.raises(ModelError, match=r"model\.onnx: onnxruntime cannot run it"):
        encoder._network.run(np.array([[10_000]]), np.array([[1]]))


def test_where_widths_do_not_tell_the_name_does(tmp_path):
    dense = [make.random_layer(1, 32, 32)]
    made = make.pylate(tmp_path / "model", config=make.BERT, dense=dense, **LENGTHS)
    export(made, made.directory / "model.onnx", "last_hidden_state")
    assert len(check(made).info()["dense"]) == 1
    export(made, made.directory / "model.onnx", "contextual", inside=1)
    assert check(made).info()["dense"] == []
    export(made, made.directory / "model.onnx", "token_embeddings", inside=1)
    with pytest.raises(ModelError, match="name it contextual if they are inside, last_hidden_state if not"):
        Encoder.open(made.directory)


def test_an_export_that_leaves_layers_out_is_refused(tmp_path):
    dense = [make.random_layer(1, 32, 24), make.random_layer(2, 24, 8)]
    made = make.pylate(tmp_path / "two", config=make.BERT, dense=dense, **LENGTHS)
    export(made, made.directory / "model.onnx", "output", inside=1)
    with pytest.raises(ModelError, match="has 24 components and the last Dense layer gives 8"):
        Encoder.open(made.directory)
    export(made, made.directory / "model.onnx", "last_hidden_state", inside=1)
    with pytest.raises(ModelError, match="has 24 components, and the Dense layers beside it map 32 to 8"):
        Encoder.open(made.directory)
    dense = [make.random_layer(1, 32, 16, residual=True)]
    made = make.pylate(tmp_path / "residual", config=make.BERT, dense=dense, **LENGTHS)
    export(made, made.directory / "model.onnx", "output", inside=1)
    with pytest.raises(ModelError, match="leaves out activations and residuals"):
        Encoder.open(made.directory)
    (made.directory / "model.onnx").unlink()
    check(made)
