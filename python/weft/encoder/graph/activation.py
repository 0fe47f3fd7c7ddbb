"""The activations that backbones use, as nodes of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.graph.builder import CONTRIB

if TYPE_CHECKING:
    from weft.encoder.graph.builder import GraphBuilder

__all__ = ["ACTIVATIONS", "activated", "biased"]

_EXACT = {"gelu"}
_TANH = {"gelu_new", "gelu_fast", "gelu_pytorch_tanh"}
_SILU = {"silu", "swish"}

ACTIVATIONS = frozenset({"relu", *_EXACT, *_TANH, *_SILU})
"""What transformers calls them: GELU by the error function, GELU by the hyperbolic tangent, ReLU, SiLU."""


def biased(b: GraphBuilder, name: str, x: str, bias: str) -> str:
    """Add nodes for the activation of `x` plus a bias, in one operator where there is one."""
    if name in _EXACT:
        return b.node("BiasGelu", x, bias, domain=CONTRIB)
    if name in _TANH:
        return b.node("FastGelu", x, bias, domain=CONTRIB)
    return activated(b, name, b.node("Add", x, bias))


def activated(b: GraphBuilder, name: str, x: str) -> str:
    """Add nodes for the activation of `x`."""
    if name in _EXACT:
        return b.node("Gelu", x, domain=CONTRIB)
    if name in _TANH:
        return b.node("FastGelu", x, domain=CONTRIB)
    if name in _SILU:
        return b.node("Mul", x, b.node("Sigmoid", x))
    if name == "relu":
        return b.node("Relu", x)
    raise ValueError(f"{name!r} is none of {sorted(ACTIVATIONS)}")
