"""Settings of colbert-ai's checkpoints: `artifact.metadata`, flat or under "config".

Source: colbert-ai 0.2.22, `infra/config/settings.py` for the defaults, `modeling/tokenization` and
`modeling/colbert.py` for the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.settings import PUNCTUATION, EncoderSettings
from weft.errors import ModelError

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.encoder.checkpoint.modules import Modules

__all__ = ["named", "settings"]


def named(config: JsonFile) -> bool:
    """Whether a backbone's config.json names colbert-ai's architecture."""
    return "HF_ColBERT" in config.strings("architectures", ())


def settings(metadata: JsonFile, modules: Modules) -> EncoderSettings:
    """Read `artifact.metadata`; without the file colbert-ai's defaults hold."""
    if "config" in metadata:
        metadata = metadata.within("config")
    interaction = metadata.get("interaction", str, "colbert")
    if interaction != "colbert":
        raise ModelError(f"{metadata.path}: interaction is {interaction!r}, and Weft ranks by MaxSim alone")
    query_length = metadata.get("query_maxlen", int, 32)
    return EncoderSettings(
        query_marker=metadata.get("query_token_id", str, "[unused0]"),
        document_marker=metadata.get("doc_token_id", str, "[unused1]"),
        query_length=query_length,
        query_limit=query_length,
        document_length=metadata.get("doc_maxlen", int, 220),
        expand_queries=True,
        attend_to_expansion=metadata.get("attend_to_mask_tokens", bool, default=False),
        skiplist=PUNCTUATION if metadata.get("mask_punctuation", bool, default=True) else (),
        skiplist_rule="first-token",
        query_prompt="",
        document_prompt="",
        lower_case=False,
        max_length=modules.positions(),
        strip=False,
        padding_in_text=True,
    )
