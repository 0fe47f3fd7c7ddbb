"""Collects the nodes and constants of a graph and makes the model of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["CONTRIB", "GraphBuilder"]

_OPSET = 17
_IR_VERSION = 8

CONTRIB = "com.microsoft"
"""Operators of ONNX Runtime's own that its plain CPU build carries. Attention, skip-plus-norm and GELU with a
bias are written as such: a pattern matcher at load time may miss them."""

_SMALL = 64
"""Elements up to which a constant always stands in the graph: the runtime reads axes to infer shapes."""


class GraphBuilder:
    """Collects nodes and constants and hands out unique value names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._counter = 0

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        """Store `value` under `name` once and return the name; a number becomes an array of one."""
        if name not in self.constants:
            self.constants[name] = np.ascontiguousarray(value)
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        self._counter += 1
        output = f"{operator}_{self._counter}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], name=output, domain=domain, **attributes)
        )
        return output

    def name(self, value: str, output: str) -> None:
        """Let a value be an output of the graph under this name."""
        self.nodes.append(helper.make_node("Identity", [value], [output]))

    def large(self) -> dict[str, NDArray[Any]]:
        """Return the constants that a model with external weights leaves out."""
        return {name: value for name, value in self.constants.items() if value.size > _SMALL}

    def model(self, outputs: Sequence[tuple[str, int]], *, external: bool = False) -> onnx.ModelProto:
        """Return the model.

        Parameters
        ----------
        outputs : sequence of (str, int)
            Name and width of each output, float32 [batch, length, width].
        external : bool
            Leave the large constants out and only name them, for a session that is handed `large` from
            memory: a model with its weights inside cannot exceed 2 GB.
        """
        large = self.large() if external else {}
        initial = [
            _named(name, value) if name in large else numpy_helper.from_array(value, name)
            for name, value in self.constants.items()
        ]
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length", width])
                for name, width in outputs
            ],
            initial,
        )
        return helper.make_model(
            graph,
            producer_name="weft",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(CONTRIB, 1)],
        )


def _named(name: str, value: NDArray[Any]) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(value.dtype), dims=value.shape)
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    # A place has to be named. Nothing is read from it.
    entry.key, entry.value = "location", "memory"
    return tensor
