"""Each layout's settings, its own defaults, and the errors that name the file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from weft.encoder.settings import PUNCTUATION, read_settings
from weft.errors import ModelError, WeftError

if TYPE_CHECKING:
    from pathlib import Path


def put(directory: Path, name: str, content: object) -> None:
    (directory / name).write_text(json.dumps(content), encoding="utf-8")


def test_pylate_defaults_are_pylates(tmp_path):
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT"})
    settings = read_settings(tmp_path)
    assert (settings.query_marker, settings.document_marker) == ("[Q] ", "[D] ")
    assert (settings.query_length, settings.document_length) == (32, 180)
    assert settings.expand_queries
    assert not settings.attend_to_expansion
    assert settings.skiplist == PUNCTUATION
    assert len(PUNCTUATION) == 32


def test_stanford_metadata_flat_and_nested_say_the_same(tmp_path):
    flat = {"query_maxlen": 24, "doc_maxlen": 200, "attend_to_mask_tokens": True, "unknown": 1}
    put(tmp_path, "artifact.metadata", flat)
    first = read_settings(tmp_path)
    put(tmp_path, "artifact.metadata", {"config": flat})
    assert read_settings(tmp_path) == first
    assert (first.query_marker, first.query_length, first.document_length) == ("[unused0]", 24, 200)
    assert first.attend_to_expansion


def test_stanford_without_masked_punctuation_has_no_skiplist(tmp_path):
    put(tmp_path, "artifact.metadata", {"mask_punctuation": False})
    assert read_settings(tmp_path).skiplist == ()


def test_a_model_for_another_way_of_scoring_is_refused(tmp_path):
    put(tmp_path, "artifact.metadata", {"interaction": "flipr"})
    with pytest.raises(ModelError, match="interaction is 'flipr', and Weft ranks by MaxSim"):
        read_settings(tmp_path)


def test_next_plaid_gives_way_to_pylate_because_its_exporter_misstates_expansion(tmp_path):
    put(tmp_path, "onnx_config.json", {"do_query_expansion": False, "query_length": 40})
    assert read_settings(tmp_path).query_length == 40
    assert not read_settings(tmp_path).expand_queries
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT"})
    assert read_settings(tmp_path).expand_queries


def test_attention_on_masks_means_nothing_without_masks(tmp_path):
    content = {"model_type": "ColBERT", "do_query_expansion": False, "attend_to_expansion_tokens": True}
    put(tmp_path, "config_sentence_transformers.json", content)
    assert not read_settings(tmp_path).attend_to_expansion


def test_positions_of_roberta_begin_after_the_padding_index(tmp_path):
    put(tmp_path, "artifact.metadata", {})
    put(tmp_path, "config.json", {"model_type": "xlm-roberta", "max_position_embeddings": 514})
    assert read_settings(tmp_path).max_length == 512


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"query_length": "32"}, "query_length is '32', expected int"),
        ({"query_length": True}, "query_length is True, expected int"),
        ({"document_length": 100_000}, "document_length is 100000"),
        ({"query_length": 0}, "query_length is 0"),
        ({"skiplist_words": [1]}, "skiplist_words"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(tmp_path, content, said):
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT", **content})
    with pytest.raises(ModelError, match="config_sentence_transformers") as caught:
        read_settings(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config_sentence_transformers.json", '{"model_type": "ColBERT", "query_prefix": "\\ud800"}'),
        ("config_sentence_transformers.json", '{"model_type": "ColBERT", "prompts": {"query": "\\ud800"}}'),
        ("modules.json", '[{"type": "models.Transformer", "path": "\\ud800"}]'),
    ],
)
def test_half_a_surrogate_pair_is_no_text(tmp_path, name, text):
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT"})
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=f"{name}: holds half a surrogate pair"):
        read_settings(tmp_path)


def test_a_zero_byte_in_a_path_is_refused(tmp_path):
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT"})
    put(tmp_path, "modules.json", [{"type": "models.Transformer", "path": "\0"}])
    with pytest.raises(ModelError, match=r"modules\.json: the module 'Transformer' has a zero byte"):
        read_settings(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "config_sentence_transformers.json", "artifact.metadata"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelError, match=f"{name}: is a pipe or a device"):
        read_settings(tmp_path)


def test_a_device_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "artifact.metadata").symlink_to("/dev/zero")
    with pytest.raises(ModelError, match=r"artifact\.metadata: is a pipe or a device"):
        read_settings(tmp_path)


def test_a_long_wrong_value_is_shown_in_part(tmp_path):
    put(tmp_path, "config_sentence_transformers.json", {"model_type": "ColBERT", "query_length": "9" * 10**6})
    with pytest.raises(ModelError, match="query_length is '999") as caught:
        read_settings(tmp_path)
    assert len(str(caught.value)) < 1000


def test_an_ordinary_sentence_transformer_is_refused(tmp_path):
    put(tmp_path, "config_sentence_transformers.json", {"__version__": {}})
    with pytest.raises(ModelError, match="not a late-interaction model"):
        read_settings(tmp_path)


def test_broken_json_is_named(tmp_path):
    (tmp_path / "artifact.metadata").write_text("{", encoding="utf-8")
    with pytest.raises(WeftError, match="cannot be read as JSON"):
        read_settings(tmp_path)
