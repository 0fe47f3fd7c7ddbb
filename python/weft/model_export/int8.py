"""Dynamic quantisation of an exported graph: weights int8, activations quantised when the graph runs.

ONNX Runtime's own `quantize_dynamic` takes one activation scale for a whole tensor. A token's vector then
depends on the other texts of its batch and on its padding, so that a passage encoded again is another
passage. Here each token has its own scale, as in the default model (models/recipe/linear.py): the result is
that of the text alone. tests/reference/export compares the two.

Weights keep 7 bits, column by column: x86 without VNNI adds pairs of u8 x s8 products in 16 bits, which 8 x 8
bits overflow. Tables that are only looked up keep 8 bits, row by row. Products of two activations, in
attention, stay float.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["quantise"]

_CONTRIB = "com.microsoft"
_WEIGHT_TOP = 63
_TABLE_TOP = 127
_LEAST = np.float32(1e-12)
_PROTOBUF_LIMIT = 2_000_000_000
"""Bytes beyond which weights go to a second file: a protobuf message ends at 2 GiB."""


def quantise(source: Path, destination: Path) -> int:
    """Write the int8 twin of a float graph.

    Parameters
    ----------
    source : Path
        The float graph, of opset 13 or later.
    destination : Path
        The file to write; weights of a graph over 2 GB go to `<name>_data` beside it.

    Returns
    -------
    int
        How many products and look-ups are int8 now.

    Raises
    ------
    ModelError
        If the graph has no weight to quantise.
    """
    model = onnx.load(str(source))
    rewriting = _Rewriting(model)
    for node in model.graph.node:
        rewriting.take(node)
    if not rewriting.replaced:
        raise ModelError(f"{source}: has no matrix product with a constant weight, nothing to make int8")
    rewriting.finish()
    # Of the weights alone: asking a message over 2 GiB for its size is an error already.
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) > _PROTOBUF_LIMIT:
        onnx.save(model, str(destination), save_as_external_data=True, location=f"{destination.name}_data")
    else:
        onnx.save(model, str(destination))
    return rewriting.replaced


class _Rewriting:
    """One pass over a graph's nodes: those that multiply by a weight or look one up are replaced."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        self._nodes: list[onnx.NodeProto] = []
        self._made: dict[str, onnx.TensorProto] = {}
        self._codes: dict[str, tuple[str, str]] = {}
        self.replaced = 0

    def take(self, node: onnx.NodeProto) -> None:
        """Replace a node, or keep it."""
        if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
            self._product(node)
        elif node.op_type == "Gather" and self._is_matrix(node.input[0]) and _axis(node) == 0:
            self._look_up(node)
        else:
            self._nodes.append(node)
            return
        self.replaced += 1

    def finish(self) -> None:
        """Put the new nodes and weights into the graph, and leave out weights nothing uses any more."""
        graph = self._model.graph
        del graph.node[:]
        graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [tensor for tensor in self._weights.values() if tensor.name in used]
        del graph.initializer[:]
        graph.initializer.extend(kept)
        graph.initializer.extend(self._made.values())
        # Shapes of values that are gone would be taken for a contradiction.
        del graph.value_info[:]
        if all(entry.domain != _CONTRIB for entry in self._model.opset_import):
            self._model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))

    def _is_matrix(self, name: str) -> bool:
        tensor = self._weights.get(name)
        return tensor is not None and tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2

    def _product(self, node: onnx.NodeProto) -> None:
        codes, step = self._quantised(node.input[0])
        name = node.input[1]
        if f"{name}.int8" not in self._made:
            weight, scale = _rounded(numpy_helper.to_array(self._weights[name]), 0, _WEIGHT_TOP)
            self._constant(f"{name}.int8", weight)
            self._constant(f"{name}.scale", scale[0])
        product = self._node(
            "MatMulIntegerToFloat",
            [
                codes,
                f"{name}.int8",
                self._constant("int8.one", np.float32(1.0)),
                f"{name}.scale",
                self._constant("int8.middle", np.uint8(128)),
            ],
            f"{node.output[0]}.codes",
            domain=_CONTRIB,
        )
        self._node("Mul", [product, step], node.output[0])

    def _look_up(self, node: onnx.NodeProto) -> None:
        name, ids = node.input
        if f"{name}.int8" not in self._made:
            table, scale = _rounded(numpy_helper.to_array(self._weights[name]), 1, _TABLE_TOP)
            self._constant(f"{name}.int8", table)
            self._constant(f"{name}.scale", scale)
        out = node.output[0]
        rows = self._node("Gather", [f"{name}.int8", ids], f"{out}.rows")
        scales = self._node("Gather", [f"{name}.scale", ids], f"{out}.scales")
        wide = self._node("Cast", [rows], f"{out}.wide", to=TensorProto.FLOAT)
        self._node("Mul", [wide, scales], out)

    def _quantised(self, x: str) -> tuple[str, str]:
        """Return codes and step of an activation, whose nodes are made once for all products that read it."""
        if x not in self._codes:
            axes: dict[str, Any] = {"axes": [-1]} if self._opset < 18 else {}
            last = [] if axes else [self._constant("int8.last", np.array([-1], np.int64))]
            size = self._node("Abs", [x], f"{x}.abs")
            peak = self._node("ReduceMax", [size, *last], f"{x}.peak", keepdims=1, **axes)
            peak = self._node("Max", [peak, self._constant("int8.least", _LEAST)], f"{x}.least")
            step = self._node("Div", [peak, self._constant("int8.levels", np.float32(127.0))], f"{x}.step")
            scaled = self._node("Div", [x, step], f"{x}.scaled")
            # Truncation of a positive number after adding a half is rounding: one pass less than Round.
            raised = self._node(
                "Add", [scaled, self._constant("int8.half_up", np.float32(128.5))], f"{x}.raised"
            )
            self._codes[x] = (self._node("Cast", [raised], f"{x}.uint8", to=TensorProto.UINT8), step)
        return self._codes[x]

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        if name not in self._made:
            self._made[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _node(
        self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any
    ) -> str:
        self._nodes.append(
            helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _rounded(
    weight: NDArray[np.float32], axis: int, top: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round to integers in [-top, top], one scale for each slice along `axis`."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True) / top, _LEAST)
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)
