"""Run Sentence Transformers 6 on its own checkpoints and on Stanford's: ``run_st6.py``."""

from __future__ import annotations

import encoder_golden
from checkpoints import opened
from encoder_golden import Encoded
from sentence_transformers import MultiVectorEncoder
from texts import TEXTS

PACKAGES = ("sentence-transformers", "torch", "transformers", "tokenizers", "numpy")
BATCH = 16
CHECKPOINTS = ("stanford", "st6-bert", "st6-bert+min", "st6-xlmr", "st6-modernbert", "st6-modernbert+keep")


def encode(model: MultiVectorEncoder, texts: list[str], kind: str) -> list[Encoded]:
    """Encode texts of one kind; the attention of the network is what `preprocess` gives, text by text."""
    method = model.encode_query if kind == "query" else model.encode_document
    raw = method(texts, batch_size=BATCH, output_value=None)
    results = []
    for text, features in zip(texts, raw, strict=True):
        given = model.preprocess([text], prompt=model.prompts.get(kind), task=kind)
        count = given["input_ids"].shape[1]
        # The rest is padding of the batch.
        ids, kept = features["input_ids"][:count], features["attention_mask"][:count].bool()
        if ids.tolist() != given["input_ids"][0].tolist() or features["attention_mask"][count:].any():
            raise ValueError(f"{text!r}: alone and in a batch the ids differ")
        results.append(
            Encoded(ids, given["attention_mask"][0], kept, features["token_embeddings"][:count][kept])
        )
    return results


def main() -> None:
    """Write the goldens."""
    for name in CHECKPOINTS:
        with opened(name) as path:
            model = MultiVectorEncoder(path, device="cpu", local_files_only=True)
        kinds = {kind: encode(model, list(TEXTS), kind) for kind in ("query", "document")}
        encoder_golden.write("sentence-transformers", name, PACKAGES, kinds, batch=BATCH)


if __name__ == "__main__":
    main()
