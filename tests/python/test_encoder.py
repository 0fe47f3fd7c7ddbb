"""The encoder on a toy model whose vectors can be computed by hand."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft.encoder import Encoder, passage_text
from weft.errors import InvalidInput, ModelError, ModelNotFound

_TOY = Path(__file__).parents[1] / "data" / "encoder" / "make_toy.py"
_spec = importlib.util.spec_from_file_location("make_toy", _TOY)
toy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toy)

ID = {word: number for number, word in enumerate(toy.WORDS)}
QUERY = "what color is amber urine"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return toy.make(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="module")
def encoder(directory):
    return Encoder.open(directory, threads=1)


def by_hand(words: list[str], attended: int) -> np.ndarray:
    """The toy network's vectors of a row of tokens, of which the first `attended` may be attended to."""
    table, places = toy.tables()
    tokens = table[[ID[word] for word in words]] + places[: len(words)]
    vectors = tokens + toy.MIXED * tokens[:attended].mean(axis=0)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_query_is_marked_filled_with_masks_and_masks_are_not_attended_to(encoder):
    words = ["[CLS]", "[unused0]", *QUERY.split(), "[SEP]"]
    (vectors,) = encoder.encode_query(QUERY)
    assert vectors.dtype == np.float32
    expected = by_hand(words + ["[MASK]"] * 4, attended=8)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_masks_are_attended_to_when_the_model_says_so(tmp_path):
    encoder = Encoder.open(toy.make(tmp_path, attend=True), threads=1)
    words = ["[CLS]", "[unused0]", *QUERY.split(), "[SEP]"] + ["[MASK]"] * 4
    np.testing.assert_allclose(encoder.encode_query(QUERY)[0], by_hand(words, attended=12), atol=1e-6)


def test_without_expansion_a_query_has_its_own_tokens_only(tmp_path):
    encoder = Encoder.open(toy.make(tmp_path, expand=False, markers=False), threads=1)
    words = ["[CLS]", *QUERY.split(), "[SEP]"]
    np.testing.assert_allclose(encoder.encode_query(QUERY)[0], by_hand(words, attended=7), atol=1e-6)


def test_a_passage_drops_punctuation_from_the_result_and_not_from_attention(encoder):
    words = ["[CLS]", "[unused1]", "hello", ",", "world", "!", "[SEP]"]
    (vectors,) = encoder.encode_document("Hello, world!")
    np.testing.assert_allclose(vectors, by_hand(words, attended=7)[[0, 1, 2, 4, 6]], atol=1e-6)


@pytest.mark.parametrize("text", ["", "  ", "...", "?!"])
def test_a_text_without_words_keeps_its_three_special_tokens(encoder, text):
    assert encoder.encode_document(text)[0].shape == (3, toy.DIM)


def test_unknown_characters_of_the_skiplist_do_not_drop_unknown_words(encoder):
    """The toy vocabulary lacks most punctuation: `;` is [UNK] there, and so is `zebra`."""
    assert [token.kept for token in encoder.tokens("zebra.")] == [True, True, True, False, True]


def test_a_literal_marker_in_a_text_is_text(encoder):
    assert "[unused1]" not in [token.text for token in encoder.tokens("[unused1] sea")[2:]]


def test_a_query_longer_than_query_length_keeps_every_token(encoder):
    long = "the wind and the sea and the sail in the wind"
    assert len(encoder.encode_query(long)[0]) == len(long.split()) + 3
    assert len(encoder.encode_query("sea " * 61)[0]) == 64
    with pytest.raises(InvalidInput, match=r"texts\[1\] is a query of 65 tokens .* at most 64"):
        encoder.encode_query(["sea", "sea " * 62])
    assert len(encoder.encode_query("sea " * 62, truncate=True)[0]) == 12


def test_a_passage_that_is_too_long_is_named_with_its_number(encoder):
    texts = ["sea"] * 200 + ["sea " * 18]
    with pytest.raises(InvalidInput, match=r"texts\[200\] has 21 tokens and the model reads 20"):
        encoder.encode_document(texts)
    cut = encoder.encode_document("sea " * 18, truncate=True)[0]
    expected = by_hand(["[CLS]", "[unused1]", *["sea"] * 17, "[SEP]"], attended=20)
    np.testing.assert_allclose(cut, expected, atol=1e-6)


SAFE_WORDS = [word for word in toy.WORDS[7:] if word != "##s"]
TEXTS = st.lists(st.sampled_from(SAFE_WORDS), max_size=16).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXTS, max_size=40), size=st.integers(1, 5))
def test_a_text_has_the_same_vectors_in_any_company_and_the_order_is_kept(encoder, texts, size):
    together = list(encoder.iter_documents(iter(texts), batch_size=size))
    assert len(together) == len(texts)
    for text, vectors in zip(texts, together, strict=True):
        np.testing.assert_allclose(vectors, encoder.encode_document(text)[0], atol=1e-5)


