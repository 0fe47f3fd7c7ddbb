"""The tokenizer of a checkpoint and its special tokens: from `tokenizer.json`, or from BERT's `vocab.txt`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.encoder.checkpoint.json_file import JsonFile
from weft.encoder.checkpoint.word_pieces import open_word_pieces
from weft.errors import ModelError, ModelNotFound, WeftError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Vocabulary", "failures_of", "open_vocabulary"]

_USUAL = {"mask": ("[MASK]", "<mask>"), "unk": ("[UNK]", "<unk>"), "pad": ("[PAD]", "<pad>"), "eos": ()}
"""Special tokens as BERT's family writes them, and RoBERTa's, where no file says."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """An opened tokenizer.

    Attributes
    ----------
    path : Path
        The file it was made from.
    tokenizer : tokenizers.Tokenizer
        Without truncation and padding.
    mask, unknown, padding, end : int or None
        Ids of the special tokens, None where the tokenizer has none.
    description : str
        What decides how text becomes ids and does not stand in the file; empty when all of it does.
    """

    path: Path
    tokenizer: Any
    mask: int | None
    unknown: int | None
    padding: int | None
    end: int | None
    description: str


@contextmanager
def failures_of(path: Path) -> Iterator[None]:
    """Let what the tokenizers library raises be a `ModelError` that names the file.

    It raises bare Exception for what it finds wrong; where it finds nothing and stumbles later, its panic
    comes as an exception that derives from BaseException alone.
    """
    try:
        yield
    except WeftError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ModelError(f"{path}: does not work as a tokenizer: {error}") from error
        raise


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
            with failures_of(path):
                opened = tokenizers.Tokenizer.from_file(str(path))
            return _with_specials(path, opened, "")
        path = folder / "vocab.txt"
        if path.is_file():
            with failures_of(path):
                made = open_word_pieces(path)
            return _with_specials(path, *made)
    raise ModelNotFound(
        f"{looked[0]}: neither tokenizer.json nor vocab.txt: load the tokenizer with transformers once "
        "and save it there with save_pretrained()"
    )


def _with_specials(path: Path, opened: Any, rules: str) -> Vocabulary:
    # Files are saved with whatever limits their trainer had; the limits here are the settings'.
    opened.no_truncation()
    opened.no_padding()
    files = [
        JsonFile.read(path.with_name(f"{name}.json")) for name in ("tokenizer_config", "special_tokens_map")
    ]

    def first(names: Iterable[str]) -> int | None:
        ids = (opened.token_to_id(name) for name in names)
        return next((id_ for id_ in ids if id_ is not None), None)

    usual = {kind: first(names) for kind, names in _USUAL.items()}
    said = {
        kind: first(name for file in files if (name := file.token(f"{kind}_token")) is not None)
        for kind in _USUAL
    }
    ids = {kind: usual[kind] if said[kind] is None else said[kind] for kind in _USUAL}
    if ids["mask"] is not None:
        # What ends a text matters only where it stands in for the mask.
        usual["eos"] = ids["eos"]
    unusual = "" if ids == usual else json.dumps(ids, sort_keys=True)
    return Vocabulary(path, opened, ids["mask"], ids["unk"], ids["pad"], ids["eos"], rules + unusual)
