"""Make the checkpoints in PyLate's layout, saved by PyLate: ``make_pylate.py CORPUS CHECKPOINTS``.

`pylate-bert` has three Dense layers with bias, activation and both kinds of residual, and markers that were added to
the vocabulary; `pylate-modernbert` does not expand queries; `pylate-xlmr` attends to its masks;
`pylate-prompts` has prompts beside the markers and lower-cases before a cased vocabulary.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backbone import HIDDEN, SIZES, VOCABULARY, fill
from pylate import models
from sentence_transformers.models import Transformer
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)
from vocabulary import byte_bpe, sentences, unigram, wordpiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

BERT = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
XLMR = {
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "mask_token": "<mask>",
}

# As the published ModernBERT checkpoints say it; newer releases of transformers write the same under other names.
_MODERN_KEYS = {
    "global_attn_every_n_layers": 3,
    "local_attention": 8,
    "global_rope_theta": 160000.0,
    "local_rope_theta": 10000.0,
}


def bert(vocabulary: Tokenizer, positions: int = 64) -> PreTrainedModel:
    """A BERT backbone."""
    return BertModel(
        BertConfig(vocab_size=vocabulary.get_vocab_size(), max_position_embeddings=positions, **SIZES)
    )


def modernbert(vocabulary: Tokenizer) -> PreTrainedModel:
    """A ModernBERT backbone: the first of two layers sees all tokens, the second four on either side."""
    ids = {
        name: vocabulary.token_to_id(word)
        for name, word in (("pad_token_id", "[PAD]"), ("cls_token_id", "[CLS]"))
    }
    return ModernBertModel(
        ModernBertConfig(
            vocab_size=vocabulary.get_vocab_size(),
            max_position_embeddings=64,
            bos_token_id=ids["cls_token_id"],
            eos_token_id=vocabulary.token_to_id("[SEP]"),
            sep_token_id=vocabulary.token_to_id("[SEP]"),
            **ids,
            **_MODERN_KEYS,
            **SIZES,
        )
    )


def xlmr(vocabulary: Tokenizer) -> PreTrainedModel:
    """An XLM-R backbone: its positions begin at 2."""
    return XLMRobertaModel(
        XLMRobertaConfig(
            vocab_size=vocabulary.get_vocab_size(),
            max_position_embeddings=66,
            type_vocab_size=1,
            pad_token_id=vocabulary.token_to_id("<pad>"),
            bos_token_id=vocabulary.token_to_id("<s>"),
            eos_token_id=vocabulary.token_to_id("</s>"),
            layer_norm_eps=1e-5,
            **SIZES,
        )
    )


def make(
    output: Path,
    seed: int,
    vocabulary: Tokenizer,
    specials: dict[str, str],
    backbone: PreTrainedModel,
    heads: list[nn.Module],
    **settings: object,
) -> None:
    """Write one checkpoint."""
    shutil.rmtree(output, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        backbone.save_pretrained(folder)
        PreTrainedTokenizerFast(tokenizer_object=vocabulary, model_max_length=64, **specials).save_pretrained(
            folder
        )
        lower = bool(settings.pop("do_lower_case", False))
        modules = [Transformer(folder, do_lower_case=lower), *heads]
        model = models.ColBERT(modules=modules, device="cpu", **settings)
        fill(model, seed)
        model.save(str(output), create_model_card=False)
    config = json.loads((output / "config.json").read_text())
    config.pop("_name_or_path", None)
    if config["model_type"] == "modernbert":
        for name in ("layer_types", "rope_parameters"):
            config.pop(name)
        config |= _MODERN_KEYS
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    """Write all four."""
    corpus, output = map(Path, sys.argv[1:])
    texts = sentences(corpus)
    words = wordpiece(texts, VOCABULARY)
    heads = [
        models.Dense(HIDDEN, 20, bias=True, activation_function=nn.GELU(), use_residual=True),
        models.Dense(20, 20, bias=True, activation_function=nn.Tanh(), use_residual=True),
        models.Dense(20, 12, bias=False),
    ]
    make(
        output / "pylate-bert", 11, words, BERT, bert(words), heads,
        query_length=16, document_length=32,
    )  # fmt: skip
    words = byte_bpe(texts, VOCABULARY)
    make(
        output / "pylate-modernbert", 12, words, BERT, modernbert(words), [models.Dense(HIDDEN, 8, bias=False)],
        query_length=24, document_length=40, do_query_expansion=False,
    )  # fmt: skip
    words = unigram(texts, VOCABULARY)
    make(
        output / "pylate-xlmr", 13, words, XLMR, xlmr(words), [models.Dense(HIDDEN, 16, bias=False)],
        query_length=12, document_length=20, attend_to_expansion_tokens=True,
        query_prefix="[QueryMarker]", document_prefix="[DocumentMarker]",
    )  # fmt: skip
    words = wordpiece([text.lower() for text in texts], VOCABULARY, lower=False)
    make(
        output / "pylate-prompts", 14, words, BERT, bert(words), [models.Dense(HIDDEN, 8, bias=True)],
        query_length=24, document_length=32, do_query_expansion=False, do_lower_case=True,
        prompts={"query": "search_query: ", "document": "search_document: "}, skiplist_words=[",", ".", "the", "\u2014"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
