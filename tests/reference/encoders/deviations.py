"""Where Weft does otherwise than a library on purpose, which texts that concerns, and how Weft is asked for the rest.

The tests hold Weft to this list both ways: a text that differs and is not named here fails, and so does one that is named
and does not differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from encoder_golden import Golden
    from weft.encoder.tokenise import Tokeniser

KINDS = ("query", "document")


@dataclass(frozen=True)
class Deviation:
    """What Weft does otherwise on purpose, where, and which texts it concerns."""

    library: str
    checkpoints: tuple[str, ...]
    kinds: tuple[str, ...]
    reason: str
    concerns: Callable[[Golden, Tokeniser], bool]


DEVIATIONS = (
    *(
        Deviation(
            library,
            ("stanford",),
            KINDS,
            "A Stanford checkpoint is read as colbert-ai reads it: [PAD] in a text is padding, a marker in a text is text.",
            lambda one, tokens: "[PAD]" in one.text or "[unused0]" in one.text,
        )
        for library in ("pylate", "sentence-transformers")
    ),
    Deviation(
        "fastembed",
        ("stanford",),
        ("query",),
        "As above for [PAD]; and a query longer than the network is an error, where fastembed cuts it in silence.",
        lambda one, tokens: "[PAD]" in one.text or len(one.ids) == tokens.settings.max_length,
    ),
    Deviation(
        "fastembed",
        ("stanford",),
        ("document",),
        "Passages end at the checkpoint's doc_maxlen; fastembed does not read it.",
        lambda one, tokens: len(one.ids) > tokens.settings.document_length,
    ),
    Deviation(
        "pylate",
        ("pylate-xlmr", "pylate-prompts"),
        ("document",),
        "A word of the skiplist that the vocabulary lacks drops nothing; PyLate drops every unknown token then.",
        lambda one, tokens: tokens.vocabulary.unknown in one.ids,
    ),
)


def deviates(library: str, checkpoint: str, kind: str, one: Golden, tokens: Tokeniser) -> bool:
    return any(
        deviation.concerns(one, tokens)
        for deviation in DEVIATIONS
        if deviation.library == library and checkpoint in deviation.checkpoints and kind in deviation.kinds
    )


def cuts(library: str, kind: str) -> bool:
    """Whether Weft is to cut long texts, which it does on request only; fastembed cuts queries nowhere."""
    return not (library == "fastembed" and kind == "query")
