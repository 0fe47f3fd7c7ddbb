"""The encoder's ONNX graph as the recipe stores it: the package's BERT, a projection, unit vectors.

Inputs `input_ids` and `attention_mask`, int64 [batch, length]; output `contextual`, float32
[batch, length, dim], each row of length one. How the weights are stored is `linear`'s business: see
`linear.py`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from onnx import helper
from weft.encoder.graph.builder import GraphBuilder

if TYPE_CHECKING:
    import onnx
    from checkpoint import Checkpoint
    from numpy.typing import NDArray
    from weft.encoder.graph.linear import LinearStyle


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
    outputs = []
    x = ""
    for number, x in enumerate(islice(model.states(b, style), layers), 1):
        if number in taps:
            b.name(x, f"hidden_{number}")
            outputs.append((f"hidden_{number}", model.hidden))
    if projection is not None:
        x = b.node("MatMul", x, b.constant("projection", projection))
        if shift is not None:
            x = b.node("Add", x, b.constant("shift", shift))
        norm = b.node("ReduceL2", x, axes=[-1], keepdims=1)
        norm = b.node("Max", norm, b.constant("least_norm", np.float32(1e-12)))
        b.nodes.append(helper.make_node("Div", [x, norm], ["contextual"]))
        outputs.append(("contextual", projection.shape[1]))
    return b.model(outputs)
