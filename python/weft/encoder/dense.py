"""The layers behind the backbone: a linear map with bias, activation and residual, one or several in order.

They are a thousandth of the work, and run in numpy for every source of hidden states alike: a graph made from
weights, or an export that ends with the backbone.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weft.encoder.checkpoint.files import weight_files
from weft.encoder.checkpoint.safetensors import Tensors
from weft.encoder.checkpoint.shape import read_shape
from weft.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Dense", "read_dense", "stanford_dense"]

Array = NDArray[np.float32]


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # the exponential of a large number is infinite, and its inverse 0
        return np.float32(1) / (np.float32(1) + np.exp(-x))


def _gelu(x: Array) -> Array:
    error = np.vectorize(math.erf, otypes=[np.float32])
    result: Array = 0.5 * x * (1.0 + error(x / np.float32(math.sqrt(2.0))))
    return result


def _relu(x: Array) -> Array:
    return np.maximum(x, np.float32(0))


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": _relu,
    "GELU": _gelu,
    "Sigmoid": _sigmoid,
    "SiLU": lambda x: x * _sigmoid(x),
}
"""What the names of `checkpoint.shape.ACTIVATIONS` stand for."""


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer, `y = activation(x W + b) + residual(x)`.

    Attributes
    ----------
    weight : float32 [in, out]
        The map.
    bias : float32 [out] or None
        What is added.
    activation : str
        The function's name.
    residual : float32 [in, out], "identity" or None
        What the input contributes besides.
    files : tuple of Path
        Where it was read from.
    """

    weight: Array
    bias: Array | None
    activation: str
    residual: Array | str | None
    files: tuple[Path, ...]

    @property
    def inputs(self) -> int:
        """Width of what goes in."""
        return int(self.weight.shape[0])

    @property
    def outputs(self) -> int:
        """Width of what comes out."""
        return int(self.weight.shape[1])

    def __call__(self, x: Array) -> Array:
        """Apply the layer to float32 [..., in]."""
        y = x @ self.weight
        if self.bias is not None:
            y = y + self.bias
        y = _ACTIVATIONS[self.activation](y)
        if self.residual is None:
            return y
        return y + (x if isinstance(self.residual, str) else x @ self.residual)

    def describe(self) -> dict[str, object]:
        """Return what ``weft model info`` shows of it."""
        return {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "bias": self.bias is not None,
            "activation": self.activation,
            "residual": self.residual is not None,
        }

    def canonical(self) -> str:
        """Return what is not in the weights as one line of JSON."""
        return json.dumps(self.describe(), sort_keys=True)


def read_dense(folder: Path) -> Dense:
    """Read a Dense module, configuration and weights.

    Raises
    ------
    ModelNotFound
        If its weights are missing.
    ModelError
        If its configuration and weights disagree, or name something unknown.
    """
    shape = read_shape(folder)
    files = weight_files(folder)
    tensors = Tensors(files)
    weight = _matrix(tensors, "linear.weight")
    for said, there in zip((shape.inputs, shape.outputs), weight.shape, strict=True):
        if said is not None and said != there:
            raise ModelError(
                f"{folder}: config.json says {shape.inputs} to {shape.outputs}, "
                f"the weights map {weight.shape[0]} to {weight.shape[1]}"
            )
    residual: Array | str | None = None
    if shape.residual:
        square = weight.shape[0] == weight.shape[1]
        residual = "identity" if square else _matrix(tensors, "residual.weight")
        if not isinstance(residual, str) and residual.shape != weight.shape:
            raise ModelError(f"{folder}: residual.weight and linear.weight have different shapes")
    biased = "linear.bias" in tensors if shape.bias is None else shape.bias
    bias = tensors.array("linear.bias") if biased else None
    if bias is not None and bias.shape != weight.shape[1:]:
        raise ModelError(f"{folder}: linear.bias has the shape {bias.shape}, expected {weight.shape[1:]}")
    return Dense(weight, bias, shape.activation, residual, files)


def stanford_dense(tensors: Tensors) -> Dense:
    """Read colbert-ai's projection, `linear.weight` beside the backbone's tensors, without a bias."""
    return Dense(_matrix(tensors, "linear.weight"), None, "Identity", None, ())


def _matrix(tensors: Tensors, name: str) -> Array:
    """Return a map as [in, out]; the file stores [out, in]."""
    if len(tensors.shape(name)) != 2:
        raise ModelError(
            f"{tensors.paths[0]}: {name} has the shape {tensors.shape(name)}, expected two sizes"
        )
    return np.ascontiguousarray(tensors.array(name).T)
