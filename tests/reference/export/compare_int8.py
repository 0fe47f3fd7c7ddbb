"""Ways to int8 compared on a checkpoint with real weights: ``compare_int8.py CHECKPOINT [BEIR_FOLDER...]``.

Weft's one scale a token (`weft.model_export.int8`) beside ONNX Runtime's `quantize_dynamic`, plain and with per-channel
weights of 7 bits: how far a text's vectors change with its batch, how far they are from the float graph's, and what
that does to rankings, on Weft's sample and on every folder given.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from onnxruntime.quantization import QuantType, quantize_dynamic
from weft import Encoder, export_model
from weft.model_export.int8 import quantise
from weft.model_export.retrieval import compare_rankings, rank, read_collection, sample_collection
from weft.sample import passages

if TYPE_CHECKING:
    from collections.abc import Callable

PASSAGES = 100


def plain(source: Path, target: Path) -> None:
    """Quantise as ONNX Runtime does unasked: 8 bits, one scale for a weight."""
    quantize_dynamic(source, target, weight_type=QuantType.QInt8)


def careful(source: Path, target: Path) -> None:
    """Quantise with a scale for each column, and 7 bits against saturation."""
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


WAYS: dict[str, Callable[[Path, Path], object]] = {
    "quantize_dynamic": plain,
    "quantize_dynamic, per_channel, reduce_range": careful,
    "one scale a token (Weft)": quantise,
}


def flat(matrices: list[np.ndarray]) -> np.ndarray:
    """Return all vectors below each other."""
    return np.concatenate(matrices).astype(np.float64)


def main() -> None:
    """Print one table of vectors and one of rankings, in markdown."""
    checkpoint, *folders = map(Path, sys.argv[1:])
    logging.getLogger().setLevel(logging.ERROR)
    texts = [record["text"] for record in passages()[:: 1500 // PASSAGES]]
    collections = [sample_collection(), *map(read_collection, folders)]
    with TemporaryDirectory() as folder:
        out = export_model(checkpoint, Path(folder) / "out").directory
        exact = Encoder.open(out, model_file="model.onnx")
        expected = flat(exact.encode_document(texts, truncate=True))
        print(
            "| Way | MB | alone or in a batch: largest change | least cosine | cosine with float: mean | least |"
        )
        print("|---|---|---|---|---|---|")
        encoders = {}
        for number, (way, make) in enumerate(WAYS.items()):
            graph = out / f"way{number}.onnx"
            make(out / "model.onnx", graph)
            encoder = encoders[way] = Encoder.open(out, model_file=graph.name)
            together = flat(encoder.encode_document(texts, truncate=True))
            alone = flat([encoder.encode_document(text, truncate=True)[0] for text in texts])
            own, other = (together * alone).sum(1), (together * expected).sum(1)
            print(
                f"| {way} | {graph.stat().st_size / 1e6:.1f} | {np.abs(together - alone).max():.3f} | {own.min():.4f} "
                f"| {other.mean():.4f} | {other.min():.4f} |",
                flush=True,
            )
        print("\n| Collection | Way | nDCG@10 float | int8 | R@100 float | int8 | overlap@10 | same first |")
        print("|---|---|---|---|---|---|---|---|")
        for collection in collections:
            best = rank(collection, exact)
            for way, encoder in encoders.items():
                loss = compare_rankings(collection, best, rank(collection, encoder))
                pairs = " | ".join(
                    f"{loss.float32[name]:.4f} | {loss.int8[name]:.4f}" for name in loss.float32
                )
                print(
                    f"| {loss.collection} | {way} | {pairs} | {loss.overlap_at_10:.3f} | {loss.same_first:.3f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
