"""The default model as it is installed: ids, vectors, independence of batch and threads, size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weft.encoder import Encoder
from weft.encoder.checkpoint.vocabulary import open_vocabulary

weft_model = pytest.importorskip("weft_model")
pytestmark = pytest.mark.model

PASSAGES = [
    "The color of urine ranges from pale yellow to deep amber.",
    "Wind turbines turn the kinetic energy of wind into electrical energy.",
    "",
    "In 1858 the Virgin Mary reputedly appeared to Saint Bernadette Soubirous at Lourdes, France. " * 8,
    "A seismometer detects the waves of an earthquake.",
]


@pytest.fixture(scope="module")
def encoder():
    return Encoder.open(threads=1)


def test_ids_are_those_of_the_reference(encoder):
    """`what color is amber urine` in the vocabulary of bert-base-uncased."""
    (row,) = encoder._tokeniser.queries(["what color is amber urine"], truncate=False)
    assert [id_ for id_ in row.ids if id_ >= 1000] == [2054, 3609, 2003, 8994, 17996]
    assert row.ids[0] == 101
    assert row.ids[row.real - 1] == 102


def test_the_skiplist_is_the_32_characters(encoder):
    expected = {*range(999, 1014), *range(1024, 1037), *range(1063, 1067)}
    assert encoder._tokeniser.skiplist == expected


def test_vectors_have_length_one(encoder):
    for vectors in (*encoder.encode_document(PASSAGES), *encoder.encode_query(PASSAGES[:2])):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == encoder.dim
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_the_right_passage_scores_best(encoder):
    passages = encoder.encode_document(PASSAGES)
    for query, expected in [("what color is amber urine", 0), ("how do we measure earthquakes?", 4)]:
        asked = encoder.encode_query(query)[0]
        assert np.argmax([(asked @ passage.T).max(axis=1).sum() for passage in passages]) == expected


def test_company_and_threads_change_nothing(encoder):
    """Activations are quantised token by token: what shares the batch must not show."""
    together = encoder.encode_document(PASSAGES)
    other = Encoder.open(threads=2, batch_size=2).encode_document(PASSAGES)
    for text, first, second in zip(PASSAGES, together, other, strict=True):
        np.testing.assert_allclose(first, encoder.encode_document(text)[0], atol=1e-4)
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_the_package_stays_small():
    assert sum(path.stat().st_size for path in weft_model.path().iterdir()) <= 25_000_000


def test_an_index_can_remember_it(encoder):
    assert encoder.describe()["path"] == "default"


@pytest.fixture(scope="module")
def word_list(tmp_path_factory):
    """BERT's real vocabulary as old checkpoints have it, beside the tokenizer of new ones."""
    from tokenizers import Tokenizer

    path = weft_model.path() / "tokenizer.json"
    words = sorted(Tokenizer.from_file(str(path)).get_vocab().items(), key=lambda item: item[1])
    folder = tmp_path_factory.mktemp("words")
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word, _ in words), encoding="utf-8")
    return open_vocabulary([folder]).tokenizer, open_vocabulary([path.parent]).tokenizer


def test_the_list_of_words_alone_gives_the_same_tokens(word_list):
    from weft.inputs import Documents
    from weft.sample import passages_file

    with passages_file() as file:
        texts = [record.text for record in Documents([str(file)])][:300]
    odd = [
        "Ünïcödé ŞİIıß",
        "漢字かな交じり文",
        "a\u200bb\ufffd\x00c",
        "don't—stop…",
        "[MASK] [unused0] [SEP]",
        "١٢٣ 𝟙𝟚",
        "",
    ]
    made, shipped = word_list
    for text in [*texts, *odd]:
        assert made.encode(text).ids == shipped.encode(text).ids


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=40))
def test_so_it_does_for_any_text(word_list, text):
    made, shipped = word_list
    assert made.encode(text).ids == shipped.encode(text).ids
