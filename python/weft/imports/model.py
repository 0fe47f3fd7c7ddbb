"""The encoder of an index that is taken over: the caller's, else the one the source names, if it is here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from weft import encoding
from weft.errors import InvalidInput, WeftError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.encoding import TextEncoder
    from weft.imports.foreign import Foreign

__all__ = ["model_for"]


def model_for(foreign: Foreign, model: str | None) -> tuple[str | None, str | None]:
    """Find the encoder that queries of the new index need.

    Parameters
    ----------
    foreign : Foreign
        The source; what could not be done is added to its notes.
    model : str, optional
        A directory or hub id. Without it, the checkpoint that the source names is looked for on this machine,
        and no network is asked.

    Returns
    -------
    tuple of str and str, or None
        The description that the index remembers, JSON, and the model's name; None and None when there is
        none.

    Raises
    ------
    ModelNotFound, ModelError
        The model that the caller names cannot be opened.
    InvalidInput
        It makes vectors of another dimension.
    """
    name = model if model is not None else foreign.checkpoint
    if name is None:
        foreign.notes.append(
            f"{foreign.kind} does not say which model made the vectors: name it when you open the index, "
            "with model= or --model"
        )
        return None, None
    try:
        encoder = encoding.open_encoder(name, None, offline=None if model is not None else True)
        dim = encoding.dimension(encoder)
        if dim != foreign.coded.codebook.dim:
            raise InvalidInput(
                f"the model {name} makes vectors of dimension {dim}, and those of {foreign.directory} have "
                f"{foreign.coded.codebook.dim}: name the model that made them"
            )
    # A path of another machine may be one that nobody may look at here, or too long for a name.
    except (WeftError, OSError) as error:
        if model is not None:
            raise
        foreign.notes.append(
            f"the source names the checkpoint {name}, which is not used ({error}): the new index remembers "
            "no model; name one when you open it, with model= or --model"
        )
        return None, None
    foreign.notes.extend(_differences(encoder, foreign.config))
    description = encoding.describe(encoder, name)
    return json.dumps(description, ensure_ascii=False), str(description.get("name", name))


def _differences(encoder: TextEncoder, config: Mapping[str, Any]) -> list[str]:
    """Say where the source encoded queries otherwise than the checkpoint says they are."""
    settings = getattr(encoder, "settings", None)
    said = []
    for key, name in (
        ("query_maxlen", "query_length"),
        ("attend_to_mask_tokens", "attend_to_expansion"),
        ("query_token_id", "query_marker"),
    ):
        theirs, ours = config.get(key), getattr(settings, name, None)
        if theirs is not None and ours is not None and theirs != ours:
            said.append(
                f"the source was searched with {key} {str(theirs)[:40]}, and the model says {ours}: the "
                "model's is used"
            )
    return said
