"""Settings of Sentence Transformers 6: `sentence_bert_config.json` and the configuration of MultiVectorMask.

There is no marker token at a fixed place: what PyLate calls marker stands at the beginning of the prompt and
is a token because the saved tokenizer has it. Text is not stripped.

Source: sentence-transformers 6.2.0, `multi_vector_encoder` and `base/modules/transformer.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.checkpoint.prompts import prompt
from weft.encoder.settings import EncoderSettings
from weft.errors import ModelError

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.encoder.checkpoint.modules import Modules
    from weft.encoder.settings import Kind

__all__ = ["settings"]

_DOCUMENT_PROMPTS = ("document", "passage", "corpus")
_EXPANSION_KEYS = {"strategy", "attend", "token", "length"}


def settings(sentence: JsonFile, modules: Modules) -> EncoderSettings:
    """Read the settings of the modules Transformer and MultiVectorMask, and the prompts."""
    transformer = modules.transformer_settings()
    _check_text_only(transformer)
    expansion = _expansion(transformer)
    max_length = min(modules.positions(), modules.tokenizer_limit())
    limit = transformer.get("query_length", int, None)
    length = limit
    if expansion is not None:
        length = expansion.get("length", int, None)
        if length is None:
            raise ModelError(f"{transformer.path}: query_expansion has no length")
        if expansion.get("strategy", str, "") == "fixed":
            limit = length
        elif limit is not None:
            # A floor, below which the ceiling does not go.
            limit = max(limit, length)
    mask = modules.configuration("MultiVectorMask")
    return EncoderSettings(
        query_marker="",
        document_marker="",
        query_length=max_length if length is None else length,
        query_limit=limit,
        document_length=transformer.get("document_length", int, max_length),
        expand_queries=expansion is not None,
        attend_to_expansion=expansion is not None and expansion.get("attend", bool, default=False),
        expansion_token="" if expansion is None else expansion.get("token", str, ""),
        skiplist=mask.strings("skiplist_words", ()),
        skiplist_kinds=_kinds(mask),
        keep_only=mask.integers("keep_only_token_ids"),
        query_prompt=prompt(sentence, ("query",)),
        document_prompt=prompt(sentence, _DOCUMENT_PROMPTS),
        lower_case=transformer.get("do_lower_case", bool, default=False),
        max_length=max_length,
        strip=False,
    )


def _expansion(transformer: JsonFile) -> JsonFile | None:
    found = transformer.within("query_expansion")
    if not found.content:
        return None
    unknown = sorted(set(found.content) - _EXPANSION_KEYS)
    if unknown:
        raise ModelError(f"{found.path}: query_expansion has {unknown[0]!r}, which Weft does not know")
    strategy = found.get("strategy", str, "")
    if strategy not in ("fixed", "min"):
        raise ModelError(f"{found.path}: query_expansion has the strategy {strategy!r}, not 'fixed' or 'min'")
    return found


def _check_text_only(transformer: JsonFile) -> None:
    """Refuse what would change the ids in ways that are not read here."""
    modalities = set(transformer.within("modality_config").content)
    if "message" in modalities:
        raise ModelError(f"{transformer.path}: texts go through a chat template, which Weft does not read")
    if modalities and "text" not in modalities:
        raise ModelError(f"{transformer.path}: the model does not take text, only {sorted(modalities)}")
    changed = transformer.within("processing_kwargs").get("text", dict, {})
    if changed:
        raise ModelError(
            f"{transformer.path}: processing_kwargs sets {sorted(changed)} of the tokenizer, "
            "which Weft does not read"
        )


def _kinds(mask: JsonFile) -> tuple[Kind, ...]:
    value = mask.content.get("skiplist_tasks")
    tasks = (value,) if isinstance(value, str) else mask.strings("skiplist_tasks", ("document",))
    kinds: tuple[Kind, ...] = ("document", "query")
    return tuple(kind for kind in kinds if kind in tasks)
