"""BERT and its descendants with learned positions: RoBERTa, XLM-R, and DistilBERT under BERT's names.

Post-layer-norm, every linear map with a bias. Token types are folded into the positions, since they are
always 0. Source: Devlin et al. 2019; RoBERTa's positions, which begin behind the padding index and skip
padding, as in transformers' `create_position_ids_from_input_ids`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from weft.encoder.graph.activation import biased
from weft.encoder.graph.builder import CONTRIB, GraphBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from weft.encoder.graph.linear import LinearStyle, Weights

__all__ = ["Bert"]


@dataclass(frozen=True, kw_only=True)
class Bert:
    """A network of this family: its sizes and its tensors.

    Attributes
    ----------
    layers, hidden, heads : int
        Sizes.
    epsilon : float
        Of the layer norms.
    tensors : Weights
        The weights under BERT's names, `embeddings.word_embeddings.weight` and so on.
    activation : str
        The function between the two maps of a feed-forward layer, as config.json names it.
    padding : int or None
        The id whose tokens have no position, in RoBERTa's way; None counts positions from 0 as BERT does.
    """

    layers: int
    hidden: int
    heads: int
    epsilon: float
    tensors: Weights
    activation: str = "gelu"
    padding: int | None = None

    def linear(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a linear map as (weight [in, out], bias [out]); the file stores [out, in]."""
        return self.tensors[f"{name}.weight"].T, self.tensors[f"{name}.bias"]

    def states(self, b: GraphBuilder, style: LinearStyle) -> Iterator[str]:
        """Add the layers one by one and yield the hidden state after each."""
        # The contrib attention wants int32 [batch, length], 1 where a key may be attended to.
        mask = b.node("Cast", "attention_mask", to=TensorProto.INT32)
        x = self._embeddings(b, style)
        for layer in range(self.layers):
            x = self._layer(b, style, layer, x, mask)
            yield x

    def _embeddings(self, b: GraphBuilder, style: LinearStyle) -> str:
        tensors = self.tensors
        positions = tensors["embeddings.position_embeddings.weight"]
        if "embeddings.token_type_embeddings.weight" in tensors:
            positions = positions + tensors["embeddings.token_type_embeddings.weight"][0]
        words = style.lookup(b, "words", tensors["embeddings.word_embeddings.weight"], "input_ids")
        here = self._positions(b, positions)
        return b.node(
            "SkipLayerNormalization",
            words,
            here,
            b.constant("embedding.gamma", tensors["embeddings.LayerNorm.weight"]),
            b.constant("embedding.beta", tensors["embeddings.LayerNorm.bias"]),
            domain=CONTRIB,
            epsilon=self.epsilon,
        )

    def _positions(self, b: GraphBuilder, table: NDArray[np.float32]) -> str:
        if self.padding is None:
            length = b.node("Shape", "input_ids", start=1, end=2)
            zero = b.constant("zero", np.zeros(1, np.int64))
            return b.node("Slice", b.constant("positions", table), zero, length)
        padding = b.constant("padding", np.int64(self.padding))
        real = b.node("Not", b.node("Equal", "input_ids", padding))
        counted = b.node("Cast", real, to=TensorProto.INT64)
        number = b.node("CumSum", counted, b.constant("along", np.int64(1)))
        places = b.node("Add", b.node("Mul", number, counted), padding)
        return b.node("Gather", b.constant("positions", table), places)

    def _layer(self, b: GraphBuilder, style: LinearStyle, layer: int, x: str, mask: str) -> str:
        at = f"encoder.layer.{layer}"

        def norm(name: str, x: str, skip: str, bias: NDArray[np.float32]) -> str:
            return b.node(
                "SkipLayerNormalization",
                x,
                skip,
                b.constant(f"{name}.gamma", self.tensors[f"{name}.weight"]),
                b.constant(f"{name}.beta", self.tensors[f"{name}.bias"]),
                b.constant(f"{name}.bias", bias),
                domain=CONTRIB,
                epsilon=self.epsilon,
            )

        parts = [self.linear(f"{at}.attention.self.{part}") for part in ("query", "key", "value")]
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
            num_heads=self.heads,
        )
        weight, bias = self.linear(f"{at}.attention.output.dense")
        (out,) = style.linears(b, f"{at}.attention.out", mixed, [weight])
        x = norm(f"{at}.attention.output.LayerNorm", out, x, bias)
        weight, bias = self.linear(f"{at}.intermediate.dense")
        (inner,) = style.linears(b, f"{at}.inner", x, [weight])
        inner = biased(b, self.activation, inner, b.constant(f"{at}.inner.bias", bias))
        weight, bias = self.linear(f"{at}.output.dense")
        (out,) = style.linears(b, f"{at}.out", inner, [weight])
        return norm(f"{at}.output.LayerNorm", out, x, bias)
