"""ModernBERT: rotary positions, gated feed-forward layers, norms before the maps, windows in most layers.

Source: Warner et al. 2024, and transformers' `models/modernbert`: the first layer has no norm before
attention; of the doubled feed-forward map the first half is activated and multiplied with the second; a
window of 128 lets a token see 64 to each side; windowed and global layers turn by frequencies of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from weft.encoder.graph.activation import activated
from weft.encoder.graph.builder import CONTRIB, GraphBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from weft.encoder.graph.linear import LinearStyle, Weights

__all__ = ["ModernBert"]

_FAR = np.float32(-1e9)
"""Added to the score of a key outside the window: nothing is left of it after the softmax."""


@dataclass(frozen=True, kw_only=True)
class ModernBert:
    """A network of this family: its sizes and its tensors.

    Attributes
    ----------
    layers, hidden, heads : int
        Sizes.
    epsilon : float
        Of the layer norms.
    tensors : Weights
        The weights under ModernBERT's names, `layers.0.attn.Wqkv.weight` and so on; biases where there are
        any.
    activation : str
        The function in the gated layers.
    positions : int
        Tokens for which angles are tabulated.
    windowed : tuple of bool
        For each layer, whether a token sees its neighbours only.
    reach : int
        How many neighbours to each side it sees there.
    theta, local_theta : float
        Bases of the frequencies, in global and in windowed layers.
    """

    layers: int
    hidden: int
    heads: int
    epsilon: float
    tensors: Weights
    activation: str
    positions: int
    windowed: tuple[bool, ...]
    reach: int
    theta: float
    local_theta: float

    def states(self, b: GraphBuilder, style: LinearStyle) -> Iterator[str]:
        """Add the layers one by one and yield the hidden state after each, the last one normed."""
        mask = b.node("Cast", "attention_mask", to=TensorProto.INT32)
        window = self._window(b) if any(self.windowed) else ""
        words = style.lookup(b, "words", self.tensors["embeddings.tok_embeddings.weight"], "input_ids")
        x = self._norm(b, "embeddings.norm", words)
        for layer, windowed in enumerate(self.windowed):
            at = f"layers.{layer}"
            normed = x if layer == 0 else self._norm(b, f"{at}.attn_norm", x)
            masks = (mask, window) if windowed else (mask,)
            x = b.node("Add", x, self._attention(b, style, f"{at}.attn", normed, masks))
            x = b.node("Add", x, self._gated(b, style, f"{at}.mlp", self._norm(b, f"{at}.mlp_norm", x)))
            yield x if layer + 1 < self.layers else self._norm(b, "final_norm", x)

    def _attention(self, b: GraphBuilder, style: LinearStyle, at: str, x: str, masks: tuple[str, ...]) -> str:
        parts = style.linears(b, f"{at}.in", x, self._split(f"{at}.Wqkv.weight", 3))
        if f"{at}.Wqkv.bias" in self.tensors:
            biases = np.split(self.tensors[f"{at}.Wqkv.bias"], 3)
            parts = [
                b.node("Add", part, b.constant(f"{at}.bias.{i}", bias))
                for i, (part, bias) in enumerate(zip(parts, biases, strict=True))
            ]
        query, key = (self._turned(b, part, windowed=len(masks) > 1) for part in parts[:2])
        # The empty name stands for the bias, which has been added before the vectors were turned.
        inputs = (query, key, parts[2], "", *masks)
        mixed = b.node("MultiHeadAttention", *inputs, domain=CONTRIB, num_heads=self.heads)
        return self._mapped(b, style, f"{at}.Wo", mixed)

    def _turned(self, b: GraphBuilder, x: str, *, windowed: bool) -> str:
        """Add nodes that turn each pair of components by an angle that grows with the position."""
        width = self.hidden // self.heads
        theta = self.local_theta if windowed else self.theta
        frequencies = 1.0 / theta ** (np.arange(0, width, 2) / width)
        angles = np.arange(self.positions)[:, None] * frequencies
        kind = "local" if windowed else "global"
        return b.node(
            "RotaryEmbedding",
            x,
            b.constant("zero", np.zeros(1, np.int64)),
            b.constant(f"{kind}.cos", np.cos(angles).astype(np.float32)),
            b.constant(f"{kind}.sin", np.sin(angles).astype(np.float32)),
            domain=CONTRIB,
        )

    def _window(self, b: GraphBuilder) -> str:
        """Add nodes for what is added to the scores of a windowed layer, [1, 1, length, length]."""
        length = b.node("Shape", "input_ids", start=1, end=2)
        zero = b.constant("zero", np.zeros(1, np.int64))
        places = b.node("Slice", b.constant("places", np.arange(self.positions)), zero, length)
        down = b.node("Unsqueeze", places, b.constant("last_axis", np.array([1], np.int64)))
        distance = b.node("Abs", b.node("Sub", down, places))
        outside = b.node("Greater", distance, b.constant("reach", np.int64(self.reach)))
        added = b.node("Where", outside, b.constant("far", _FAR), b.constant("near", np.float32(0)))
        return b.node("Unsqueeze", added, b.constant("first_axes", np.array([0, 1], np.int64)))

    def _gated(self, b: GraphBuilder, style: LinearStyle, at: str, x: str) -> str:
        inner, gate = style.linears(b, f"{at}.in", x, self._split(f"{at}.Wi.weight", 2))
        if f"{at}.Wi.bias" in self.tensors:
            first, second = np.split(self.tensors[f"{at}.Wi.bias"], 2)
            inner = b.node("Add", inner, b.constant(f"{at}.bias.0", first))
            gate = b.node("Add", gate, b.constant(f"{at}.bias.1", second))
        return self._mapped(b, style, f"{at}.Wo", b.node("Mul", activated(b, self.activation, inner), gate))

    def _mapped(self, b: GraphBuilder, style: LinearStyle, at: str, x: str) -> str:
        (out,) = style.linears(b, at, x, [self.tensors[f"{at}.weight"].T])
        if f"{at}.bias" in self.tensors:
            out = b.node("Add", out, b.constant(f"{at}.bias", self.tensors[f"{at}.bias"]))
        return out

    def _norm(self, b: GraphBuilder, at: str, x: str) -> str:
        inputs = [x, b.constant(f"{at}.gamma", self.tensors[f"{at}.weight"])]
        if f"{at}.bias" in self.tensors:
            inputs.append(b.constant(f"{at}.beta", self.tensors[f"{at}.bias"]))
        return b.node("LayerNormalization", *inputs, axis=-1, epsilon=self.epsilon)

    def _split(self, name: str, parts: int) -> list[NDArray[np.float32]]:
        """Return maps [in, out] that are stored in one tensor, one below the other."""
        return [part.T for part in np.split(self.tensors[name], parts)]
