"""How a linear map and the word table are stored and computed: all that tells float from int8 graphs.

A style adds nodes to the graph for `x @ weight` without the bias, which the following operator adds. The
recipe of the default model has one more, with int8 weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from weft.encoder.graph.builder import CONTRIB

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from weft.encoder.graph.builder import GraphBuilder

__all__ = ["FloatStyle", "LinearStyle", "Weights"]


class Weights(Protocol):
    """Tensors by name: a dict of arrays, or files that are read when they are asked for one."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is a tensor of this name."""
        ...

    def __getitem__(self, name: str, /) -> NDArray[np.float32]:
        """Return a tensor."""
        ...


class LinearStyle(Protocol):
    """The two places where weights enter the graph."""

    def lookup(self, b: GraphBuilder, name: str, table: NDArray[np.float32], ids: str) -> str:
        """Add nodes that take rows `ids` from `table`."""
        ...

    def linears(self, b: GraphBuilder, name: str, x: str, weights: list[NDArray[np.float32]]) -> list[str]:
        """Add nodes for `x` times each weight [in, out]."""
        ...


class FloatStyle:
    """Weights as they are, and as they lie in the file: turned by the operator, not copied."""

    def lookup(self, b: GraphBuilder, name: str, table: NDArray[np.float32], ids: str) -> str:
        """See `LinearStyle.lookup`."""
        return b.node("Gather", b.constant(name, table), ids)

    def linears(self, b: GraphBuilder, name: str, x: str, weights: list[NDArray[np.float32]]) -> list[str]:
        """See `LinearStyle.linears`."""
        return [
            b.node("FusedMatMul", x, b.constant(f"{name}.{i}", w.T), domain=CONTRIB, transB=1)
            for i, w in enumerate(weights)
        ]
