"""What a Dense module's config.json says: enough to know what an export must have inside, weights unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.encoder.checkpoint.json_file import JsonFile
from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ACTIVATIONS", "Shape", "read_shape"]

ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "Sigmoid", "SiLU")
"""Functions that are known, by the last component of the class that the file names; it is not imported."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the configuration of a Dense module says, its weights unread.

    Attributes
    ----------
    inputs, outputs : int or None
        Widths of what goes in and comes out, None where the file does not say.
    bias : bool or None
        Whether a bias is added; None leaves it to the weights.
    activation : str
        The function's name.
    residual : bool
        Whether the input is added to the result, through a map when the widths differ.
    """

    inputs: int | None
    outputs: int | None
    bias: bool | None
    activation: str
    residual: bool

    @property
    def linear(self) -> bool:
        """Whether it is no more than a map with a bias."""
        return self.activation == "Identity" and not self.residual


def read_shape(folder: Path) -> Shape:
    """Read the configuration of a Dense module of PyLate or Sentence Transformers.

    Raises
    ------
    ModelError
        If it names an activation that is not known here, or something else than tokens to apply it to.
    """
    config = JsonFile.read(folder / "config.json")
    named = config.get("activation_function", str, "torch.nn.modules.activation.Tanh").rpartition(".")[2]
    if named not in ACTIVATIONS:
        raise ModelError(
            f"{config.path}: the activation {named!r} is none of {', '.join(ACTIVATIONS)}, "
            "and no code is imported for it"
        )
    for key in ("module_input_name", "module_output_name"):
        # Older files say nothing, or name the sentence whose tokens are meant.
        if config.get(key, str, "token_embeddings") not in ("token_embeddings", "sentence_embedding"):
            raise ModelError(f"{config.path}: {key} is {config.content[key]!r}, the layer is not for tokens")
    return Shape(
        inputs=config.get("in_features", int, None),
        outputs=config.get("out_features", int, None),
        bias=config.get("bias", bool, None),
        activation=named,
        residual=config.get("use_residual", bool, default=False),
    )
