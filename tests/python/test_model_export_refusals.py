"""What is not exported, and what the error says; nothing here needs torch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import weft
from exporting import CHECKPOINTS, change, copy
from weft.cli import main
from weft.errors import InvalidInput, MissingExtra, ModelError, ModelNotFound


@pytest.fixture
def without_torch(monkeypatch):
    def found(name, *rest):
        return None if name.partition(".")[0] == "torch" else find_spec(name, *rest)

    monkeypatch.setattr("weft.model_export.requirements.find_spec", found)


def test_without_the_extra_the_error_says_what_to_install(without_torch, tmp_path):
    with pytest.raises(MissingExtra, match=r'torch.*pip install "weft\[export\]"'):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_it_too(without_torch, tmp_path, capsys):
    assert main(["model", "export", str(CHECKPOINTS / "stanford"), str(tmp_path / "out")]) == 1
    assert 'pip install "weft[export]"' in capsys.readouterr().err


@pytest.mark.parametrize("opset", [0, 13, 21])
def test_an_opset_that_cannot_be_written_is_refused(opset, tmp_path):
    with pytest.raises(InvalidInput, match=f"opset is {opset}, expected 14 to 20"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", opset=opset)


def test_a_collection_without_int8_is_refused(tmp_path, capsys):
    with pytest.raises(InvalidInput, match="ask for int8 too"):
        weft.export_model(CHECKPOINTS / "stanford", tmp_path / "out", evaluate=tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["model", "export", "a", "b", "--evaluate", "c"])
    assert "say --int8 too" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="nowhere: no such directory"):
        weft.export_model(tmp_path / "nowhere", tmp_path / "out")


def test_pickled_weights_are_refused_with_a_word_on_how_to_convert(tmp_path):
    checkpoint = copy("stanford", tmp_path / "pickled")
    (checkpoint / "model.safetensors").unlink()
    (checkpoint / "pytorch_model.bin").write_bytes(b"\x80\x04not read")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: pickled.*save_pretrained"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_pickled_weights_of_a_dense_layer_are_refused_too(tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "pickled")
    (checkpoint / "2_Dense" / "model.safetensors").rename(checkpoint / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"2_Dense/pytorch_model\.bin: pickled"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_backbone_with_code_of_its_own_is_refused(tmp_path):
    checkpoint = copy("pylate-xlmr", tmp_path / "coded")
    change(checkpoint / "config.json", auto_map={"AutoModel": "somebody/code--modeling.Model"})
    with pytest.raises(ModelError, match=r"config\.json: auto_map.*runs no code"):
        weft.export_model(checkpoint, tmp_path / "out")


@pytest.mark.parametrize("named", ["os.system", "torch.nn.modules.activation.MultiheadAttention"])
def test_an_activation_is_looked_up_and_never_imported(named, tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "odd")
    change(checkpoint / "1_Dense" / "config.json", activation_function=named)
    with pytest.raises(
        ModelError, match=rf"1_Dense/config\.json: the activation '{named.rpartition('.')[2]}'"
    ):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_marker_that_the_network_has_no_word_for_is_refused(tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "small")
    change(checkpoint / "config.json", vocab_size=400)
    with pytest.raises(ModelError, match="the weights have 400 words"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_marker_that_is_no_token_is_refused(tmp_path):
    checkpoint = copy("stanford", tmp_path / "unmarked")
    change(checkpoint / "artifact.metadata", doc_token_id="[nowhere]")
    with pytest.raises(ModelError, match=r"'\[nowhere\]' is not in the vocabulary"):
        weft.export_model(checkpoint, tmp_path / "out")


def test_a_bare_backbone_is_refused(tmp_path):
    checkpoint = copy("pylate-bert", tmp_path / "bare")
    for name in ("config_sentence_transformers.json", "modules.json"):
        (checkpoint / name).unlink()
    with pytest.raises(ModelError, match="not a late-interaction model"):
        weft.export_model(checkpoint, tmp_path / "out")


def configuration(content: dict[str, object]) -> dict[str, object]:
    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.model_export.configuration import backbone_configuration

    return backbone_configuration(JsonFile(Path("config.json"), content))


def test_modernbert_saved_by_transformers_5_keeps_its_angles_and_its_layers():
    rope = {
        "full_attention": {"rope_theta": 80000.0, "rope_type": "default"},
        "sliding_attention": {"rope_theta": 500.0, "rope_type": "default"},
    }
    layers = ["full_attention", "sliding_attention"] * 3
    found = configuration({"model_type": "modernbert", "rope_parameters": rope, "layer_types": layers})
    assert (found["global_rope_theta"], found["local_rope_theta"]) == (80000.0, 500.0)
    assert found["global_attn_every_n_layers"] == 2
    assert not {"rope_parameters", "layer_types"} & set(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no such file, or empty"),
        ({"hidden_size": 3}, "has no model_type"),
        (
            {"model_type": "bert", "rope_parameters": {"rope_theta": 1.0}},
            "rope_parameters is read for ModernBERT",
        ),
        (
            {"model_type": "modernbert", "rope_parameters": {"full_attention": {"rope_type": "yarn"}}},
            "rope_type of full_attention is 'yarn'",
        ),
        (
            {"model_type": "modernbert", "layer_types": ["sliding_attention", "full_attention"]},
            "layer_types are not one full layer every so many",
        ),
    ],
)
def test_a_setting_without_a_counterpart_is_an_error(content, message):
    with pytest.raises(ModelError, match=message):
        configuration(content)
