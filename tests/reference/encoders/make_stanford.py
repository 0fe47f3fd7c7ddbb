"""Make the checkpoint in Stanford's layout, saved by colbert-ai: ``make_stanford.py CORPUS CHECKPOINTS``.

Its settings are those that ColBERTv2 was published with, but for shorter passages. It carries `position_ids` and the
pooler too, as the published file does.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from backbone import SIZES, VOCABULARY, fill
from colbert.infra import ColBERTConfig
from colbert.modeling.base_colbert import BaseColBERT
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, BertTokenizerFast
from vocabulary import sentences, wordpiece

KEPT = (
    "query_token_id", "doc_token_id", "query_token", "doc_token", "dim", "doc_maxlen", "query_maxlen", "nbits",
    "mask_punctuation", "attend_to_mask_tokens", "interaction", "similarity", "kmeans_niters", "nway",
    "use_ib_negatives", "relu", "amp", "bsize", "lr", "maxsteps",
)  # fmt: skip
"""Keys of `artifact.metadata` that are committed: the others tell of the machine and the hour."""

POSITIONS = 64


def main() -> None:
    """Write it."""
    corpus, checkpoints = map(Path, sys.argv[1:])
    tokenizer = wordpiece(sentences(corpus), VOCABULARY)
    output = checkpoints / "stanford"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        config = BertConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=POSITIONS, **SIZES)
        BertModel(config).save_pretrained(folder)
        BertTokenizerFast(
            tokenizer_object=tokenizer, do_lower_case=True, model_max_length=POSITIONS
        ).save_pretrained(folder)
        model = BaseColBERT(folder, ColBERTConfig(dim=8, query_maxlen=32, doc_maxlen=48))
        if model.name != folder:
            raise SystemExit("colbert-ai fell back to another backbone")
        fill(model.model, 1)
        model.save(str(output))
    metadata = json.loads((output / "artifact.metadata").read_text())
    kept = {key: metadata[key] for key in KEPT}
    (output / "artifact.metadata").write_text(json.dumps(kept, indent=4) + "\n")
    tensors = load_file(output / "model.safetensors")
    tensors["bert.embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    save_file(tensors, output / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
