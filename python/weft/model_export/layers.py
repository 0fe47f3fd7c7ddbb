"""The Dense layers of a checkpoint, as their configurations say them; the numbers stay in their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.encoder.checkpoint.files import weight_files
from weft.encoder.checkpoint.json_file import JsonFile
from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from weft.encoder.checkpoint.layout import Layout

__all__ = ["ACTIVATIONS", "DenseLayer", "read_layers"]

ACTIVATIONS = ("Identity", "GELU", "LeakyReLU", "ReLU", "Sigmoid", "SiLU", "Softplus", "Tanh")
"""Classes of torch.nn that a layer may name; a name is looked up here and never imported."""


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """One layer: `activation(linear(x))`, plus x or a linear map of x when it is residual.

    Attributes
    ----------
    files : tuple of Path
        Safetensors with `linear.weight`, and `linear.bias` and `residual.weight` where it has them.
    bias : bool
        Whether it has a bias.
    activation : str
        One of `ACTIVATIONS`.
    residual : bool
        Whether it is residual; the map is there when the widths differ.
    """

    files: tuple[Path, ...]
    bias: bool
    activation: str
    residual: bool


def read_layers(layout: Layout) -> tuple[DenseLayer, ...]:
    """Return the Dense layers in the order they are applied.

    colbert-ai keeps its one layer, without a bias, among the backbone's weights.

    Raises
    ------
    ModelError
        If a layer's activation is not known, or its weights are pickled or missing.
    """
    if layout.name == "stanford":
        files = weight_files(layout.modules.transformer)
        return (DenseLayer(files, bias=False, activation="Identity", residual=False),)
    return tuple(_layer(folder) for folder in layout.modules.dense())


def _layer(folder: Path) -> DenseLayer:
    config = JsonFile.read(folder / "config.json")
    named = config.get("activation_function", str, "torch.nn.modules.linear.Identity")
    activation = named.rpartition(".")[2]
    if not named.startswith("torch.nn.") or activation not in ACTIVATIONS:
        raise ModelError(
            f"{config.path}: the activation {named!r} is not one that Weft exports: {', '.join(ACTIVATIONS)}"
        )
    return DenseLayer(
        weight_files(folder),
        bias=config.get("bias", bool, default=True),
        activation=activation,
        residual=config.get("use_residual", bool, default=False),
    )
