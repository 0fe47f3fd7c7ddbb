"""Run fastembed on the Stanford checkpoint's ONNX export: ``run_fastembed.py DIRECTORY``.

fastembed knows models by name only and has the markers' ids and the length of 32 in its class; the directory given
to it in place of colbertv2.0's files is that of `export_onnx.py`.
"""

from __future__ import annotations

import sys

import encoder_golden
from encoder_golden import Encoded
from fastembed import LateInteractionTextEmbedding
from texts import TEXTS

PACKAGES = ("fastembed", "onnxruntime", "tokenizers", "numpy")
BATCH = 16


def queries(model: LateInteractionTextEmbedding, texts: list[str]) -> list[Encoded]:
    """Encode as queries; the library takes them one by one and drops no row."""
    results = []
    for text, vectors in zip(texts, model.query_embed(texts), strict=True):
        given = model.model.onnx_embed([text], is_doc=False)
        results.append(Encoded(given.input_ids[0], given.attention_mask[0], given.input_ids[0] >= 0, vectors))
    return results


def documents(model: LateInteractionTextEmbedding, texts: list[str]) -> list[Encoded]:
    """Encode as passages; what is kept is the attention after the library has put its skiplist into it."""
    results = []
    for text, vectors in zip(texts, model.embed(texts, batch_size=BATCH), strict=True):
        given = model.model.onnx_embed([text])
        attention = given.attention_mask.copy()
        list(model.model._post_process_onnx_output(given))
        results.append(Encoded(given.input_ids[0], attention[0], given.attention_mask[0], vectors))
    return results


def main() -> None:
    """Write the golden."""
    (directory,) = sys.argv[1:]
    model = LateInteractionTextEmbedding("colbert-ir/colbertv2.0", specific_model_path=directory)
    kinds = {"query": queries(model, list(TEXTS)), "document": documents(model, list(TEXTS))}
    encoder_golden.write("fastembed", "stanford", PACKAGES, kinds, batch=BATCH)


if __name__ == "__main__":
    main()
