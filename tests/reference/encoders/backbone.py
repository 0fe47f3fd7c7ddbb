"""Small backbones with random weights, large enough that every part of them shows in the vectors.

Transformers initialises with a deviation of 0.02, zero biases and unit scales: then attention is nearly even, and a
reader that forgets a bias or a mask is off by less than rounding. Here matrices keep the size of what passes
through them, biases and scales are random too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import nn

HIDDEN, HEADS, LAYERS, INNER = 24, 4, 2, 32
VOCABULARY = 400

SIZES = {
    "hidden_size": HIDDEN,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "intermediate_size": INNER,
}


def fill(module: nn.Module, seed: int) -> None:
    """Give every parameter of a module random values."""
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            values = generator.standard_normal(parameter.shape)
            if parameter.ndim == 2 and "embedding" not in name:
                values *= 1.5 / math.sqrt(parameter.shape[1])
            elif "norm" in name.lower() and name.endswith("weight"):
                values = 1 + 0.2 * values
            elif parameter.ndim == 1:
                values *= 0.2
            else:
                values *= 0.5
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))
