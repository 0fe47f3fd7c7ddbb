"""Train the small vocabularies of the toy checkpoints, one per family: WordPiece, byte-level BPE, Unigram.

The tokenizers are those of the families' real models (BERT, ModernBERT, XLM-R) in everything but size, so that the
rules that differ between families are there: punctuation split off or not, white space as a token or not, a mask
token that swallows the blank before it.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

if TYPE_CHECKING:
    from pathlib import Path

PASSAGES = 400
"""Passages of the corpus that the vocabularies are trained on."""


def sentences(corpus: Path) -> list[str]:
    """Return the text of the first passages of a BEIR folder."""
    with (corpus / "corpus.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, PASSAGES)]


def wordpiece(texts: list[str], size: int, *, lower: bool = True) -> Tokenizer:
    """BERT's rules; the markers of Stanford's checkpoints are ordinary words of the vocabulary, as in BERT's."""
    specials = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # Few letters, so that accents, CJK and the like are unknown words.
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=specials, limit_alphabet=80, show_progress=False
    )
    # Every mark must be a word of its own, or the skiplist could not name it.
    marks = ["! \" # $ % & ' ( ) * + , - . / : ; < = > ? @ [ \\ ] ^ _ ` { | } ~"] * 400
    tokenizer.train_from_iterator([*texts, *marks], trainer)
    vocabulary = tokenizer.get_vocab()
    again = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    again.normalizer, again.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    again.add_special_tokens([word for word in specials if "unused" not in word])
    again.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(word, vocabulary[word]) for word in ("[CLS]", "[SEP]")],
    )
    again.decoder = decoders.WordPiece()
    return again


def byte_bpe(texts: list[str], size: int) -> Tokenizer:
    """ModernBERT's rules: bytes, a blank belongs to the word behind it, and the mask swallows blanks before it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=False, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(word, tokenizer.token_to_id(word)) for word in ("[CLS]", "[SEP]")],
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def unigram(texts: list[str], size: int) -> Tokenizer:
    """XLM-R's rules: white space is a letter of the words behind it, and of some punctuation alone."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=specials, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(word, tokenizer.token_to_id(word)) for word in ("<s>", "</s>")],
    )
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    return tokenizer
