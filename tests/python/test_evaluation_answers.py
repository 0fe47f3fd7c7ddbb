"""Answers in passages: DPR's rule, and the file that its readers take."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import hashing
import plain_rules
import pytest
import weft
from hashing import Hashing
from hypothesis import given
from hypothesis import strategies as st
from weft.evaluation import Question, evaluate_answers, read_questions
from weft.evaluation.answer_match import as_pattern, matches, tokens, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data" / "eval"

# Letters with marks, ligatures, digits of other scripts, signs, blanks of all kinds, controls, an unassigned one.
TEXTS = st.text(
    st.sampled_from("aAéÉe\u0301ßİı ﬁ1²٣$'’.-_\u00a0\u200b\u2028\n\t\x00\U0001f600漢\u0378"), max_size=30
)


@given(TEXTS)
def test_tokens_are_those_of_dpr(text: str) -> None:
    assert [token for token in tokens(text).split("\0") if token] == plain_rules.dpr_tokens(text)


@given(TEXTS, st.lists(TEXTS.filter(plain_rules.dpr_tokens), max_size=3))
def test_answers_are_found_as_dpr_finds_them(text: str, answers: list[str]) -> None:
    assert tokens_in(text, map(tokens, answers)) == plain_rules.dpr_has_answer(answers, text)


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("Wilhelm Röntgen got it", "Wilhelm Ro\u0308ntgen", True),
        ("it cost $12 then", "$ 12", True),
        ("it cost $120 then", "$12", False),
        ("the oil shock", "oil shocks", False),
        ("U.S. troops", "us", False),
        ("ends with answer", "Answer", True),
        ("short", "short and long", False),
    ],
)
def test_examples_of_the_rule(text: str, answer: str, found: bool) -> None:
    assert tokens_in(text, [tokens(answer)]) is found
    assert plain_rules.dpr_has_answer([answer], text) is found


def test_patterns_as_of_trec() -> None:
    text = "In 1999 it rained.\nIt cost 4 pounds"
    for pattern, found in ((r"19\d\d", True), ("^it COST", True), ("rains", False)):
        compiled = as_pattern(pattern)
        assert compiled is not None
        assert matches(text, [compiled]) is found
    assert as_pattern("(unclosed") is None


@pytest.fixture
def rainforest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[weft.Index]:
    monkeypatch.setattr(hashing, "LIMIT", 60)
    rows = (DATA / "lotte/rainforest/test/collection.tsv").read_text().splitlines()
    with weft.open(tmp_path / "r.weft", create=True, encoder=Hashing()) as index:
        index.add(
            [row.split("\t")[1] for row in rows],
            ids=[row.split("\t")[0] for row in rows],
            titles=["Amazon"] * 16,
        )
        yield index


def test_success_by_the_rule_of_dpr(rainforest: weft.Index) -> None:
    questions = read_questions(DATA / "answers.jsonl")
    result = evaluate_answers(rainforest, DATA / "answers.jsonl", depths=(1, 2, 5, 20), k=20)
    hits = [0] * 20
    for question in questions:
        holds = [
            plain_rules.dpr_has_answer(list(question.answers), hit.text)
            for hit in rainforest.search(question.text, 20)
        ]
        if True in holds:
            hits[holds.index(True) :] = [count + 1 for count in hits[holds.index(True) :]]
    expected = {f"Success@{depth}": hits[depth - 1] / len(questions) for depth in (1, 2, 5, 20)}
    assert dict(result.means) == pytest.approx(expected)
    assert 0.2 < expected["Success@1"] < expected["Success@5"], "figures that tell the depths apart"
    assert result.noun == "questions"
    assert result.agreement is not None


def test_the_readers_file(rainforest: weft.Index) -> None:
    file = io.StringIO()
    result = evaluate_answers(
        rainforest, DATA / "answers.jsonl", k=5, depths=[1, 5], reader=file, agreement=0
    )
    entries = json.loads(file.getvalue())
    questions = read_questions(DATA / "answers.jsonl")
    assert [(one["question"], tuple(one["answers"])) for one in entries] == [
        (q.text, q.answers) for q in questions
    ]
    for entry, hits in zip(entries, rainforest.search([q.text for q in questions], 5), strict=True):
        assert [one["id"] for one in entry["ctxs"]] == [hit.id for hit in hits]
        assert [one["text"] for one in entry["ctxs"]] == [hit.text for hit in hits]
        assert [float(one["score"]) for one in entry["ctxs"]] == [hit.score for hit in hits]
        assert all(one["title"] == "Amazon" and isinstance(one["score"], str) for one in entry["ctxs"])
        for one in entry["ctxs"]:
            assert one["has_answer"] == plain_rules.dpr_has_answer(entry["answers"], one["text"])
    found = sum(any(one["has_answer"] for one in entry["ctxs"]) for entry in entries)
    assert result.means["Success@5"] == pytest.approx(found / len(entries))


def test_a_title_is_no_place_for_an_answer(rainforest: weft.Index) -> None:
    asked = [Question("1", "who owns the forest in Suriname?", ("Amazon",))]
    rainforest.delete(list(rainforest))
    rainforest.add(["the basin of the river"], titles=["Amazon"])
    assert evaluate_answers(rainforest, asked, depths=[1]).means == {"Success@1": 0.0}


def test_questions_without_a_text_fail_or_take_it_from_the_queries(index: weft.Index) -> None:
    asked = [Question("1", "", ("shuttle",)), Question("2", "the wind", ("sail",))]
    result = evaluate_answers(index, asked, depths=[1])
    assert (result.means, result.missing) == ({"Success@1": 0.5}, ("1",))
    result = evaluate_answers(index, asked, depths=[1], queries={"1": "what carries the weft?"})
    assert (result.means, result.missing) == ({"Success@1": 1.0}, ())
    with pytest.raises(weft.InvalidInput, match="no question has a text"):
        evaluate_answers(index, asked[:1])


def test_regular_expressions_are_asked_for(index: weft.Index) -> None:
    asked = [Question("1", "the shuttle", (r"shut+le",)), Question("2", "the wind", ("(",))]
    assert evaluate_answers(index, asked, depths=[1]).means == {"Success@1": 0.0}
    assert evaluate_answers(index, asked, depths=[1], match="regex").means == {"Success@1": 0.5}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"match": "fuzzy"}, "match is 'fuzzy'"),
        ({"depths": [0]}, "depths is"),
        ({"k": 2, "depths": [5]}, "k is 2"),
    ],
)
def test_wrong_arguments(index: weft.Index, options: dict[str, object], said: str) -> None:
    with pytest.raises(weft.InvalidInput, match=said):
        evaluate_answers(index, [Question("1", "x", ("y",))], **options)  # type: ignore[arg-type]


def test_an_empty_index_is_an_error(tmp_path: Path) -> None:
    with (
        weft.open(tmp_path / "e.weft", create=True, encoder=Hashing()) as index,
        pytest.raises(weft.InvalidInput, match="has no documents"),
    ):
        evaluate_answers(index, [Question("1", "x", ("y",))])
