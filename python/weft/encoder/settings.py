"""What a checkpoint says about how its texts are to be encoded, whichever tool wrote it.

There is one frozen class of settings and one reader per layout. A reader takes what the files say and fills
in the defaults of the tool that wrote them: an absent key means something different in each.
"""

from __future__ import annotations

import json
import string
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EncoderSettings", "read_settings"]

PUNCTUATION = tuple(string.punctuation)
"""The 32 characters whose vectors passages do not keep, the reference's skiplist."""

_DEFAULT_POSITIONS = 512
"""Tokens a backbone reads when its config.json does not say: BERT's number."""

_POSITION_OFFSET_TYPES = {"roberta", "xlm-roberta", "camembert"}
"""Backbones whose positions begin after the padding index, so that two of them cannot be used."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How a checkpoint wants its queries and passages encoded.

    Attributes
    ----------
    query_marker, document_marker : str
        The token at position 1, as the vocabulary writes it; empty for none.
    query_length : int
        Tokens a query is filled up to, `[CLS]`, marker and `[SEP]` included.
    document_length : int
        Most tokens a passage may have, the same three included.
    expand_queries : bool
        Whether a short query is filled up with mask tokens, whose vectors then count.
    attend_to_expansion : bool
        Whether the other tokens attend to those masks.
    skiplist : tuple of str
        Words whose first token is dropped from passages.
    query_prompt, document_prompt : str
        Text put in front of every query or passage.
    lower_case : bool
        Lower the text before the tokenizer's own normalisation.
    max_length : int
        Positions the network has: nothing longer can be encoded.
    """

    query_marker: str
    document_marker: str
    query_length: int
    document_length: int
    expand_queries: bool
    attend_to_expansion: bool
    skiplist: tuple[str, ...]
    query_prompt: str
    document_prompt: str
    lower_case: bool
    max_length: int

    def __post_init__(self) -> None:
        if self.max_length < 4:
            raise ModelError(f"max_length is {self.max_length}, less than an empty text's tokens")
        for name in ("query_length", "document_length"):
            length = getattr(self, name)
            if not 4 <= length <= self.max_length:
                raise ModelError(
                    f"{name} is {length}, outside 4 to {self.max_length}, the positions the model has"
                )

    def canonical(self) -> str:
        """Return the settings as one line of JSON that is the same for equal settings."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)


def read_settings(directory: Path) -> EncoderSettings:
    """Read the settings of the checkpoint in `directory`.

    The layout is told by the files: PyLate's `config_sentence_transformers.json`, Stanford's
    `artifact.metadata`, next-plaid's `onnx_config.json`, in this order, because next-plaid's exporter
    always writes that queries are not expanded, whatever the model was trained with.

    Raises
    ------
    ModelError
        If no file says that this is a late-interaction model, or one cannot be used.
    """
    pylate = directory / "config_sentence_transformers.json"
    stanford = directory / "artifact.metadata"
    next_plaid = directory / "onnx_config.json"
    if pylate.is_file():
        content = _read_json(pylate)
        if content.get("model_type") == "ColBERT" or "query_prefix" in content:
            return _checked(pylate, _from_pylate, content, directory)
    if stanford.is_file():
        return _checked(stanford, _from_stanford, _read_json(stanford), directory)
    if next_plaid.is_file():
        return _checked(next_plaid, _from_next_plaid, _read_json(next_plaid), directory)
    raise ModelError(
        f"{directory}: not a late-interaction model that Weft reads: none of {pylate.name} (with "
        f"model_type ColBERT), {stanford.name} and {next_plaid.name} is there"
    )


def _checked(path: Path, reader: Any, content: dict[str, Any], directory: Path) -> EncoderSettings:
    try:
        settings: EncoderSettings = reader(content, directory)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return settings


def _from_pylate(content: dict[str, Any], directory: Path) -> EncoderSettings:
    prompts = _get(content, "prompts", dict, {})
    expand = _get(content, "do_query_expansion", bool, default=True)
    return EncoderSettings(
        query_marker=_get(content, "query_prefix", str, "[Q] "),
        document_marker=_get(content, "document_prefix", str, "[D] "),
        query_length=_get(content, "query_length", int, 32),
        document_length=_get(content, "document_length", int, 180),
        expand_queries=expand,
        attend_to_expansion=expand and _get(content, "attend_to_expansion_tokens", bool, default=False),
        skiplist=_words(content, PUNCTUATION),
        query_prompt=_get(prompts, "query", str, ""),
        document_prompt=_get(prompts, "document", str, ""),
        lower_case=_lower_case(directory),
        max_length=_positions(directory),
    )


def _from_stanford(content: dict[str, Any], directory: Path) -> EncoderSettings:
    content = _get(content, "config", dict, content)
    return EncoderSettings(
        query_marker=_get(content, "query_token_id", str, "[unused0]"),
        document_marker=_get(content, "doc_token_id", str, "[unused1]"),
        query_length=_get(content, "query_maxlen", int, 32),
        document_length=_get(content, "doc_maxlen", int, 220),
        expand_queries=True,
        attend_to_expansion=_get(content, "attend_to_mask_tokens", bool, default=False),
        skiplist=PUNCTUATION if _get(content, "mask_punctuation", bool, default=True) else (),
        query_prompt="",
        document_prompt="",
        lower_case=False,
        max_length=_positions(directory),
    )


def _from_next_plaid(content: dict[str, Any], directory: Path) -> EncoderSettings:
    expand = _get(content, "do_query_expansion", bool, default=True)
    return EncoderSettings(
        query_marker=_get(content, "query_prefix", str, "[Q] "),
        document_marker=_get(content, "document_prefix", str, "[D] "),
        query_length=_get(content, "query_length", int, 48),
        document_length=_get(content, "document_length", int, 300),
        expand_queries=expand,
        attend_to_expansion=expand and _get(content, "attend_to_expansion_tokens", bool, default=False),
        skiplist=_words(content, ()),
        query_prompt="",
        document_prompt="",
        lower_case=_get(content, "do_lower_case", bool, default=False),
        max_length=_positions(directory),
    )


def _positions(directory: Path) -> int:
    path = directory / "config.json"
    if not path.is_file():
        return _DEFAULT_POSITIONS
    content = _read_json(path)
    positions: int = _get(content, "max_position_embeddings", int, _DEFAULT_POSITIONS)
    if content.get("model_type") in _POSITION_OFFSET_TYPES:
        positions -= 2
    return positions


def _lower_case(directory: Path) -> bool:
    path = directory / "sentence_bert_config.json"
    return path.is_file() and _get(_read_json(path), "do_lower_case", bool, default=False)


def _words(content: dict[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    words = _get(content, "skiplist_words", list, list(default))
    if not all(isinstance(word, str) for word in words):
        raise ModelError("skiplist_words holds something that is not a string")
    return tuple(words)


def _get(content: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    """Return a key's value, the default when it is absent or null; the wrong type is an error."""
    value = content.get(key)
    if value is None:
        return default
    # bool is an int in Python: a length of `true` is nonsense all the same.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ModelError(f"{key} is {value!r}, expected {kind.__name__}")
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds a {type(content).__name__} where an object belongs")
    return content
