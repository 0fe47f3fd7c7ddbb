"""Checkpoints of every layout opened from their weights: the ids are those written by hand, the vectors those of
the same network in plain numpy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from plain_forward import vectors
from weft.encoder import Encoder
from weft.errors import ModelError, ModelNotFound

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "encoder"))
import make_checkpoint as make
from make_toy import WORDS

ID = {word: number for number, word in enumerate(WORDS)}
METADATA = {"query_maxlen": 12, "doc_maxlen": 30}
LENGTHS = {"query_length": 12, "document_length": 30}
QUERY = "what color is amber"
PASSAGE = "hello, world! the sea"


def ids(*words: str) -> list[int]:
    return [ID[word] for word in words]


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-6)


QUERY_IDS = ids("[CLS]", "[unused0]", *QUERY.split(), "[SEP]", *["[MASK]"] * 5)
PASSAGE_IDS = ids("[CLS]", "[unused1]", "hello", ",", "world", "!", "the", "sea", "[SEP]")
KEPT = [0, 1, 2, 4, 6, 7, 8]


@pytest.mark.parametrize("metadata", [METADATA, {"config": METADATA, "meta": {"version": "colbert-v0.4"}}])
def test_stanford_from_its_weights(tmp_path, metadata):
    made = make.stanford(tmp_path / "model", metadata=metadata)
    encoder = Encoder.open(made.directory, threads=1)
    assert encoder.dim == make.DIM
    close(encoder.encode_query(QUERY)[0], vectors(made, QUERY_IDS, attended=7))
    close(encoder.encode_document(PASSAGE)[0], vectors(made, PASSAGE_IDS)[KEPT])


def test_stanford_without_metadata_is_told_by_its_architecture(tmp_path):
    made = make.stanford(tmp_path / "model", config={**make.BERT, "max_position_embeddings": 256})
    settings = Encoder.open(made.directory, threads=1).settings
    assert (settings.query_marker, settings.query_length, settings.document_length) == ("[unused0]", 32, 220)


def test_pylate_s_settings_over_colbert_ai_s_weights(tmp_path):
    """PyLate opens them so too: its own settings, and the projection that lies with the backbone."""
    made = make.stanford(tmp_path / "model", metadata=METADATA)
    settings = {"model_type": "ColBERT", "query_prefix": "[unused0]", "document_prefix": "[unused1]"}
    lengths = {"query_length": 14, "document_length": 30}
    make.write_json(made.directory / "config_sentence_transformers.json", {**settings, **lengths})
    row = ids("[CLS]", "[unused0]", *QUERY.split(), "[SEP]", *["[MASK]"] * 7)
    close(Encoder.open(made.directory, threads=1).encode_query(QUERY)[0], vectors(made, row, attended=7))


def test_stanford_attends_to_masks_when_the_model_was_trained_so(tmp_path):
    made = make.stanford(tmp_path / "model", metadata={**METADATA, "attend_to_mask_tokens": True})
    (found,) = Encoder.open(made.directory, threads=1).encode_query(QUERY)
    close(found, vectors(made, QUERY_IDS, attended=12))


def test_a_list_of_words_makes_the_tokenizer(tmp_path):
    made = make.stanford(tmp_path / "model", metadata=METADATA, vocabulary=True)
    encoder = Encoder.open(made.directory, threads=1)
    assert not (made.directory / "tokenizer.json").exists()
    close(encoder.encode_query(QUERY)[0], vectors(made, QUERY_IDS, attended=7))
    close(encoder.encode_document(PASSAGE.title())[0], vectors(made, PASSAGE_IDS)[KEPT])
    cased = json.dumps({"do_lower_case": False})
    (made.directory / "tokenizer_config.json").write_text(cased, encoding="utf-8")
    other = Encoder.open(made.directory, threads=1)
    assert [token.text for token in other.tokens("Sea")][2] == "[UNK]"
    assert other.fingerprint != encoder.fingerprint


def test_tokens_added_behind_the_list_of_words_keep_their_ids(tmp_path):
    made = make.pylate(tmp_path / "model", config=make.BERT, **LENGTHS)
    (made.directory / "tokenizer.json").unlink()
    (made.directory / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    added = {"[D] ": len(WORDS) + 1, "[Q] ": len(WORDS)}
    (made.directory / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")
    row = [ID["[CLS]"], len(WORDS) + 1, ID["sea"], ID["[SEP]"]]
    close(Encoder.open(made.directory, threads=1).encode_document("sea")[0], vectors(made, row))
    (made.directory / "added_tokens.json").write_text(json.dumps({"[D] ": 70}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"the added token '\[D\] ' has no place at 70"):
        Encoder.open(made.directory)


def test_a_padding_token_in_a_text_is_padding_for_colbert_ai(tmp_path):
    made = make.stanford(tmp_path / "model", metadata=METADATA)
    encoder = Encoder.open(made.directory, threads=1)
    row = ids("[CLS]", "[unused1]", "sea", "[PAD]", "wind", "[SEP]")
    close(encoder.encode_document("sea [PAD] wind")[0], vectors(made, row)[[0, 1, 2, 4, 5]])
    row = ids("[CLS]", "[unused0]", "sea", "[MASK]", "wind", "[SEP]", *["[MASK]"] * 6)
    close(encoder.encode_query("sea [PAD] wind")[0], vectors(made, row, attended=6))


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_narrow_weights_are_widened(tmp_path, kind):
    made = make.stanford(tmp_path / "model", metadata=METADATA, kind=kind)
    encoder = Encoder.open(made.directory, threads=1)
    for name, value in made.tensors.items():
        made.tensors[name] = narrowed(value, kind)
    made.dense[0].weight = narrowed(made.dense[0].weight, kind)
    close(encoder.encode_query(QUERY)[0], vectors(made, QUERY_IDS, attended=7))


def narrowed(value: np.ndarray, kind: str) -> np.ndarray:
    if kind == "F16":
        return value.astype(np.float16)
    return (value.view(np.uint32) & 0xFFFF0000).view(np.float32) if value.dtype == np.float32 else value


def test_weights_in_several_files(tmp_path):
    made = make.stanford(tmp_path / "model", metadata=METADATA)
    whole = Encoder.open(made.directory, threads=1).encode_query(QUERY)[0]
    (made.directory / "model.safetensors").unlink()
    stored = {
        **{f"bert.{name}": value for name, value in made.tensors.items()},
        "linear.weight": made.dense[0].weight,
    }
    names = sorted(stored)
    shards = {}
    for number, part in enumerate((names[:20], names[20:]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        make.write_safetensors(made.directory / file, {name: stored[name] for name in part})
        shards |= dict.fromkeys(part, file)
    make.write_json(made.directory / "model.safetensors.index.json", {"weight_map": shards})
    encoder = Encoder.open(made.directory, threads=1)
    np.testing.assert_array_equal(encoder.encode_query(QUERY)[0], whole)
    for wrong in ("../model-00002-of-00002.safetensors", 3, ["x"]):
        make.write_json(
            made.directory / "model.safetensors.index.json",
            {"weight_map": {**shards, "linear.weight": wrong}},
        )
        with pytest.raises(ModelError, match="is no file beside it"):
            Encoder.open(made.directory)
    make.write_json(made.directory / "model.safetensors.index.json", {"weight_map": shards})
    (made.directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelNotFound, match=r"model-00002-of-00002\.safetensors: no such file"):
        Encoder.open(made.directory)


CONFIGS = {
    "bert": make.BERT,
    "gelu by tanh": {**make.BERT, "hidden_act": "gelu_new", "layer_norm_eps": 1e-3},
    "relu": {**make.BERT, "hidden_act": "relu"},
    "silu": {**make.BERT, "hidden_act": "silu"},
    "xlm-roberta": make.XLM_R,
    "distilbert": make.DISTILBERT,
    "modernbert": make.MODERNBERT,
    "modernbert, every second layer": {
        **make.MODERNBERT,
        "global_attn_every_n_layers": 2,
        "local_rope_theta": 500.0,
    },
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_backbone_is_the_one_in_plain_numpy(tmp_path, config):
    made = make.pylate(tmp_path / "model", config=config, **LENGTHS)
    encoder = Encoder.open(made.directory, threads=1)
    texts = ["sea", "the sea and the wind", "what is the wind. and the sea!"]
    for kind, encoded in (
        ("query", encoder.encode_query(texts, truncate=True)),
        ("document", encoder.encode_document(texts, truncate=True)),
    ):
        rows = getattr(encoder._tokeniser, {"query": "queries", "document": "documents"}[kind])(
            texts, truncate=True
        )
        for row, found in zip(rows, encoded, strict=True):
            close(found, vectors(made, row.ids, row.real)[encoder._tokeniser.kept(row.ids, kind)])


def test_a_modernbert_with_biases(tmp_path):
    made = make.pylate(tmp_path / "model", biases=True, **LENGTHS)
    encoder = Encoder.open(made.directory, threads=1)
    (row,) = encoder._tokeniser.documents(["sea wind"], truncate=False)
    close(encoder.encode_document("sea wind")[0], vectors(made, row.ids))


def test_a_modernbert_as_transformers_5_describes_it(tmp_path):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    before = Encoder.open(made.directory, threads=1).encode_query("sea")[0]
    kinds = ["sliding_attention" if i % 3 else "full_attention" for i in range(5)]
    rope = {
        "full_attention": {"rope_type": "default", "rope_theta": 160000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }
    gone = ("global_attn_every_n_layers", "global_rope_theta", "local_rope_theta")
    config = {key: value for key, value in made.config.items() if key not in gone}
    make.write_json(made.directory / "config.json", {**config, "layer_types": kinds, "rope_parameters": rope})
    np.testing.assert_array_equal(Encoder.open(made.directory, threads=1).encode_query("sea")[0], before)
    rope["full_attention"]["rope_type"] = "yarn"
    make.write_json(made.directory / "config.json", {**config, "layer_types": kinds, "rope_parameters": rope})
    with pytest.raises(ModelError, match="rope_type is 'yarn'"):
        Encoder.open(made.directory)


def test_positions_of_roberta_skip_padding_within_a_text(tmp_path):
    made = make.pylate(tmp_path / "model", config=make.XLM_R, **LENGTHS)
    encoder = Encoder.open(made.directory, threads=1)
    (row,) = encoder._tokeniser.documents(["the sea<pad> wind"], truncate=False)
    assert make.XLM_R["pad_token_id"] in row.ids[2:-1]
    close(encoder.encode_document("the sea<pad> wind")[0], vectors(made, row.ids))


TANH = "torch.nn.modules.activation.Tanh"


@pytest.mark.parametrize(
    "dense",
    [
        [make.random_layer(1, 32, 24, bias=True, activation=TANH)],
        [make.random_layer(1, 32, 48, residual=True), make.random_layer(2, 48, 8)],
        [
            make.random_layer(
                1, 32, 32, bias=True, residual=True, activation="torch.nn.modules.activation.GELU"
            )
        ],
        [
            make.random_layer(1, 32, 64, activation="torch.nn.modules.activation.ReLU"),
            make.random_layer(2, 64, 40),
        ],
        [make.random_layer(1, 32, 16, activation="torch.nn.modules.activation.Sigmoid", residual=True)],
        [make.random_layer(1, 32, 16, activation="torch.nn.modules.activation.SiLU")],
    ],
    ids=[
        "bias, tanh",
        "residual, two layers",
        "square residual, gelu",
        "relu, two layers",
        "sigmoid",
        "silu",
    ],
)
@pytest.mark.parametrize("folder", ["", "0_Transformer"])
def test_dense_layers_with_bias_activation_and_residual(tmp_path, dense, folder):
    made = make.pylate(tmp_path / "model", dense=dense, folder=folder, pooling=True, **LENGTHS)
    encoder = Encoder.open(made.directory, threads=1)
    assert encoder.dim == dense[-1].weight.shape[0]
    (row,) = encoder._tokeniser.documents(["sea wind"], truncate=False)
    close(encoder.encode_document("sea wind")[0], vectors(made, row.ids))


def test_pylate_strips_texts_and_puts_marker_before_prompt(tmp_path):
    prompts = {"query": "search_query: ", "document": ""}
    made = make.pylate(tmp_path / "model", prompts=prompts, query_length=30, document_length=30)
    encoder = Encoder.open(made.directory, threads=1)
    texts = [token.text for token in encoder.tokens("  sea \n", "query")]
    assert texts[:2] == ["[CLS]", "[Q] "]
    assert "".join(texts[2 : texts.index("[SEP]")]) == "search_query:ĠĠĠsea"
    assert [token.text for token in encoder.tokens("  sea \n")] == ["[CLS]", "[D] ", "sea", "[SEP]"]
    assert [(token.start, token.end) for token in encoder.tokens("  sea \n")][2] == (2, 5)


def test_lowered_texts_keep_their_places(tmp_path):
    """The capital I with a dot becomes two characters when it is lowered."""
    made = make.pylate(tmp_path / "model", **LENGTHS)
    make.write_json(made.directory / "sentence_bert_config.json", {"do_lower_case": True})
    text = "İSEA,wİ"
    tokens = Encoder.open(made.directory, threads=1).tokens(text)[2:-1]
    found = {token.text: text[token.start : token.end] for token in tokens}
    assert found["sea"] == "SEA"
    assert found["w"] == "w"
    assert found["i"] == "İ"
    assert Encoder.open(made.directory, threads=1).split(text) == [(0, len(text))]


def test_a_marker_in_a_text_is_the_marker_where_the_tokenizer_has_it(tmp_path):
    """PyLate adds its markers to the tokenizer, so that they are found in texts too."""
    made = make.pylate(tmp_path / "model", **LENGTHS)
    tokens = Encoder.open(made.directory, threads=1).tokens("a[Q] b")
    assert [token.text for token in tokens] == ["[CLS]", "[D] ", "a", "[Q] ", "b", "[SEP]"]


def test_the_skiplist_is_looked_up_as_each_library_does(tmp_path):
    """`x` has a vocabulary entry; colbert-ai takes the first token, which is the blank before it in XLM-R's way."""
    made = make.pylate(tmp_path / "pylate", config=make.XLM_R, skiplist_words=[".", "!", "&"], **LENGTHS)
    tokeniser = Encoder.open(made.directory, threads=1)._tokeniser
    words = {word: number for number, word in enumerate(make.ROBERTA_WORDS)}
    assert tokeniser.skiplist == {words["."], words["!"]}
    markers = {"query_token_id": "<mask>", "doc_token_id": "<pad>"}
    made = make.stanford(
        tmp_path / "stanford", config=make.XLM_R, prefix="roberta.", metadata={**METADATA, **markers}
    )
    tokeniser = Encoder.open(made.directory, threads=1)._tokeniser
    assert tokeniser.skiplist == {words["▁"]}


