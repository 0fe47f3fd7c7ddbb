"""How the default model's weights are stored: int8. The package's float style is the yardstick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto
from weft.encoder.graph.builder import CONTRIB
from weft.encoder.graph.linear import FloatStyle, LinearStyle

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from weft.encoder.graph.builder import GraphBuilder

__all__ = ["FloatStyle", "LinearStyle", "RowStyle"]


def _symmetric(
    weight: NDArray[np.float32], axis: int, top: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round to integers in [-top, top], one scale for each slice along `axis`."""
    scale = np.abs(weight).max(axis=axis, keepdims=True) / top
    scale = np.maximum(scale, np.float32(1e-12))
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


class RowStyle:
    """Weights int8 by column, activations quantised token by token.

    One scale for each token: a token's result does not depend on which texts share its batch, as it does
    with one scale for the whole tensor (`DynamicQuantizeLinear`), and an outlier token costs only itself.
    Weights keep 7 bits: x86 without VNNI adds pairs of u8 x s8 products in 16 bits, and
    255 * 127 * 2 would saturate there while 255 * 63 * 2 fits. The file then means the same on every CPU.
    """

    weight_top = 63

    def lookup(self, b: GraphBuilder, name: str, table: NDArray[np.float32], ids: str) -> str:
        """See `LinearStyle.lookup`. The table keeps 8 bits: it is only looked up, never multiplied."""
        quantised, scale = _symmetric(table, 1, 127)
        rows = b.node("Gather", b.constant(name, quantised), ids)
        scales = b.node("Gather", b.constant(f"{name}.scale", scale), ids)
        return b.node("Mul", b.node("Cast", rows, to=TensorProto.FLOAT), scales)

    def linears(self, b: GraphBuilder, name: str, x: str, weights: list[NDArray[np.float32]]) -> list[str]:
        """See `LinearStyle.linears`."""
        peak = b.node("ReduceMax", b.node("Abs", x), axes=[-1], keepdims=1)
        peak = b.node("Max", peak, b.constant("least_peak", np.float32(1e-12)))
        step = b.node("Div", peak, b.constant("levels", np.float32(127.0)))
        # Truncation of a positive number after adding a half is rounding: one pass less than Round.
        scaled = b.node("Add", b.node("Div", x, step), b.constant("half_up", np.float32(128.5)))
        codes = b.node("Cast", scaled, to=TensorProto.UINT8)
        results = []
        for i, weight in enumerate(weights):
            quantised, scale = _symmetric(weight, 0, self.weight_top)
            product = b.node(
                "MatMulIntegerToFloat",
                codes,
                b.constant(f"{name}.{i}", quantised),
                b.constant("one", np.float32(1.0)),
                b.constant(f"{name}.{i}.scale", scale[0]),
                b.constant("middle", np.uint8(128)),
                domain=CONTRIB,
            )
            results.append(b.node("Mul", product, step))
        return results
