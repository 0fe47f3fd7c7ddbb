"""Make the checkpoints of Sentence Transformers 6, saved by the library: ``make_st6.py CHECKPOINTS``.

`st6-bert` is the Stanford checkpoint opened and saved again, which is how many models move there: fixed expansion,
markers as prompts. `st6-xlmr` expands at least to a length, attends to its masks, has words as prompts and drops
punctuation from queries too. `st6-modernbert` does not expand.
"""

from __future__ import annotations

import shutil
import string
import sys
import tempfile
from pathlib import Path

from backbone import HIDDEN, fill
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from torch import nn
from transformers import AutoModel, AutoTokenizer


def chain(
    folder: str, source: Path, dim: int, seed: int, mask: dict[str, object], **settings: object
) -> list[nn.Module]:
    """Return the modules of an encoder whose backbone and vocabulary are those of a PyLate checkpoint."""
    AutoModel.from_pretrained(source).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    head = Dense(
        HIDDEN, dim, bias=False, activation_function=nn.Identity(), module_input_name="token_embeddings"
    )
    fill(head, seed)
    return [
        Transformer(folder, **settings),
        head,
        MultiVectorMask(**mask),
        Normalize(module_input_name="token_embeddings"),
    ]


def save(model: MultiVectorEncoder, output: Path) -> None:
    """Write one checkpoint."""
    shutil.rmtree(output, ignore_errors=True)
    model.save_pretrained(str(output), create_model_card=False)


def main() -> None:
    """Write all three."""
    (output,) = map(Path, sys.argv[1:])
    save(
        MultiVectorEncoder(str(output / "stanford"), device="cpu", local_files_only=True), output / "st6-bert"
    )
    with tempfile.TemporaryDirectory() as folder:
        modules = chain(
            folder,
            output / "pylate-xlmr",
            16,
            21,
            {"skiplist_words": list(string.punctuation), "skiplist_tasks": ["query", "document"]},
            query_length=24,
            document_length=20,
            query_expansion={"strategy": "min", "attend": True, "length": 12},
        )
        prompts = {"query": "query: ", "document": "passage: "}
        save(MultiVectorEncoder(modules=modules, prompts=prompts, device="cpu"), output / "st6-xlmr")
    with tempfile.TemporaryDirectory() as folder:
        modules = chain(
            folder,
            output / "pylate-modernbert",
            8,
            22,
            {"skiplist_words": [".", ",", "\u0120and"]},
            query_length=16,
            document_length=32,
        )
        prompts = {"query": "[Q] ", "document": "[D] "}
        save(MultiVectorEncoder(modules=modules, prompts=prompts, device="cpu"), output / "st6-modernbert")


if __name__ == "__main__":
    main()
