"""Weft's encoder against the libraries that the checkpoints come from: the same ids, masks and kept tokens.

The golden files were made by the libraries themselves (`tests/reference/encoders`) on small checkpoints with random weights, which lie in
`tests/reference/checkpoints`. Their texts are cut as the libraries cut them, which Weft does on request only: `truncate=True`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from weft.encoder.checkpoint import read_layout
from weft.encoder.checkpoint.vocabulary import open_vocabulary
from weft.encoder.tokenise import Tokeniser
from weft.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(__file__).parents[1] / "reference"
sys.path.append(str(REFERENCE / "encoders"))

import checkpoints  # noqa: E402  it lies with the scripts
import next_plaid  # noqa: E402
from texts import TEXTS  # noqa: E402

KINDS = ("query", "document")
GOLDENS = sorted((path.parent.parent.name, path.stem) for path in REFERENCE.glob("golden/*/encoders/*.npz"))


@dataclass(frozen=True)
class Golden:
    """One text as a library encoded it."""

    text: str
    ids: list[int]
    attention: list[int]
    kept: list[int]
    vectors: np.ndarray


@cache
def golden(library: str, checkpoint: str, kind: str, folder: str = "encoders") -> list[Golden]:
    with np.load(REFERENCE / "golden" / library / folder / f"{checkpoint}.npz") as file:
        lengths = file[f"{kind}_lengths"]
        ends = np.cumsum(lengths)[:-1]
        ids, attention, kept = (
            np.split(file[f"{kind}_{name}"], ends) for name in ("ids", "attention", "kept")
        )
        counts = [int(row.sum()) for row in kept]
        vectors = file[f"{kind}_vectors"] if f"{kind}_vectors" in file else np.empty((sum(counts), 0))
    rows = np.split(vectors, np.cumsum(counts)[:-1])
    return [
        Golden(text, i.tolist(), a.tolist(), np.flatnonzero(k).tolist(), v)
        for text, i, a, k, v in zip(TEXTS, ids, attention, kept, rows, strict=True)
    ]


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


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    @cache
    def copy(name: str) -> Path:
        return checkpoints.copy(name, tmp_path_factory.mktemp("checkpoint") / name)

    return copy


def tokeniser(directory: Path) -> Tokeniser:
    layout = read_layout(directory)
    return Tokeniser(open_vocabulary((layout.modules.transformer, directory)), layout.settings)


def encoded(
    tokens: Tokeniser, library: str, kind: str, text: str
) -> tuple[list[int], list[int], list[int]] | None:
    """Return ids, attention and kept places, None when the text is refused."""
    try:
        # fastembed cuts queries nowhere, which is what Weft does unasked.
        truncate = not (library == "fastembed" and kind == "query")
        (row,) = (tokens.queries if kind == "query" else tokens.documents)([text], truncate=truncate)
    except InvalidInput:
        return None
    attended = len(row.ids) if kind == "query" and tokens.settings.attend_to_expansion else row.real
    return row.ids, [int(place < attended) for place in range(len(row.ids))], tokens.kept(row.ids, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("library", "checkpoint"), GOLDENS)
def test_ids_masks_and_kept_tokens_are_the_library_s(copies, library, checkpoint, kind):
    tokens = tokeniser(copies(checkpoint))
    for one in golden(library, checkpoint, kind):
        same = encoded(tokens, library, kind, one.text) == (one.ids, one.attention, one.kept)
        # A deviation that is gone is as wrong as one that was not meant.
        assert same != deviates(library, checkpoint, kind, one, tokens), one.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(next_plaid.DIRECTORIES))
def test_ids_and_masks_of_an_export_are_next_plaid_s(tmp_path, name, kind):
    """Its rules restated, see `next_plaid.py`. Where the file says that masks are not attended to, Weft does as it says."""
    tokens = tokeniser(next_plaid.export(name, tmp_path / name))
    for one in golden("next-plaid-onnx", name, kind, "vocabularies"):
        assert encoded(tokens, "next-plaid-onnx", kind, one.text) == (one.ids, one.attention, one.kept), (
            one.text
        )


@pytest.fixture
def real(tmp_path: Path) -> Tokeniser:
    """ColBERTv2's settings over BERT's own vocabulary, which the default model has."""
    model = pytest.importorskip("weft_model").path()
    for name in ("tokenizer.json", "config.json"):
        shutil.copyfile(Path(model) / name, tmp_path / name)
    (tmp_path / "artifact.metadata").write_text(json.dumps({"query_maxlen": 32, "doc_maxlen": 220}))
    return tokeniser(tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_masks_in_bert_s_own_vocabulary_are_colbert_ai_s(real, kind):
    for one in golden("colbert-ai", "bert-base-uncased", kind, "vocabularies"):
        assert encoded(real, "colbert-ai", kind, one.text) == (one.ids, one.attention, one.kept), one.text


@pytest.mark.model
def test_the_vector_of_colbert_ai_s_own_test(real):
    """`colbert/tests/tokenizers_test.py`."""
    ids, attention, kept = encoded(real, "colbert-ai", "query", "what color is amber urine")
    assert ids == [101, 1, 2054, 3609, 2003, 8994, 17996, 102, *[103] * 24]
    assert attention == [1] * 8 + [0] * 24
    assert kept == list(range(32))
