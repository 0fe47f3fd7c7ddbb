"""Run PyLate on its own checkpoints and on Stanford's, and keep what it does: ``run_pylate.py``."""

from __future__ import annotations

import encoder_golden
from checkpoints import opened
from encoder_golden import Encoded
from pylate import models
from texts import TEXTS

PACKAGES = ("pylate", "sentence-transformers", "torch", "transformers", "tokenizers", "numpy")
BATCH = 16
CHECKPOINTS = (
    "stanford",
    "pylate-bert",
    "pylate-bert+bare",
    "pylate-modernbert",
    "pylate-xlmr",
    "pylate-prompts",
)


def encode(model: models.ColBERT, texts: list[str], kind: str) -> list[Encoded]:
    """Encode texts of one kind, with the prompt of that kind where the checkpoint has one."""
    raw = model.encode(
        texts,
        batch_size=BATCH,
        is_query=kind == "query",
        prompt_name=kind,
        output_value=None,
        convert_to_numpy=True,
    )
    rows = zip(raw["input_ids"], raw["attention_mask"], raw["masks"], raw["token_embeddings"], strict=True)
    return [Encoded(ids, attention, kept, vectors[kept]) for ids, attention, kept, vectors in rows]


def main() -> None:
    """Write the goldens."""
    for name in CHECKPOINTS:
        with opened(name) as path:
            model = models.ColBERT(path, device="cpu", local_files_only=True)
        kinds = {kind: encode(model, list(TEXTS), kind) for kind in ("query", "document")}
        encoder_golden.write("pylate", name, PACKAGES, kinds, batch=BATCH)


if __name__ == "__main__":
    main()
