"""Make the checkpoints in Stanford's layout, saved by colbert-ai: ``make_stanford.py CORPUS CHECKPOINTS``.

`stanford` has the settings that ColBERTv2 was published with, but for shorter passages. It carries `position_ids` and
the pooler too, as the published file does. `stanford-xlmr` has another backbone, whose tokenizer makes a white-space
token of every punctuation mark that stands alone.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from backbone import SIZES, VOCABULARY, fill
from colbert.infra import ColBERTConfig
from colbert.modeling.base_colbert import BaseColBERT
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)
from vocabulary import sentences, unigram, wordpiece

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

KEPT = (
    "query_token_id", "doc_token_id", "query_token", "doc_token", "dim", "doc_maxlen", "query_maxlen", "nbits",
    "mask_punctuation", "attend_to_mask_tokens", "interaction", "similarity", "kmeans_niters", "nway",
    "use_ib_negatives", "relu", "amp", "bsize", "lr", "maxsteps",
)  # fmt: skip
"""Keys of `artifact.metadata` that are committed: the others tell of the machine and the hour."""

POSITIONS = 64


def make(
    output: Path, seed: int, backbone: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, **settings: object
) -> None:
    """Write one checkpoint."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        backbone.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        model = BaseColBERT(folder, ColBERTConfig(dim=8, **settings))
        if model.name != folder:
            raise SystemExit("colbert-ai fell back to another backbone")
        fill(model.model, seed)
        model.save(str(output))
    metadata = json.loads((output / "artifact.metadata").read_text())
    kept = {key: metadata[key] for key in KEPT}
    (output / "artifact.metadata").write_text(json.dumps(kept, indent=4) + "\n")


def bert(texts: list[str], output: Path) -> None:
    """Write `stanford`."""
    words = wordpiece(texts, VOCABULARY)
    config = BertConfig(vocab_size=words.get_vocab_size(), max_position_embeddings=POSITIONS, **SIZES)
    tokenizer = BertTokenizerFast(tokenizer_object=words, do_lower_case=True, model_max_length=POSITIONS)
    make(output, 1, BertModel(config), tokenizer, query_maxlen=32, doc_maxlen=48)
    tensors = load_file(output / "model.safetensors")
    tensors["bert.embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    save_file(tensors, output / "model.safetensors", metadata={"format": "pt"})


def xlmr(texts: list[str], output: Path) -> None:
    """Write `stanford-xlmr`."""
    words = unigram(texts, VOCABULARY)
    markers = {"query_token_id": "[QueryMarker]", "doc_token_id": "[DocumentMarker]"}
    words.add_special_tokens(list(markers.values()))
    config = XLMRobertaConfig(
        vocab_size=words.get_vocab_size(),
        max_position_embeddings=POSITIONS + 2,
        type_vocab_size=1,
        pad_token_id=words.token_to_id("<pad>"),
        bos_token_id=words.token_to_id("<s>"),
        eos_token_id=words.token_to_id("</s>"),
        layer_norm_eps=1e-5,
        **SIZES,
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, model_max_length=POSITIONS, pad_token="<pad>", unk_token="<unk>", cls_token="<s>",
        sep_token="</s>", bos_token="<s>", eos_token="</s>", mask_token="<mask>",
    )  # fmt: skip
    make(output, 2, XLMRobertaModel(config), tokenizer, query_maxlen=12, doc_maxlen=20, **markers)


def main() -> None:
    """Write both."""
    corpus, checkpoints = map(Path, sys.argv[1:])
    texts = sentences(corpus)
    bert(texts, checkpoints / "stanford")
    xlmr(texts, checkpoints / "stanford-xlmr")


if __name__ == "__main__":
    main()
