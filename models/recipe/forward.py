"""The BERT forward pass in plain numpy: the judge of the ONNX graph, written from the paper's equations.

Slow and float64 on purpose; it runs on a handful of sentences only.
Source: Devlin et al. 2019; post-layer-norm transformer with the exact (erf) GELU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from checkpoint import Checkpoint

Array = NDArray[np.float64]


def _layer_norm(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * gamma + beta


def _gelu(x: Array) -> Array:
    return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def hidden_state(
    model: Checkpoint, ids: NDArray[np.int64], attention: NDArray[np.int64], layers: int | None = None
) -> Array:
    """Return the hidden state after `layers` layers (all when None), [batch, length, hidden]."""
    tensors = model.tensors
    batch, length = ids.shape
    width = model.hidden // model.heads

    def linear(name: str, x: Array) -> Array:
        weight, bias = model.linear(name)
        return x @ weight.astype(np.float64) + bias

    def norm(name: str, x: Array) -> Array:
        gamma, beta = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return _layer_norm(x, gamma.astype(np.float64), beta.astype(np.float64), model.epsilon)

    def split_heads(x: Array) -> Array:
        return x.reshape(batch, length, model.heads, width).transpose(0, 2, 1, 3)

    x = (
        tensors["embeddings.word_embeddings.weight"][ids].astype(np.float64)
        + tensors["embeddings.position_embeddings.weight"][:length]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm("embeddings.LayerNorm", x)
    hidden_keys = attention[:, None, None, :] == 0
    for layer in range(model.layers if layers is None else layers):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            split_heads(linear(f"{at}.attention.self.{part}", x)) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(width)
        scores = np.where(hidden_keys, -np.inf, scores)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = (weights @ value).transpose(0, 2, 1, 3).reshape(batch, length, model.hidden)
        x = norm(f"{at}.attention.output.LayerNorm", x + linear(f"{at}.attention.output.dense", mixed))
        inner = _gelu(linear(f"{at}.intermediate.dense", x))
        x = norm(f"{at}.output.LayerNorm", x + linear(f"{at}.output.dense", inner))
    return x
