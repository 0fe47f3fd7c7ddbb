"""Weft's encoder against the libraries that the checkpoints come from: the same ids, masks and kept tokens, and vectors within 1e-4.

The golden files were made by the libraries themselves (`tests/reference/encoders`) on small checkpoints with random weights, which lie in
`tests/reference/checkpoints`. Their texts are cut as the libraries cut them, which Weft does on request only: `truncate=True`.
"""

from __future__ import annotations

import json
import shutil
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from weft import Encoder
from weft.encoder.checkpoint import read_layout
from weft.encoder.checkpoint.vocabulary import open_vocabulary
from weft.encoder.tokenise import Tokeniser
from weft.errors import InvalidInput

sys.path.append(str(Path(__file__).parents[1] / "reference" / "encoders"))

import checkpoints
import encoder_golden
import next_plaid
from deviations import KINDS, cuts, deviates

TOLERANCE = 1e-4
GOLDENS = encoder_golden.names()


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    @cache
    def copy(name: str) -> Path:
        return checkpoints.copy(name, tmp_path_factory.mktemp("checkpoint") / name)

    return copy


def tokeniser(directory: Path) -> Tokeniser:
    """The part of an encoder that needs no network: some of the directories below have none."""
    layout = read_layout(directory)
    return Tokeniser(open_vocabulary((layout.modules.transformer, directory)), layout.settings)


def encoded(
    tokens: Tokeniser, library: str, kind: str, text: str
) -> tuple[list[int], list[int], list[int]] | None:
    """Return ids, attention and kept places, None when the text is refused."""
    rows = tokens.queries if kind == "query" else tokens.documents
    try:
        (row,) = rows([text], truncate=cuts(library, kind))
    except InvalidInput:
        return None
    attended = len(row.ids) if kind == "query" and tokens.settings.attend_to_expansion else row.real
    return row.ids, [int(place < attended) for place in range(len(row.ids))], tokens.kept(row.ids, kind)


def check_vectors(encoder: Encoder, library: str, checkpoint: str, kind: str) -> None:
    """Hold vectors against a golden file."""
    wanted = [
        one
        for one in encoder_golden.read(library, checkpoint, kind)
        if not deviates(library, checkpoint, kind, one, encoder._tokeniser)
    ]
    encode = encoder.encode_query if kind == "query" else encoder.encode_document
    found = encode([one.text for one in wanted], truncate=cuts(library, kind))
    for one, matrix in zip(wanted, found, strict=True):
        assert matrix.shape == one.vectors.shape, one.text
        assert np.abs(matrix - one.vectors).max(initial=0) <= TOLERANCE, one.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("library", "checkpoint"), GOLDENS)
def test_ids_masks_and_kept_tokens_are_the_library_s(copies, library, checkpoint, kind):
    tokens = tokeniser(copies(checkpoint))
    for one in encoder_golden.read(library, checkpoint, kind):
        same = encoded(tokens, library, kind, one.text) == (one.ids, one.attention, one.kept)
        # A deviation that is gone is as wrong as one that was not meant.
        assert same != deviates(library, checkpoint, kind, one, tokens), one.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("library", "checkpoint"), GOLDENS)
def test_vectors_are_the_library_s(copies, library, checkpoint, kind):
    check_vectors(Encoder.open(copies(checkpoint), threads=1), library, checkpoint, kind)


@pytest.mark.parametrize("library", ["colbert-ai", "fastembed"])
@pytest.mark.parametrize("name", ["model.onnx", "vespa_colbert.onnx"])
def test_vectors_of_an_exported_graph_are_the_library_s(tmp_path, name, library):
    """The graph beside the small files alone, under the names it has on the hub: no weights are read."""
    directory = checkpoints.copy("stanford", tmp_path / "exported")
    (directory / "model.safetensors").unlink()
    shutil.copyfile(checkpoints.ROOT / "golden" / "optimum" / "stanford.onnx", directory / name)
    encoder = Encoder.open(directory, threads=1)
    for kind in KINDS:
        check_vectors(encoder, library, "stanford", kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(next_plaid.DIRECTORIES))
def test_ids_and_masks_of_an_export_are_next_plaid_s(tmp_path, name, kind):
    """Its rules restated, see `next_plaid.py`. Where the file says that masks are not attended to, Weft does as it says."""
    tokens = tokeniser(next_plaid.export(name, tmp_path / name))
    for one in encoder_golden.read("next-plaid-onnx", name, kind, "vocabularies"):
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
    for one in encoder_golden.read("colbert-ai", "bert-base-uncased", kind, "vocabularies"):
        assert encoded(real, "colbert-ai", kind, one.text) == (one.ids, one.attention, one.kept), one.text


@pytest.mark.model
def test_the_vector_of_colbert_ai_s_own_test(real):
    """`colbert/tests/tokenizers_test.py`."""
    ids, attention, kept = encoded(real, "colbert-ai", "query", "what color is amber urine")
    assert ids == [101, 1, 2054, 3609, 2003, 8994, 17996, 102, *[103] * 24]
    assert attention == [1] * 8 + [0] * 24
    assert kept == list(range(32))