@given(texts=st.lists(TEXTS, max_size=12))
@settings(max_examples=20, deadline=None)
def test_queries_too(encoder, texts):
    for text, vectors in zip(texts, encoder.encode_query(texts), strict=True):
        np.testing.assert_allclose(vectors, encoder.encode_query(text)[0], atol=1e-5)


def test_streaming_reads_no_further_than_its_window(encoder):
    read = 0

    def texts():
        nonlocal read
        for _ in range(10_000):
            read += 1
            yield "the sea"

    next(encoder.iter_documents(texts(), batch_size=2))
    assert read == 32


def test_progress_counts_to_the_end(encoder):
    seen: list[tuple[int, int]] = []
    encoder.encode_document(["sea"] * 3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.sampled_from([*toy.WORDS[13:], "sea.", "wind!", "zebra"]), min_size=1, max_size=90),
    title=st.sampled_from([None, "amber", "the sea and the wind"]),
)
def test_every_piece_fits_with_the_title(encoder, words, title):
    text = " ".join(words)
    spans = encoder.split(text, title=title)
    pieces = [text[start:end] for start, end in spans]
    assert " ".join(pieces).split() == words
    encoder.encode_document([passage_text(title, piece) for piece in pieces])


def test_a_text_that_fits_is_one_span(encoder):
    assert encoder.split(" the sea ") == [(0, 9)]
    assert encoder.split("") == [(0, 0)]


def test_a_title_without_room_for_text_is_refused(encoder):
    with pytest.raises(InvalidInput, match="the title alone has 23 tokens"):
        encoder.split("wind", title="sea " * 20)


def test_tokens_name_the_rows(encoder):
    tokens = encoder.tokens("Hello, urines")
    assert [token.text for token in tokens] == [
        "[CLS]", "[unused1]", "hello", ",", "urine", "##s", "[SEP]"
    ]  # fmt: skip
    assert [(token.start, token.end) for token in tokens[2:6]] == [(0, 5), (5, 6), (7, 12), (12, 13)]
    assert tokens[0].start is None
    assert sum(token.kept for token in tokens) == len(encoder.encode_document("Hello, urines")[0])
    asked = encoder.tokens("sea", "query")
    assert [token.text for token in asked[4:]] == ["[MASK]"] * 8
    assert len(asked) == len(encoder.encode_query("sea")[0])
    with pytest.raises(InvalidInput, match="kind is 'passage'"):
        encoder.tokens("sea", "passage")


@pytest.mark.parametrize("bad", [None, 3, b"sea"])
def test_what_is_not_text_is_named(encoder, bad):
    with pytest.raises(InvalidInput, match=rf"texts\[1\] is a {type(bad).__name__}"):
        encoder.encode_document(["sea", bad])


def test_half_a_surrogate_pair_is_named(encoder):
    with pytest.raises(InvalidInput, match=r"texts\[1\] is not valid Unicode"):
        encoder.encode_query(["sea", "\ud800"])


def test_the_fingerprint_follows_every_file_and_not_the_place(directory, encoder, tmp_path):
    twin = toy.make(tmp_path / "elsewhere")
    assert Encoder.open(twin).fingerprint == encoder.fingerprint
    path = twin / "config_sentence_transformers.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "document_length": 19}), encoding="utf-8")
    assert Encoder.open(twin).fingerprint != encoder.fingerprint


def test_description(encoder):
    known = encoder.describe()
    assert known == {"name": "toy", "dim": toy.DIM, "fingerprint": encoder.fingerprint}
    assert json.loads(json.dumps(known)) == known


def test_an_int8_graph_is_preferred_and_another_can_be_asked_for(tmp_path):
    directory = toy.make(tmp_path)
    (directory / "model_int8.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelError, match=r"model_int8\.onnx: onnxruntime cannot open it"):
        Encoder.open(directory)
    assert Encoder.open(directory, model_file="model.onnx").dim == toy.DIM


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path, missing):
    directory = toy.make(tmp_path)
    (directory / missing).unlink()
    with pytest.raises(ModelNotFound, match="no ONNX graph" if missing == "model.onnx" else missing):
        Encoder.open(directory)


def test_a_marker_outside_the_vocabulary_is_named(tmp_path):
    directory = toy.make(tmp_path)
    path = directory / "config_sentence_transformers.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "query_prefix": "[Q] "}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"marker '\[Q\] ' is not in the vocabulary"):
        Encoder.open(directory)


def test_an_unknown_provider_is_refused(directory):
    with pytest.raises(ModelError, match="NoSuchExecutionProvider"):
        Encoder.open(directory, providers=["NoSuchExecutionProvider"])


def test_importing_the_encoder_imports_no_runtime():
    code = (
        "import sys, weft.encoder; print({'onnxruntime', 'tokenizers', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
