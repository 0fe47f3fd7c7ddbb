"""Build the encoder's ONNX graph from the weights, with no deep-learning framework.

Inputs `input_ids` and `attention_mask`, int64 [batch, length]; output `contextual`, float32
[batch, length, dim], each row of length one. Token types are folded into the positions (they are always 0).
Attention, skip-plus-norm and bias-plus-GELU use the `com.microsoft` operators that the plain CPU
build of ONNX Runtime carries: written as such, since a pattern matcher at load time may miss them.

How the weights are stored is `linear`'s business: see `linear.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from checkpoint import Checkpoint
    from linear import LinearStyle
    from numpy.typing import NDArray

OPSET = 17
CONTRIB = "com.microsoft"


class GraphBuilder:
    """Collects nodes and constants and hands out unique value names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._counter = 0

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Store `value` under `name` once and return the name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Append a node with one output and return the output's name."""
        self._counter += 1
        output = f"{operator}_{self._counter}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], name=output, domain=domain, **attributes)
        )
        return output


def _embeddings(b: GraphBuilder, model: Checkpoint, style: LinearStyle) -> str:
    tensors = model.tensors
    positions = (
        tensors["embeddings.position_embeddings.weight"]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    words = style.lookup(b, "words", tensors["embeddings.word_embeddings.weight"], "input_ids")
    length = b.node("Shape", "input_ids", start=1, end=2)
    zero = b.constant("zero", np.zeros(1, np.int64))
    here = b.node("Slice", b.constant("positions", positions), zero, length)
    return b.node(
        "SkipLayerNormalization",
        words,
        here,
        b.constant("embedding.gamma", tensors["embeddings.LayerNorm.weight"]),
        b.constant("embedding.beta", tensors["embeddings.LayerNorm.bias"]),
        domain=CONTRIB,
        epsilon=model.epsilon,
    )


def _layer(b: GraphBuilder, model: Checkpoint, style: LinearStyle, layer: int, x: str, mask: str) -> str:
    at = f"encoder.layer.{layer}"

    def norm(name: str, x: str, skip: str, bias: NDArray[np.float32]) -> str:
        return b.node(
            "SkipLayerNormalization",
            x,
            skip,
            b.constant(f"{name}.gamma", model.tensors[f"{name}.weight"]),
            b.constant(f"{name}.beta", model.tensors[f"{name}.bias"]),
            b.constant(f"{name}.bias", bias),
            domain=CONTRIB,
            epsilon=model.epsilon,
        )

    parts = [model.linear(f"{at}.attention.self.{part}") for part in ("query", "key", "value")]
    joined = np.concatenate([bias for _, bias in parts])
    query, key, value = style.linears(b, f"{at}.attention.in", x, [weight for weight, _ in parts])
    mixed = b.node(
        "MultiHeadAttention",
        query,
        key,
        value,
        b.constant(f"{at}.attention.bias", joined),
        mask,
        domain=CONTRIB,
        num_heads=model.heads,
    )
    weight, bias = model.linear(f"{at}.attention.output.dense")
    (out,) = style.linears(b, f"{at}.attention.out", mixed, [weight])
    x = norm(f"{at}.attention.output.LayerNorm", out, x, bias)
    weight, bias = model.linear(f"{at}.intermediate.dense")
    (inner,) = style.linears(b, f"{at}.inner", x, [weight])
    inner = b.node("BiasGelu", inner, b.constant(f"{at}.inner.bias", bias), domain=CONTRIB)
    weight, bias = model.linear(f"{at}.output.dense")
    (out,) = style.linears(b, f"{at}.out", inner, [weight])
    return norm(f"{at}.output.LayerNorm", out, x, bias)


def build(
    model: Checkpoint,
    style: LinearStyle,
    projection: NDArray[np.float32] | None,
    *,
    layers: int | None = None,
    shift: NDArray[np.float32] | None = None,
    taps: tuple[int, ...] = (),
) -> onnx.ModelProto:
    """Return the encoder as an ONNX model.

    Parameters
    ----------
    model : Checkpoint
        The base encoder.
    style : LinearStyle
        How linear maps and the word table are stored and computed.
    projection : float32 [hidden, dim] or None
        Applied to the last hidden state before normalisation; None leaves the hidden state raw.
    layers : int, optional
        How many layers to keep, all when None.
    shift : float32 [dim], optional
        Added after the projection (minus the projected mean, for centred variants).
    taps : tuple of int
        Layers whose hidden state is an output of its own (`hidden_<n>`), to compare layers.
    """
    b = GraphBuilder()
    # The contrib attention wants int32 [batch, length], 1 where a key may be attended to.
    mask = b.node("Cast", "attention_mask", to=TensorProto.INT32)
    x = _embeddings(b, model, style)
    outputs = []
    for layer in range(model.layers if layers is None else layers):
        x = _layer(b, model, style, layer, x, mask)
        if layer + 1 in taps:
            b.nodes.append(helper.make_node("Identity", [x], [f"hidden_{layer + 1}"]))
            outputs.append((f"hidden_{layer + 1}", model.hidden))
    if projection is not None:
        x = b.node("MatMul", x, b.constant("projection", projection))
        if shift is not None:
            x = b.node("Add", x, b.constant("shift", shift))
        norm = b.node("ReduceL2", x, axes=[-1], keepdims=1)
        norm = b.node("Max", norm, b.constant("least_norm", np.float32(1e-12)))
        b.nodes.append(helper.make_node("Div", [x, norm], ["contextual"]))
        outputs.append(("contextual", projection.shape[1]))
    graph = helper.make_graph(
        b.nodes,
        "encoder",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length", width])
            for name, width in outputs
        ],
        list(b.constants.values()),
    )
    return helper.make_model(
        graph,
        producer_name="weft",
        ir_version=8,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
    )