def expansion(**options):
    return {"query_expansion": {"strategy": "fixed", "attend": False, "token": None, "length": 12, **options}}


def test_sentence_transformers_6_from_its_weights(tmp_path):
    made = make.multivector(tmp_path / "model", transformer=expansion())
    encoder = Encoder.open(made.directory, threads=1)
    mask = encoder._tokeniser.vocabulary.mask
    (row,) = encoder._tokeniser.queries(["sea"], truncate=False)
    tokens = [token.text for token in encoder.tokens("sea", "query")]
    assert tokens == ["[CLS]", "[Q] ", "sea", "[SEP]", *["[MASK]"] * 8]
    assert row.ids[4:] == [mask] * 8
    close(encoder.encode_query("sea")[0], vectors(made, row.ids, attended=4))
    (row,) = encoder._tokeniser.documents([" sea."], truncate=False)
    close(encoder.encode_document(" sea.")[0], vectors(made, row.ids)[[0, 1, 2, 3, 5]])
    tokens = [token.text for token in encoder.tokens(" sea.")]
    assert tokens == ["[CLS]", "[D] ", "Ġ", "sea", ".", "[SEP]"], "nothing is stripped"


@pytest.mark.parametrize("text", ["NaN", "1e400", "0", "-1"])
def test_a_tokenizer_s_limit_is_a_number_above_0(tmp_path, text):
    made = make.multivector(tmp_path / "model")
    (made.directory / "tokenizer_config.json").write_text(f'{{"model_max_length": {text}}}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer_config\.json: model_max_length is"):
        Encoder.open(made.directory)


def test_sentence_transformers_6_attends_and_fills_up_with_its_token(tmp_path):
    made = make.multivector(tmp_path / "model", transformer=expansion(attend=True, token="[PAD]"))
    encoder = Encoder.open(made.directory, threads=1)
    (row,) = encoder._tokeniser.queries(["sea"], truncate=False)
    assert row.ids[4:] == [encoder._tokeniser.vocabulary.padding] * 8
    close(encoder.encode_query("sea")[0], vectors(made, row.ids, attended=12))


@pytest.mark.parametrize(
    ("transformer", "lengths", "cut"),
    [
        (expansion(), [12, 19], 12),
        (expansion(strategy="min"), [12, 19], 19),
        ({**expansion(strategy="min"), "query_length": 15}, [12, 19], 15),
        ({"query_expansion": None, "query_length": 8}, [4, 19], 8),
        ({}, [4, 19], 19),
    ],
    ids=["fixed", "min", "min with a ceiling", "none", "nothing said"],
)
def test_long_queries_are_cut_on_request_where_the_library_cuts(tmp_path, transformer, lengths, cut):
    made = make.multivector(tmp_path / "model", transformer=transformer)
    encoder = Encoder.open(made.directory, threads=1)
    texts = ["sea", "sea" * 16]
    assert [len(matrix) for matrix in encoder.encode_query(texts)] == lengths
    assert [len(matrix) for matrix in encoder.encode_query(texts, truncate=True)] == [lengths[0], cut]
    assert encoder._tokeniser.queries(texts, truncate=True)[1].ids[
        -1
    ] == encoder._tokeniser._tokenizer.token_to_id("[SEP]")


def test_sentence_transformers_6_drops_from_queries_and_keeps_only_what_it_says(tmp_path):
    made = make.multivector(tmp_path / "model", mask={"skiplist_tasks": ["query", "document"]})
    encoder = Encoder.open(made.directory, threads=1)
    assert [token.text for token in encoder.tokens("a.b", "query") if token.kept] == [
        "[CLS]",
        "[Q] ",
        "a",
        "b",
        "[SEP]",
    ]
    assert len(encoder.encode_query("a.b")[0]) == 5
    letter = encoder._tokeniser._tokenizer.token_to_id("a")
    made = make.multivector(tmp_path / "other", mask={"keep_only_token_ids": [letter]})
    encoder = Encoder.open(made.directory, threads=1)
    assert len(encoder.encode_document("a b a")[0]) == 2
    assert len(encoder.encode_query("a b a")[0]) == 8


@pytest.mark.parametrize(
    ("transformer", "said"),
    [
        (expansion(strategy="max"), "strategy 'max'"),
        (expansion(width=3), "'width', which Weft does not know"),
        ({"query_expansion": {"strategy": "min"}}, "query_expansion has no length"),
        ({"modality_config": {"message": {}, "text": {}}}, "chat template"),
        ({"modality_config": {"image": {}}}, "does not take text"),
        ({"processing_kwargs": {"text": {"add_special_tokens": False}}}, "processing_kwargs"),
    ],
)
def test_what_sentence_transformers_6_can_say_and_weft_cannot_do_is_named(tmp_path, transformer, said):
    made = make.multivector(tmp_path / "model", transformer=transformer)
    with pytest.raises(ModelError, match=said) as caught:
        Encoder.open(made.directory)
    assert "sentence_bert_config.json" in str(caught.value)


def test_an_unknown_module_is_refused_and_nothing_is_imported(tmp_path):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    modules = json.loads((made.directory / "modules.json").read_text(encoding="utf-8"))
    modules.append({"idx": 2, "name": "2", "path": "2_Pool", "type": "evil.module.HierarchicalTokenPooling"})
    make.write_json(made.directory / "modules.json", modules)
    with pytest.raises(ModelError, match="'HierarchicalTokenPooling' is not one that Weft reads"):
        Encoder.open(made.directory)
    modules[-1] = {"idx": 2, "name": "2", "path": "../elsewhere", "type": "x.Dense"}
    make.write_json(made.directory / "modules.json", modules)
    with pytest.raises(ModelError, match="lies outside the model's directory"):
        Encoder.open(made.directory)


def test_a_layer_for_something_else_than_tokens_is_refused(tmp_path):
    made = make.multivector(tmp_path / "model")
    path = made.directory / "1_Dense" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    make.write_json(path, {**config, "module_output_name": "image_embeddings"})
    with pytest.raises(ModelError, match="module_output_name is 'image_embeddings'"):
        Encoder.open(made.directory)


def test_an_unknown_activation_is_refused(tmp_path):
    layer = make.random_layer(1, 32, 16, activation="os.system")
    made = make.pylate(tmp_path / "model", dense=[layer], **LENGTHS)
    with pytest.raises(ModelError, match="the activation 'system' is none of Identity"):
        Encoder.open(made.directory)


@pytest.mark.parametrize("where", ["", "1_Dense/"])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "colbert.dnn"])
def test_pickles_are_refused_with_a_word_on_how_to_convert(tmp_path, where, name):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    (made.directory / where / "model.safetensors").rename(made.directory / where / name)
    with pytest.raises(ModelError, match=rf"{where}{name}: pickled weights.*safe_serialization=True"):
        Encoder.open(made.directory)


