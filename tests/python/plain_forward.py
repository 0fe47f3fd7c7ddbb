"""The judge of the graphs: BERT, RoBERTa, DistilBERT and ModernBERT in plain numpy and float64.

Written from the papers' equations and transformers' modules, one step after the other; nothing of the package is
used. Weights are those of a safetensors file, under its names.
"""

from __future__ import annotations

import math

import numpy as np


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "GELU": gelu,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "SiLU": lambda x: x / (1 + np.exp(-x)),
}


class Tensors:
    """Named weights in float64, and the few operations that every network is made of."""

    def __init__(self, tensors):
        self.tensors = {name: np.asarray(value, np.float64) for name, value in tensors.items()}

    def linear(self, name, x):
        y = x @ self.tensors[f"{name}.weight"].T
        return y + self.tensors[f"{name}.bias"] if f"{name}.bias" in self.tensors else y

    def norm(self, name, x, epsilon):
        centred = x - x.mean(-1, keepdims=True)
        y = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        y = y * self.tensors[f"{name}.weight"]
        return y + self.tensors[f"{name}.bias"] if f"{name}.bias" in self.tensors else y


def attention(query, key, value, heads, allowed):
    """Mix values, [length, hidden] each; `allowed` is [length, length]."""
    length, hidden = query.shape
    width = hidden // heads
    query, key, value = (x.reshape(length, heads, width).transpose(1, 0, 2) for x in (query, key, value))
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(width)
    scores = np.where(allowed, scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ value).transpose(1, 0, 2).reshape(length, hidden)


def bert(config, tensors, ids, attended):
    t = Tensors(tensors)
    distil = config["model_type"] == "distilbert"
    epsilon = config.get("layer_norm_eps", 1e-12)
    heads = config["n_heads"] if distil else config["num_attention_heads"]
    layers = config["n_layers"] if distil else config["num_hidden_layers"]
    act = ACTIVATIONS[config.get("activation") or config["hidden_act"]]
    positions = np.arange(len(ids))
    if "roberta" in config["model_type"]:
        real = np.asarray(ids) != config["pad_token_id"]
        positions = np.cumsum(real) * real + config["pad_token_id"]
    x = t.tensors["embeddings.word_embeddings.weight"][ids]
    x = x + t.tensors["embeddings.position_embeddings.weight"][positions]
    if not distil:
        x = x + t.tensors["embeddings.token_type_embeddings.weight"][0]
    x = t.norm("embeddings.LayerNorm", x, epsilon)
    allowed = np.broadcast_to(np.arange(len(ids)) < attended, (len(ids), len(ids)))
    for layer in range(layers):
        at = f"{'transformer' if distil else 'encoder'}.layer.{layer}"
        names = ("q_lin", "k_lin", "v_lin") if distil else ("self.query", "self.key", "self.value")
        mixed = attention(*(t.linear(f"{at}.attention.{name}", x) for name in names), heads, allowed)
        out = t.linear(f"{at}.attention.{'out_lin' if distil else 'output.dense'}", mixed)
        x = t.norm(f"{at}.{'sa_layer_norm' if distil else 'attention.output.LayerNorm'}", x + out, epsilon)
        inner = act(t.linear(f"{at}.{'ffn.lin1' if distil else 'intermediate.dense'}", x))
        out = t.linear(f"{at}.{'ffn.lin2' if distil else 'output.dense'}", inner)
        x = t.norm(f"{at}.{'output_layer_norm' if distil else 'output.LayerNorm'}", x + out, epsilon)
    return x


def modernbert(config, tensors, ids, attended):
    t = Tensors(tensors)
    epsilon, heads, length = config["norm_eps"], config["num_attention_heads"], len(ids)
    x = t.norm("embeddings.norm", t.tensors["embeddings.tok_embeddings.weight"][ids], epsilon)
    seen = np.broadcast_to(np.arange(length) < attended, (length, length))
    near = np.abs(np.arange(length)[:, None] - np.arange(length)) <= config["local_attention"] // 2
    for layer in range(config["num_hidden_layers"]):
        at = f"layers.{layer}"
        windowed = layer % config["global_attn_every_n_layers"] != 0
        theta = config["local_rope_theta" if windowed else "global_rope_theta"]
        normed = t.norm(f"{at}.attn_norm", x, epsilon) if layer else x
        query, key, value = np.split(t.linear(f"{at}.attn.Wqkv", normed), 3, axis=-1)
        query, key = (turned(part, heads, theta) for part in (query, key))
        mixed = attention(query, key, value, heads, seen & near if windowed else seen)
        x = x + t.linear(f"{at}.attn.Wo", mixed)
        inner, gate = np.split(t.linear(f"{at}.mlp.Wi", t.norm(f"{at}.mlp_norm", x, epsilon)), 2, axis=-1)
        x = x + t.linear(f"{at}.mlp.Wo", ACTIVATIONS[config["hidden_activation"]](inner) * gate)
    return t.norm("final_norm", x, epsilon)


def turned(x, heads, theta):
    """Turn component i and i + half of each head by the position times theta^(-i / half)."""
    length, hidden = x.shape
    width = hidden // heads
    x = x.reshape(length, heads, width)
    angles = np.arange(length)[:, None] * theta ** (-np.arange(width // 2) * 2 / width)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    first, second = x[..., : width // 2], x[..., width // 2 :]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1).reshape(
        length, hidden
    )


def dense(layer, x):
    y = x @ np.asarray(layer.weight, np.float64).T
    if layer.bias is not None:
        y = y + layer.bias
    y = ACTIVATIONS[layer.activation.rpartition(".")[2]](y)
    if isinstance(layer.residual, str):
        return y + x
    return y if layer.residual is None else y + x @ np.asarray(layer.residual, np.float64).T


def vectors(made, ids, attended=None):
    """The unit vectors of a row of ids, of which the first `attended` may be attended to."""
    network = modernbert if made.config["model_type"] == "modernbert" else bert
    x = network(made.config, made.tensors, ids, len(ids) if attended is None else attended)
    for layer in made.dense:
        x = dense(layer, x)
    return x / np.linalg.norm(x, axis=1, keepdims=True)
