"""Finding models: directories, the bundled one, the hub's cache; and what is said when there is none."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from weft import hub
from weft.encoder import Encoder
from weft.errors import ModelNotFound

_TOY = Path(__file__).parents[1] / "data" / "encoder" / "make_toy.py"
_spec = importlib.util.spec_from_file_location("make_toy", _TOY)
toy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toy)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A hub cache made by hand: one repository, one snapshot, the name `main` for it."""
    repository = tmp_path / "hub" / "models--org--toy"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    snapshot = toy.make(repository / "snapshots" / COMMIT)
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_a_cached_model_opens_without_a_network(cache):
    encoder = Encoder.open("org/toy", offline=True)
    assert encoder.describe()["path"] == "org/toy"
    assert encoder.name == "org/toy"
    assert hub.locate("org/toy", revision=COMMIT).directory == cache


def test_a_model_outside_the_cache_says_what_to_do(cache):
    with pytest.raises(ModelNotFound, match="org/other: not in the hub cache, and offline"):
        Encoder.open("org/other")
    with pytest.raises(FileNotFoundError, match="offline"):
        Encoder.open("org/other", offline=True)


def test_a_snapshot_without_a_graph_does_not_count(cache):
    (cache / "model.onnx").unlink()
    with pytest.raises(ModelNotFound, match="not in the hub cache"):
        Encoder.open("org/toy", offline=True)


@pytest.mark.parametrize("name", ["no/such/directory", "./nowhere", "word"])
def test_what_is_neither_directory_nor_hub_id_is_refused(name):
    with pytest.raises(ModelNotFound, match="no such directory, and not a hub id"):
        Encoder.open(name)


def test_without_the_bundled_model_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "weft_model", None)
    with pytest.raises(ModelNotFound, match=r"pip install \./models/default"):
        hub.locate(None)


def test_the_bundled_model_is_asked_for_its_path_only(monkeypatch, tmp_path):
    class Bundled:
        @staticmethod
        def path():
            return tmp_path

    monkeypatch.setitem(sys.modules, "weft_model", Bundled)
    assert hub.locate(None) == hub.locate("default") == hub.ModelLocation(tmp_path, "default", "default")