def test_remote_code_is_never_run(tmp_path):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    (made.directory / "modeling.py").write_text("raise SystemExit('code ran')", encoding="utf-8")
    auto = {"auto_map": {"AutoModel": "modeling.Model", "AutoConfig": "modeling.Config"}}
    make.write_json(made.directory / "config.json", {**made.config, **auto})
    with pytest.raises(ModelError, match="Weft runs no code from a checkpoint: use an ONNX export"):
        Encoder.open(made.directory)
    make.write_json(made.directory / "config.json", {**made.config, "model_type": "deberta-v2"})
    with pytest.raises(ModelError, match="'deberta-v2' is not one whose graph Weft builds"):
        Encoder.open(made.directory)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_activation": "mish"}, "the activation 'mish'"),
        ({"max_position_embeddings": 10**12}, "max_position_embeddings is 1000000000000"),
        ({"num_attention_heads": 5}, "5 heads do not divide 32 components"),
        ({"hidden_size": 64}, "hidden_size is 64, the word table is"),
        ({"num_hidden_layers": 6}, r"there is no tensor layers\.5"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000, outside 1 to"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0, outside 1 to"),
        ({"global_attn_every_n_layers": 0}, "global_attn_every_n_layers is 0, outside 1 to"),
        ({"local_attention": 10**30}, "local_attention is 10+, outside 0 to"),
        ({"norm_eps": 10**40}, "norm_eps is outside 0 to 1"),
        ({"local_rope_theta": 10**400}, r"local_rope_theta is 10+\.\.\., expected a number above 0"),
        ({"global_rope_theta": 0}, "global_rope_theta is 0, expected a number above 0"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_named(tmp_path, change, said):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    make.write_json(made.directory / "config.json", {**made.config, **change})
    with pytest.raises(ModelError, match=said):
        Encoder.open(made.directory)


def test_weights_of_shapes_that_do_not_fit_one_another_are_named(tmp_path):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    name = "layers.0.attn.Wqkv.weight"
    odd = {**made.tensors, name: made.tensors[name][:-1]}
    make.write_safetensors(made.directory / "model.safetensors", odd)
    with pytest.raises(
        ModelError, match=r"model\.safetensors: the shapes of the weights are not those of conf"
    ):
        Encoder.open(made.directory)


def test_a_tokenizer_that_stumbles_is_named(tmp_path):
    """What the library finds wrong when it uses a file, or panics at, is no error of Weft's."""
    made = make.stanford(tmp_path / "model", metadata=METADATA)
    path = made.directory / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["post_processor"]["special_tokens"] = {}
    make.write_json(path, content)
    with pytest.raises(ModelError, match=r"tokenizer\.json: does not work as a tokenizer"):
        Encoder.open(made.directory)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json: does not work as a tokenizer"):
        Encoder.open(made.directory)


def test_weights_with_fewer_positions_or_words_than_promised_are_named(tmp_path):
    made = make.stanford(tmp_path / "model", metadata=METADATA)
    make.write_json(made.directory / "config.json", {**made.config, "max_position_embeddings": 64})
    with pytest.raises(ModelError, match="promises 64 positions, the weights have 40"):
        Encoder.open(made.directory)
    made = make.pylate(tmp_path / "other", config=make.BERT, **LENGTHS)
    table = made.tensors["embeddings.word_embeddings.weight"]
    shorter = {**made.tensors, "embeddings.word_embeddings.weight": table[:-1]}
    make.write_safetensors(made.directory / "model.safetensors", shorter)
    with pytest.raises(ModelError, match="tokenizer and weights do not belong together"):
        Encoder.open(made.directory)


def test_without_the_package_that_makes_graphs_the_command_is_named(tmp_path):
    made = make.pylate(tmp_path / "model", **LENGTHS)
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from weft.encoder import Encoder\n"
        "from weft.errors import ModelNotFound\n"
        f"try: Encoder.open({str(made.directory)!r})\n"
        "except ModelNotFound as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "weft[checkpoints]"' in done.stdout
    assert "weft model export" in done.stdout


def test_the_fingerprint_follows_weights_layers_and_configuration(tmp_path):
    made = make.pylate(tmp_path / "model", dense=[make.random_layer(1, 32, 16, bias=True)], **LENGTHS)
    seen = {Encoder.open(made.directory, threads=1).fingerprint}
    assert make.pylate(tmp_path / "twin", dense=[make.random_layer(1, 32, 16, bias=True)], **LENGTHS)
    assert Encoder.open(tmp_path / "twin", threads=1).fingerprint in seen
    changes = [
        ("config.json", {**made.config, "norm_eps": 1e-3}),
        ("config.json", {**made.config, "local_attention": 8}),
        ("1_Dense/config.json", {"bias": True, "activation_function": TANH}),
        ("1_Dense/config.json", {"bias": False, "activation_function": "x.Identity"}),
    ]
    for name, content in changes:
        before = (made.directory / name).read_text(encoding="utf-8")
        make.write_json(made.directory / name, content)
        fingerprint = Encoder.open(made.directory, threads=1).fingerprint
        assert fingerprint not in seen
        seen.add(fingerprint)
        (made.directory / name).write_text(before, encoding="utf-8")
    irrelevant = {**made.config, "transformers_version": "5.0.0", "dropout": 0.1}
    make.write_json(made.directory / "config.json", irrelevant)
    assert Encoder.open(made.directory, threads=1).fingerprint in seen
    made.dense[0].weight[0, 0] += 1
    tensors = {"linear.weight": made.dense[0].weight, "linear.bias": made.dense[0].bias}
    make.write_safetensors(made.directory / "1_Dense" / "model.safetensors", tensors)
    assert Encoder.open(made.directory, threads=1).fingerprint not in seen
