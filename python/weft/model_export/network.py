"""The checkpoint as a torch module: backbone, every Dense layer, vectors of length one.

It is loaded twice in an export: with plain attention for the graph, which optimum traces, and as transformers
itself runs it for the yardstick the graph is checked against.

torch and transformers are imported at the head: only `weft.model_export.export` imports this file, after it
has seen that they are installed.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
import transformers

from weft.errors import ModelError
from weft.model_export.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from weft.encoder.dense import Dense

__all__ = ["Network", "load_network"]

_LEAST_NORM = 1e-12
"""What a shorter vector is divided by: torch's own default, and colbert-ai's."""

_HEADS = ("linear.", "pooler.", "cls.", "lm_head.", "head.", "decoder.", "classifier.")
"""Weights a checkpoint may hold beside the backbone: colbert-ai's projection, which is read as a Dense layer,
and heads of pre-training, which no ColBERT model uses."""


class Projection(torch.nn.Module):
    """One Dense layer: `activation(linear(x))`, plus x or a linear map of it when it is residual."""

    def __init__(self, layer: Dense) -> None:
        super().__init__()
        self.linear = _linear(layer.weight, layer.bias)
        self.activation = getattr(torch.nn, layer.activation)()
        self.residual: torch.nn.Module | None = None
        if layer.residual is not None:
            self.residual = (
                torch.nn.Identity() if isinstance(layer.residual, str) else _linear(layer.residual, None)
            )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Map states [batch, length, in] to [batch, length, out]."""
        mapped = self.activation(self.linear(states))
        return mapped if self.residual is None else mapped + self.residual(states)


class Network(torch.nn.Module):
    """Backbone, Dense layers and normalisation: ids and attention in, `contextual` out.

    Attributes
    ----------
    config : transformers configuration
        The backbone's, which optimum asks for.
    """

    def __init__(self, backbone: Any, layers: Iterable[Dense]) -> None:
        super().__init__()
        self.backbone = backbone
        self.config = backbone.config
        self.projections = torch.nn.Sequential(*(Projection(layer) for layer in layers))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode a batch; token types are left out, which makes them zero where a backbone has them."""
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return torch.nn.functional.normalize(self.projections(states), dim=-1, eps=_LEAST_NORM)

    def run(self, ids: NDArray[np.int64], attention: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encode a batch of arrays, float32 [batch, length, dim]."""
        with torch.no_grad():
            vectors: NDArray[np.float32] = self(torch.from_numpy(ids), torch.from_numpy(attention)).numpy()
        return vectors


def load_network(
    folder: Path, configuration: dict[str, Any], layers: Sequence[Dense], *, attention: str | None
) -> Network:
    """Load a checkpoint's backbone in float32 and put its Dense layers behind it.

    Parameters
    ----------
    folder : Path
        The backbone's folder, with safetensors.
    configuration : dict
        What its config.json says, in transformers 4's names.
    layers : sequence of Dense
        The Dense layers in order.
    attention : str or None
        ``eager`` for what can be traced, None for what transformers takes by itself.

    Raises
    ------
    ModelError
        If transformers does not know the backbone, or weights are missing or left over: a backbone that is
        not quite the checkpoint's would start from random numbers in silence.
    """
    try:
        config = transformers.CONFIG_MAPPING[configuration["model_type"]].from_dict(configuration)
        kind = transformers.MODEL_MAPPING[type(config)]
        choice: dict[str, Any] = {} if attention is None else {"attn_implementation": attention}
        # The pooler is what BERT's family puts behind the first token for pre-training.
        if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
            choice["add_pooling_layer"] = False
        with quiet():
            backbone, found = kind.from_pretrained(
                folder,
                config=config,
                use_safetensors=True,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
                **choice,
            )
    # transformers raises these, and its own that derive from them, for what it cannot read.
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder}: transformers {transformers.__version__} cannot load it: {error}"
        ) from error
    _check_weights(folder, kind.base_model_prefix, found)
    width = config.hidden_size
    for layer in layers:
        if layer.inputs != width:
            raise ModelError(f"{folder}: a Dense layer takes {layer.inputs} components and is given {width}")
        width = layer.outputs
    network = Network(backbone, layers)
    network.eval()
    return network


def _check_weights(folder: Path, prefix: str, found: dict[str, Any]) -> None:
    for key, what in (
        ("missing_keys", "has no weights for"),
        ("mismatched_keys", "has weights of another shape for"),
    ):
        if found[key]:
            raise ModelError(f"{folder}: {what} {found[key][0]}: is its config.json that of another model?")
    left = [name.removeprefix(f"{prefix}.") for name in found["unexpected_keys"]]
    left = [name for name in left if not name.startswith(_HEADS)]
    if left:
        raise ModelError(f"{folder}: has weights that its backbone has no place for: {left[0]}")


def _linear(weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> torch.nn.Linear:
    """Return a map of torch for a weight [in, out]; torch keeps [out, in]."""
    made = torch.nn.Linear(*weight.shape, bias=bias is not None)
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weight.T))
        if bias is not None:
            made.bias.copy_(torch.tensor(bias))
    return made
