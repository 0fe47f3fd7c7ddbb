"""The tokenizer of a checkpoint and its special tokens: from `tokenizer.json`, or from BERT's `vocab.txt`.

Old checkpoints have only the list of words; what turns it into a tokenizer is BERT's fixed procedure with the
few switches of `tokenizer_config.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.encoder.checkpoint.json_file import JsonFile
from weft.errors import ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Vocabulary", "open_vocabulary"]

_ADDED_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """An opened tokenizer.

    Attributes
    ----------
    path : Path
        The file it was made from.
    files : tuple of Path
        Every file that decides how text becomes ids.
    tokenizer : tokenizers.Tokenizer
        Without truncation and padding.
    mask, unknown, padding, end : int or None
        Ids of the special tokens, None where the tokenizer has none.
    """

    path: Path
    files: tuple[Path, ...]
    tokenizer: Any
    mask: int | None
    unknown: int | None
    padding: int | None
    end: int | None


def open_vocabulary(folders: Iterable[Path]) -> Vocabulary:
    """Open the tokenizer in the first of the folders that has one.

    Raises
    ------
    ModelNotFound
        If tokenizers is not installed, or no folder has a tokenizer.
    ModelError
        If a file of it cannot be used.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise ModelNotFound("tokenizers is not installed: pip install tokenizers") from error
    looked = list(dict.fromkeys(folders))
    for folder in looked:
        path = folder / "tokenizer.json"
        if path.is_file():
            try:
                opened = tokenizers.Tokenizer.from_file(str(path))
            # The library raises bare Exception for a file it cannot parse.
            except Exception as error:
                raise ModelError(f"{path}: cannot be read as a tokenizer: {error}") from error
            return _with_specials(folder, path, opened)
        path = folder / "vocab.txt"
        if path.is_file():
            return _with_specials(folder, path, _word_pieces(path))
    raise ModelNotFound(
        f"{looked[0]}: neither tokenizer.json nor vocab.txt: load the tokenizer with transformers once "
        "and save it there with save_pretrained()"
    )


def _with_specials(folder: Path, path: Path, opened: Any) -> Vocabulary:
    # Files are saved with whatever limits their trainer had; the limits here are the settings'.
    opened.no_truncation()
    opened.no_padding()
    saved = JsonFile.read(folder / "tokenizer_config.json")
    older = JsonFile.read(folder / "special_tokens_map.json")

    def find(key: str, *usual: str) -> int | None:
        named = [name for file in (saved, older) if (name := _token(file, key)) is not None]
        ids = (opened.token_to_id(name) for name in (*named, *usual))
        found: int | None = next((id_ for id_ in ids if id_ is not None), None)
        return found

    # What is usual in BERT's family, then in RoBERTa's.
    return Vocabulary(
        path=path,
        files=(path, saved.path, older.path, folder / "added_tokens.json"),
        tokenizer=opened,
        mask=find("mask_token", "[MASK]", "<mask>"),
        unknown=find("unk_token", "[UNK]", "<unk>"),
        padding=find("pad_token", "[PAD]", "<pad>"),
        end=find("eos_token"),
    )


def _token(file: JsonFile, key: str) -> str | None:
    value: str | dict[str, Any] | None = file.get(key, (str, dict), None)
    if isinstance(value, dict):
        content: str | None = JsonFile(file.path, value).get("content", str, None)
        return content
    return value


def _word_pieces(path: Path) -> Any:
    """Make BERT's tokenizer from its list of words."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    # A line ends at \n only: the list has entries that other notions of a line end would cut.
    words = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    vocabulary = {word.rstrip("\r"): number for number, word in enumerate(words)}
    saved = JsonFile.read(path.with_name("tokenizer_config.json"))
    special = {
        key: _token(saved, f"{key}_token") or usual
        for key, usual in (
            ("unk", "[UNK]"), ("sep", "[SEP]"), ("pad", "[PAD]"), ("cls", "[CLS]"), ("mask", "[MASK]")
        )
    }  # fmt: skip
    for token in special.values():
        if token not in vocabulary:
            raise ModelError(f"{path}: the special token {token!r} is not in the list")
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=special["unk"]))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=saved.get("tokenize_chinese_chars", bool, default=True),
        strip_accents=saved.get("strip_accents", bool, None),
        lowercase=saved.get("do_lower_case", bool, default=True),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special['cls']} $A {special['sep']}",
        special_tokens=[(special[key], vocabulary[special[key]]) for key in ("cls", "sep")],
    )
    tokenizer.add_special_tokens(list(special.values()))
    for number, content, flags in _added(path, saved):
        if number < len(words):
            continue
        tokenizer.add_tokens([AddedToken(content, **flags)])
        if tokenizer.token_to_id(content) != number:
            raise ModelError(f"{path}: the added token {content!r} has no place at {number}")
    return tokenizer


def _added(path: Path, saved: JsonFile) -> list[tuple[int, str, dict[str, bool]]]:
    """Return id, text and flags of tokens that were added behind the list, in order."""
    found: dict[int, tuple[str, dict[str, bool]]] = {}
    plain = JsonFile.read(path.with_name("added_tokens.json"))
    for content in plain.content:
        found[plain.get(content, int, -1)] = (content, {})
    decoder = saved.within("added_tokens_decoder")
    for number in decoder.content:
        entry = decoder.within(number)
        flags = {flag: entry.get(flag, bool, default=False) for flag in _ADDED_FLAGS if flag in entry}
        if not number.isdecimal():
            raise ModelError(f"{saved.path}: added_tokens_decoder has the id {number!r}")
        found[int(number)] = (entry.get("content", str, ""), flags)
    return [(number, *found[number]) for number in sorted(found)]
