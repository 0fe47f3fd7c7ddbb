"""The first command, and the sample it shows."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
import weft
from weft.inputs import Documents
from weft.sample import passages_file, questions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

    Run = Callable[..., Outcome]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the demonstration take twenty passages, one of them the answer to the first question."""
    with passages_file() as file:
        lines = file.read_text(encoding="utf-8").splitlines()
    answer = next(line for line in lines if json.loads(line)["id"] == "p503")
    path = tmp_path / "small.jsonl"
    path.write_text("\n".join([*lines[:19], answer]), encoding="utf-8")
    monkeypatch.setattr("weft.sample.passages_file", lambda: nullcontext(path))
    return path


def test_the_sample_is_whole() -> None:
    with passages_file() as file:
        records = list(Documents([str(file)]))
    assert len(records) == 1500
    assert all(record.title and len(record.text) >= 200 and not record.metadata for record in records)
    assert len(questions()) == 5


def test_the_demonstration_shows_ranked_passages(small: Path, run: Run) -> None:
    outcome = run("demo")
    assert outcome.status == 0
    for question in questions():
        assert f"\n{question}\n" in outcome.out
    assert len(re.findall(r"^ [123] +\d+\.\d{3}  p\d+", outcome.out, re.MULTILINE)) == 15
    assert "«" in outcome.out
    assert "\nNext: weft demo demo.weft" in outcome.out
    assert "passages a second" in outcome.err
    assert len(re.findall(r"\d ms with encoding", outcome.err)) == 5


def test_the_demonstration_keeps_its_index_where_it_is_told(small: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "demo.weft"
    first = run("demo", path, "-k", "1", "--questions", "ball in beer")
    assert f'Next: weft search {path} "your question"' in first.out
    assert re.search(r"^ 1 .*p503", first.out, re.MULTILINE)
    second = run("demo", path, "-k", "1", "--questions", "ball in beer")
    assert second.out == first.out
    assert "has the sample already" in second.err
    with weft.open(path) as index:
        assert len(index) == 20


@pytest.mark.model
@pytest.mark.slow
def test_the_bundled_model_answers_the_questions(tmp_path: Path) -> None:
    with passages_file() as file:
        records = list(Documents([str(file)]))
        lines = (file.parent / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    answers = {question["passage"] for question in asked}
    # A sixth of the sample and the answers: all of it takes a minute on two cores.
    records = [record for n, record in enumerate(records) if n % 6 == 0 or record.id in answers]
    with weft.open(tmp_path / "demo.weft", create=True) as index:
        index.add(
            [record.text for record in records],
            ids=[record.id for record in records],
            titles=[record.title for record in records],
        )
        found = 0
        for question in asked:
            hits = index.search(question["text"], k=3)
            assert hits[0].id == index.search(question["text"], k=1, exact=True)[0].id
            found += question["passage"] in {hit.id for hit in hits}
            explanation = index.explain(question["text"], hits[0].id)
            assert explanation.score == pytest.approx(hits[0].score, abs=0.05)
            assert explanation.highlights() or explanation.highlights(field="title")
        assert found >= 4


@pytest.mark.model
def test_the_bundled_model_is_what_opens_without_a_name(tmp_path: Path) -> None:
    texts = ["A cat sleeps on the warm windowsill.", "The stock market fell sharply on Monday."]
    with weft.open(tmp_path / "m.weft", create=True) as index:
        index.add(texts, ids=["cat", "market"])
    with weft.open(tmp_path / "m.weft") as index:
        assert index.search("a sleeping pet", k=1)[0].id == "cat"
        assert index.info()["encoder"]["path"] == "default"
    assert weft.rerank("share prices dropped", texts)[0].index == 1
