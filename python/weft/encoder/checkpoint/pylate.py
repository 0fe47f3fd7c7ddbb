"""Settings of PyLate's checkpoints: `config_sentence_transformers.json` with model_type ColBERT.

Source: PyLate 1.6.0, `models/colbert.py`. Sentence Transformers 5.3, which it pins, strips the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.checkpoint.prompts import prompt
from weft.encoder.settings import PUNCTUATION, EncoderSettings

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.encoder.checkpoint.modules import Modules

__all__ = ["settings"]


def settings(sentence: JsonFile, modules: Modules) -> EncoderSettings:
    """Read the settings; absent ones are PyLate's, expansion among them, which older files leave out."""
    query_length = sentence.get("query_length", int, 32)
    expand = sentence.get("do_query_expansion", bool, default=True)
    lower = modules.transformer_settings().get("do_lower_case", bool, default=False)
    query_prompt, document_prompt = (prompt(sentence, (kind,)) for kind in ("query", "document"))
    return EncoderSettings(
        query_marker=sentence.get("query_prefix", str, "[Q] "),
        document_marker=sentence.get("document_prefix", str, "[D] "),
        query_length=query_length,
        query_limit=query_length,
        document_length=sentence.get("document_length", int, 180),
        expand_queries=expand,
        attend_to_expansion=expand and sentence.get("attend_to_expansion_tokens", bool, default=False),
        skiplist=sentence.strings("skiplist_words", PUNCTUATION),
        # What is lowered is the text with its prompt.
        query_prompt=query_prompt.lower() if lower else query_prompt,
        document_prompt=document_prompt.lower() if lower else document_prompt,
        lower_case=lower,
        max_length=modules.positions(),
    )
