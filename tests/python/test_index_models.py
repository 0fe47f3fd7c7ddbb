"""An index with a model from a directory, from the first command to the last, and no network anywhere."""

from __future__ import annotations

import json
import shlex
import socket
import sys
from pathlib import Path

import pytest
import weft
from weft.cli import main
from weft.errors import EncoderMismatch

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "encoder"))
import make_checkpoint as make

LENGTHS = {"query_maxlen": 12, "doc_maxlen": 30}
TEXTS = {"a": "the sea and the wind", "b": "amber is a color", "c": "hello, world!"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(params=["stanford", "pylate", "sentence-transformers"])
def directory(request, tmp_path):
    if request.param == "stanford":
        return make.stanford(tmp_path / "model", metadata=LENGTHS, vocabulary=True).directory
    if request.param == "pylate":
        layers = [make.random_layer(1, 32, 24, bias=True), make.random_layer(2, 24, 8, residual=True)]
        return make.pylate(tmp_path / "model", dense=layers, document_length=40).directory
    return make.multivector(tmp_path / "model").directory


def test_add_search_and_open_again_without_naming_the_model(tmp_path, directory):
    with weft.open(tmp_path / "index", create=True, model=str(directory)) as index:
        index.add(TEXTS.values(), ids=TEXTS.keys())
    with weft.open(tmp_path / "index") as index:
        for id_, text in TEXTS.items():
            hits = index.search(text, k=3)
            assert len(hits) == 3
            assert hits[0].id == id_
        assert index.explain("sea", "a").matches


def test_another_model_is_refused_by_name(tmp_path, directory):
    with weft.open(tmp_path / "index", create=True, model=str(directory)) as index:
        index.add(["the sea"], ids=["a"])
    other = make.stanford(tmp_path / "other", metadata={**LENGTHS, "doc_maxlen": 29}).directory
    with (
        weft.open(tmp_path / "index", model=str(other)) as index,
        pytest.raises(EncoderMismatch, match="model other"),
    ):
        index.search("sea")


def test_the_command_line_takes_a_directory(tmp_path, directory, capsys):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(
        "\n".join(json.dumps({"id": id_, "text": text}) for id_, text in TEXTS.items()), encoding="utf-8"
    )
    assert main(["index", str(tmp_path / "index"), str(corpus), "--model", str(directory)]) == 0
    assert main(["search", str(tmp_path / "index"), "amber is a color", "-k", "1", "--jsonl"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "b"
    assert main(["model", "info", str(directory), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["graph"] is None


def test_the_readme_with_a_local_directory(tmp_path, monkeypatch, capsys):
    """The section on models of the README, word for word, where `checkpoint` is a directory and there is no network."""
    monkeypatch.chdir(tmp_path)
    make.stanford(tmp_path / "checkpoint", metadata=LENGTHS, vocabulary=True)
    lines = [json.dumps({"id": id_, "text": text}) for id_, text in TEXTS.items()]
    Path("corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Any ColBERT model\n")[2].partition("```sh\n")[2].partition("```")[0]
    commands = [shlex.split(line) for line in section.splitlines()]
    assert [command[:2] for command in commands] == [["weft", "model"], ["weft", "index"], ["weft", "search"]]
    said = []
    for command in commands:
        assert main(command[1:]) == 0
        said.append(capsys.readouterr().out)
    assert "stanford" in said[0]
    # Words that the question met are marked.
    found = said[2].translate(str.maketrans("", "", "«»"))
    assert all(text in found for text in TEXTS.values())
