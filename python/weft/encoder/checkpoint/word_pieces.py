"""BERT's tokenizer from its list of words: old checkpoints have no tokenizer.json.

What turns the list into a tokenizer is a fixed procedure with the few switches of `tokenizer_config.json`;
their defaults are those of transformers' BertTokenizer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from weft.encoder.checkpoint.json_file import JsonFile
from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_word_pieces"]

_SPECIAL = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def open_word_pieces(path: Path) -> tuple[Any, str]:
    """Make the tokenizer of a `vocab.txt`.

    Returns
    -------
    tokenizers.Tokenizer, str
        The tokenizer, and one line of JSON with the switches, which the list does not have.

    Raises
    ------
    ModelError
        If the list lacks a special token, or a token that was added behind it has no place there.
    """
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    try:
        # A line ends at a line feed only: the list has entries that other notions of a line end would cut.
        words = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error
    ids = {word: number for number, word in enumerate(words)}
    saved = JsonFile.read(path.with_name("tokenizer_config.json"))
    special = {kind: saved.token(f"{kind}_token") or usual for kind, usual in _SPECIAL.items()}
    for token in special.values():
        if token not in ids:
            raise ModelError(f"{path}: the special token {token!r} is not in the list")
    switches = {
        "handle_chinese_chars": saved.get("tokenize_chinese_chars", bool, default=True),
        "strip_accents": saved.get("strip_accents", bool, None),
        "lowercase": saved.get("do_lower_case", bool, default=True),
    }
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=special["unk"]))
    tokenizer.normalizer = normalizers.BertNormalizer(clean_text=True, **switches)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special['cls']} $A {special['sep']}",
        special_tokens=[(special[kind], ids[special[kind]]) for kind in ("cls", "sep")],
    )
    tokenizer.add_special_tokens(list(special.values()))
    added = _added(path, saved, len(words))
    for number, (content, flags) in sorted(added.items()):
        tokenizer.add_tokens([AddedToken(content, **flags)])
        if tokenizer.token_to_id(content) != number:
            raise ModelError(f"{path}: the added token {content!r} has no place at {number}")
    return tokenizer, json.dumps([switches, special, added], sort_keys=True)


def _added(path: Path, saved: JsonFile, count: int) -> dict[int, tuple[str, dict[str, bool]]]:
    """Return text and flags of the tokens that were added behind the list, by id."""
    plain = JsonFile.read(path.with_name("added_tokens.json"))
    found: dict[int, tuple[str, dict[str, bool]]] = {
        plain.get(content, int, -1): (content, {}) for content in plain.content
    }
    decoder = saved.within("added_tokens_decoder")
    for number in decoder.content:
        if not number.isdecimal():
            raise ModelError(f"{saved.path}: added_tokens_decoder has the id {number!r}")
        entry = decoder.within(number)
        flags = {flag: entry.get(flag, bool, default=False) for flag in _FLAGS if flag in entry}
        found[int(number)] = (entry.get("content", str, ""), flags)
    return {number: token for number, token in found.items() if number >= count}
