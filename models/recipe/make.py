"""Make the default model, in one command; README.md beside this file says how and why.

    python models/recipe/make.py --sample PAIRS.jsonl... --evaluate DATASET_FOLDER... [--output DIRECTORY]

Steps: check the base weights, hold the graph against plain numpy, fit the projection, write the directory
with int8 weights, write its float twin into a temporary folder, print the table that compares the two.
"""

from __future__ import annotations

import argparse
import json
import shutil
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import checkpoint
import evaluate
import forward
import graph
import numpy as np
import onnx
import onnxruntime
import projection
import sample
from linear import FloatStyle, RowStyle
from weft import Encoder

if TYPE_CHECKING:
    from checkpoint import Checkpoint
    from linear import LinearStyle
    from numpy.typing import NDArray

DIM = 128
QUERY_LENGTH = 32
DOCUMENT_LENGTH = 256
OUTPUT = Path(__file__).resolve().parents[1] / "default" / "src" / "weft_model" / "model"
SIZE_LIMIT = 25_000_000

PROOF = (
    "What color is amber urine?",
    "A seismometer detects the waves of an earthquake long before the shaking is felt, at 6.5 km/s.",
)


def verify(model: Checkpoint) -> None:
    """Hold the float graph against the numpy forward pass, on real sentences of unequal length."""
    tokenizer = sample.Tokenizer.from_file(str(model.folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(list(PROOF))
    ids = np.array([encoding.ids for encoding in encodings], np.int64)
    attention = np.array([encoding.attention_mask for encoding in encodings], np.int64)
    expected = forward.hidden_state(model, ids, attention)
    built = graph.build(model, FloatStyle(), None, taps=(model.layers,))
    session = onnxruntime.InferenceSession(built.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input_ids": ids, "attention_mask": attention})
    error = float(np.abs(found - expected)[attention.astype(bool)].max())
    if error > 1e-4:
        raise SystemExit(f"the graph differs from the forward pass in numpy by {error}")
    print(f"graph and numpy forward pass agree within {error:.1e}")


def fit(model: Checkpoint, paths: list[Path]) -> NDArray[np.float32]:
    """Fit the projection on sample text."""
    built = graph.build(model, FloatStyle(), None, taps=(model.layers,))
    states = sample.hidden_states(
        built, f"hidden_{model.layers}", model.folder / "tokenizer.json", sample.read_texts(paths)
    )
    axes, kept = projection.principal_axes(states, DIM)
    print(f"{DIM} of {model.hidden} axes keep {kept:.4f} of the second moment")
    return axes


def write(directory: Path, model: Checkpoint, style: LinearStyle, axes: NDArray[np.float32]) -> None:
    """Write a model directory."""
    directory.mkdir(parents=True, exist_ok=True)
    onnx.save(graph.build(model, style, axes), directory / "model.onnx")
    tokenizer = json.loads((model.folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None
    _write_json(directory / "tokenizer.json", tokenizer, indent=None)
    shutil.copyfile(model.folder / "config.json", directory / "config.json")
    settings = {
        "model_type": "ColBERT",
        "query_prefix": "",
        "document_prefix": "",
        "query_length": QUERY_LENGTH,
        "document_length": DOCUMENT_LENGTH,
        "do_query_expansion": False,
        "attend_to_expansion_tokens": False,
        "skiplist_words": list(string.punctuation),
        "similarity_fn_name": "MaxSim",
    }
    _write_json(directory / "config_sentence_transformers.json", settings, indent=2)


def _write_json(path: Path, content: object, indent: int | None) -> None:
    separators = None if indent else (",", ":")
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Make, check and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=Path, nargs="+", required=True, help="pairs files to fit on")
    parser.add_argument("--evaluate", type=Path, nargs="*", default=[], help="dataset folders to compare on")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    model = checkpoint.load(checkpoint.base_folder())
    verify(model)
    axes = fit(model, given.sample)
    write(given.output, model, RowStyle(), axes)
    size = sum(path.stat().st_size for path in given.output.iterdir())
    print(f"{given.output.name}: {size / 1e6:.1f} MB")
    if size > SIZE_LIMIT:
        raise SystemExit(f"larger than {SIZE_LIMIT / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder) / "float"
        write(twin, model, FloatStyle(), axes)
        for folder_of_data in given.evaluate:
            data = evaluate.load(folder_of_data, 600, None)
            for name, directory in (("float", twin), ("int8", given.output)):
                row = evaluate.evaluate(Encoder.open(directory), data)
                print(json.dumps({"weights": name, **row}), flush=True)


if __name__ == "__main__":
    main()
