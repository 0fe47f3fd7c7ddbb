"""Settings of next-plaid's exports: `onnx_config.json` beside the graph.

Source: the crate next-plaid-onnx 1.6.1. It attends to expansion whatever the file says; the file is followed,
which has what the model was trained with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.settings import EncoderSettings

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.encoder.checkpoint.modules import Modules

__all__ = ["settings"]


def settings(exported: JsonFile, modules: Modules) -> EncoderSettings:
    """Read the settings; absent ones are next-plaid's."""
    query_length = exported.get("query_length", int, 48)
    expand = exported.get("do_query_expansion", bool, default=True)
    return EncoderSettings(
        query_marker=exported.get("query_prefix", str, "[Q] "),
        document_marker=exported.get("document_prefix", str, "[D] "),
        query_length=query_length,
        query_limit=query_length,
        document_length=exported.get("document_length", int, 300),
        expand_queries=expand,
        attend_to_expansion=expand and exported.get("attend_to_expansion_tokens", bool, default=False),
        skiplist=exported.strings("skiplist_words", ()),
        query_prompt="",
        document_prompt="",
        lower_case=exported.get("do_lower_case", bool, default=False),
        max_length=modules.positions(),
    )
