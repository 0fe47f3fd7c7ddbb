"""``weft model``: what it lists, what it says of a model, what it says when a model is not to be had."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from weft.encoder.known import KNOWN

_TOY = Path(__file__).parents[1] / "data" / "encoder" / "make_toy.py"
_spec = importlib.util.spec_from_file_location("make_toy", _TOY)
toy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toy)


def test_the_list_names_every_known_model_with_its_licence(run):
    shown = run("model", "list")
    assert shown.status == 0
    lines = shown.out.splitlines()
    for model in KNOWN:
        (line,) = [line for line in lines if line.split()[:1] == [model.name]]
        assert line.endswith(model.licence or "see card")


def test_the_list_is_json_lines_too(run):
    shown = run("model", "list", "--json")
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["name"] for row in rows] == [model.name for model in KNOWN]
    assert rows[1]["licence"] == "MIT"


def test_info_tells_layout_settings_and_fingerprint(run, tmp_path):
    directory = toy.make(tmp_path / "toy")
    shown = run("model", "info", directory, "--json")
    values = json.loads(shown.out)
    assert values["layout"] == "pylate"
    assert values["dim"] == toy.DIM
    assert values["settings"]["query_marker"] == "[unused0]"
    assert len(values["fingerprint"]) == 64
    lines = run("model", "info", directory).out.splitlines()
    assert "layout: pylate" in lines
    assert "  query_prompt: ''" in lines


def test_info_of_a_model_that_cannot_be_opened_says_what_its_files_say(run, tmp_path):
    directory = toy.make(tmp_path / "toy")
    (directory / "model.onnx").rename(directory / "pytorch_model.bin")
    shown = run("model", "info", directory, "--json")
    assert shown.status == 1
    values = json.loads(shown.out)
    assert values["settings"]["query_length"] == 12
    assert "pickled weights" in values["problem"]


def test_pull_says_so_when_the_client_is_offline(run, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    shown = run("model", "pull", "org/model")
    assert shown.status == 1
    assert "HF_HUB_OFFLINE is set" in shown.err


def test_pull_takes_no_directory(run, tmp_path):
    shown = run("model", "pull", tmp_path)
    assert shown.status == 1
    assert "is here already" in shown.err
