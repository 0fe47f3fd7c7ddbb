"""Models that are known to work: a list to choose from, never a source of settings.

A checkpoint's own files decide how it is used; what stands here is shown by ``weft model list`` and is not
read by `Encoder.open`. Numbers are those of the models' cards; a licence that was not seen there is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from weft.hub import DEFAULT

__all__ = ["KNOWN", "KnownModel"]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published model.

    Attributes
    ----------
    name : str
        The hub id, or ``default`` for the bundled model.
    backbone : str
        The network under the projection.
    parameters : int
        Millions of them.
    dim : int
        Components of a vector.
    query_length, document_length : int or None
        Lengths the model was trained for; None: see the card.
    expansion : {"no", "yes", "attended"} or None
        Whether queries are filled up with masks, and whether the other tokens attend to them.
    markers : tuple of str
        What marks queries and passages; empty for none.
    languages : str
        What it reads.
    licence : str or None
        Its SPDX name; None: see the card.
    note : str
        What one should know before choosing it.

    Examples
    --------
    >>> {model.name: model.licence for model in KNOWN if model.dim == 48 and model.query_length == 48}
    {'mixedbread-ai/mxbai-edge-colbert-v0-17m': 'Apache-2.0'}
    """

    name: str
    backbone: str
    parameters: int
    dim: int
    query_length: int | None
    document_length: int | None
    expansion: str | None
    markers: tuple[str, ...]
    languages: str
    licence: str | None
    note: str = ""


_UNUSED = ("[unused0]", "[unused1]")
_PYLATE = ("[Q] ", "[D] ")

KNOWN = (
    KnownModel(DEFAULT, "BERT", 23, 128, 32, 256, "no", (), "en", "Apache-2.0", "bundled; small and fast"),
    KnownModel(
        "colbert-ir/colbertv2.0", "BERT", 110, 128, 32, 180, "yes", _UNUSED, "en", "MIT", "ColBERTv2 itself"
    ),
    KnownModel(
        "lightonai/colbertv2.0", "BERT", 110, 128, 32, 180, "yes", _UNUSED, "en", None, "the same, for PyLate"
    ),
    KnownModel(
        "answerdotai/answerai-colbert-small-v1", "BERT", 33, 96, 32, 300, "yes", _UNUSED, "en", "Apache-2.0"
    ),
    KnownModel(
        "jinaai/jina-colbert-v2",
        "XLM-R",
        559,
        128,
        32,
        8192,
        "attended",
        ("[QueryMarker]", "[DocumentMarker]"),
        "89 languages",
        "CC-BY-NC-4.0",
        "not for commercial use; opens by its ONNX graph, its weights have a layout of their own",
    ),
    KnownModel(
        "lightonai/GTE-ModernColBERT-v1",
        "ModernBERT",
        149,
        128,
        32,
        300,
        "no",
        _PYLATE,
        "en",
        "Apache-2.0",
        "reads up to 8192 tokens",
    ),
    KnownModel(
        "lightonai/LateOn-Code", "ModernBERT", 149, 128, 256, 2048, "no", _PYLATE, "code", "Apache-2.0"
    ),
    KnownModel("lightonai/LateOn-Code-edge", "ModernBERT", 17, 48, 256, 2048, "no", _PYLATE, "code", None),
    KnownModel(
        "mixedbread-ai/mxbai-edge-colbert-v0-32m",
        "ModernBERT",
        32,
        64,
        48,
        512,
        None,
        _PYLATE,
        "en",
        "Apache-2.0",
    ),
    KnownModel(
        "mixedbread-ai/mxbai-edge-colbert-v0-17m",
        "ModernBERT",
        17,
        48,
        48,
        512,
        None,
        _PYLATE,
        "en",
        "Apache-2.0",
    ),
    KnownModel(
        "lightonai/ColBERT-Zero",
        "ModernBERT",
        149,
        128,
        None,
        None,
        None,
        _PYLATE,
        "en",
        "Apache-2.0",
        "texts get the prompts search_query: and search_document:",
    ),
)
"""The list, the bundled model first."""
