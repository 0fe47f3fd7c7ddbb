"""Files of judgements, rankings and questions: every layout is read, and what is wrong is named by its line."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pytest
import weft
from hypothesis import given
from hypothesis import strategies as st
from weft.evaluation import Question, read_qrels, read_questions, read_run
from weft.inputs import read_queries

DATA = Path(__file__).parents[1] / "data" / "eval"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("trec.txt", "q1 0 a 2\nq1 0 b 0\n\nq2\t0\tc\t1\n"),
        ("qrels.dev.small.tsv", "q1\t0\ta\t2\nq1\t0\tb\t0\nq2\t0\tc\t1\n"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq1\ta\t2\nq1\tb\t0\nq2\tc\t1\n"),
        ("headless.tsv.gz", "q1\ta\t2\r\nq1\tb\t0\r\nq2\tc\t1\r\n"),
        ("again", "q1 0 a 2\nq1 0 b 0\nq2 0 c 1\nq2 0 c 1\n"),
    ],
)
def test_judgements_in_columns(tmp_path: Path, name: str, text: str) -> None:
    assert read_qrels(written(tmp_path, name, text)) == {"q1": {"a": 2, "b": 0}, "q2": {"c": 1}}


def test_ids_of_beir_may_have_blanks(tmp_path: Path) -> None:
    path = written(tmp_path, "test.tsv", "query-id\tcorpus-id\tscore\nq one\ta b\t1\n")
    assert read_qrels(path) == {"q one": {"a b": 1}}


def test_answer_pids_of_lotte(tmp_path: Path) -> None:
    rows = [
        {"qid": 0, "query": "one?", "url": "x", "answer_pids": [3, 4]},
        {"qid": "1", "query": "two?", "answer_pids": []},
    ]
    path = written(tmp_path, "qas.search.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_qrels(path) == {"0": {"3": 1, "4": 1}, "1": {}}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("q", "q1 0 a\n", ":1: 3 columns: query, iteration, document and grade are needed"),
        ("q", "q1 0 a 1\nq1 0 a b 1\n", ":2: 5 columns"),
        ("q", "q1 0 a high\n", ":1: the grade 'high' is no whole number"),
        ("q", "q1 0 a 1.0\n", ":1: the grade '1.0' is no whole number"),
        ("q", "q1 0 a 1\nq1 0 b -2\n", ":2: the grade -2 is negative"),
        ("q", "q1 0 a 1\n\nq1 0 a 2\n", ":3: query 'q1' grades the document 'a' 1 and 2"),
        (
            "t.tsv",
            "query-id\tcorpus-id\tscore\nq1\ta\t1\textra\n",
            ":2: 4 columns: query, document and grade",
        ),
        ("t.tsv", "query-id\tcorpus-id\tscore\nq1\t\t1\n", ":2: 3 columns"),
        ("t.tsv", "query-id\tcorpus-id\tscore\n", ": there are no judgements in it"),
        ("empty", "\n \n", ": there are no judgements in it"),
        ("a.jsonl", '{"qid": 1, "answer_pids": []}\n', ": there are no judgements in it"),
        (
            "a.jsonl",
            '{"qid": 1, "answer_pids": [1]}\n{"qid": 1, "answer_pids": [2]}\n',
            ":2: the qid '1' stands already at",
        ),
        ("a.jsonl", '{"qid": 1}\n', ":1: there is no list 'answer_pids'"),
        ("a.jsonl", '{"query": "x", "answer_pids": [1]}\n', ":1: None is no id in 'qid'"),
        ("a.jsonl", '{"qid": 1, "answer_pids": [true]}\n', ":1: True is no id in 'answer_pids'"),
        ("a.jsonl", "{qid}\n", ":1: not JSON"),
        ("a.jsonl", '{"qid": "\\ud800", "answer_pids": [1]}\n', ":1: the qid has half a surrogate pair"),
        ("a.jsonl", '{"qid": 1, "answer_pids": ["\\ud800"]}\n', ":1: the answer_pids has half a surrogate"),
    ],
)
def test_bad_judgements(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(weft.InvalidInput) as caught:
        read_qrels(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_what_is_not_there_or_broken(tmp_path: Path) -> None:
    with pytest.raises(weft.InvalidInput, match="no such file"):
        read_qrels(tmp_path / "nothing.tsv")
    damaged = tmp_path / "d.tsv.gz"
    damaged.write_bytes(gzip.compress(b"q 0 a 1\n" * 1000)[:-20])
    with pytest.raises(weft.InvalidInput, match=r"d\.tsv\.gz:\d+: the compressed file is damaged"):
        read_qrels(damaged)
    latin = tmp_path / "latin"
    latin.write_bytes("q 0 é 1\n".encode("latin-1"))
    with pytest.raises(weft.InvalidInput, match=r"latin:1: byte 5 of the line is not UTF-8"):
        read_qrels(latin)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("run", "q Q0 b 1 2.5 x\nq Q0 a 2 2.5 x\nq Q0 c 9 1e1 x\n", [("c", 10.0), ("a", 2.5), ("b", 2.5)]),
        ("r.tsv.gz", "q\tb\t1\nq\ta\t2\n", [("b", -1.0), ("a", -2.0)]),
        ("r.ranking.tsv", "q\tb\t1\t3.5\nq\ta\t2\t3.5\n", [("b", -1.0), ("a", -2.0)]),
    ],
)
def test_rankings(tmp_path: Path, name: str, text: str, expected: list[tuple[str, float]]) -> None:
    assert read_run(written(tmp_path, name, text)) == {"q": expected}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q Q0 a 1 2.5\n", ":1: 5 columns: a run has six"),
        ("q Q0 a 1 2.5 x y\n", ":1: 7 columns"),
        ("q Q0 a 1 nan x\n", ":1: the score 'nan' is no finite number"),
        ("q Q0 a 1 high x\n", ":1: the score 'high'"),
        ("q Q0 a 1 2 x\nq Q0 a 2 1 x\n", ":2: query 'q' has the document 'a' twice"),
        ("q\ta\t1\nq\ta\t2\n", ":2: query 'q' has the document 'a' twice"),
        ("q\ta\t2\nq\tb\t1\n", ":2: rank 1 of query 'q' stands behind rank 2"),
        ("q\ta\tfirst\n", ":1: the rank 'first' is no whole number"),
        ("q\ta\t1\tinf\n", ":1: the score 'inf'"),
        ("q\ta\t1\nq\tb\n", ":2: 2 columns"),
        (f"q\ta\t{'9' * 5000}\n", ":1: the rank '999"),
        ("q Q0 a 1 1_0 x\n", ":1: the score '1_0'"),
        ("", ": there are no rankings in it"),
    ],
)
def test_bad_rankings(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, "run", text)
    with pytest.raises(weft.InvalidInput) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_queries_of_lotte_and_colbert(tmp_path: Path) -> None:
    assert read_queries(str(written(tmp_path, "a.jsonl", '{"qid": 7, "question": "why?"}'))) == [
        ("7", "why?")
    ]
    assert read_queries(str(DATA / "lotte/oil/test/qas.search.jsonl")) == read_queries(
        str(DATA / "lotte/oil/test/questions.search.tsv")
    )


QUESTIONS = read_questions(DATA / "answers.jsonl")


def layouts() -> dict[str, str]:
    """The questions in every layout, as its makers write them."""
    squad = {
        "version": "1.1",
        "data": [
            {
                "title": "Amazon",
                "paragraphs": [
                    {
                        "context": "none",
                        "qas": [
                            {
                                "id": one.id,
                                "question": one.text,
                                "answers": [{"text": answer, "answer_start": 0} for answer in one.answers],
                            }
                            for one in QUESTIONS
                        ]
                        + [{"id": "x", "question": "what?", "answers": [], "is_impossible": True}],
                    }
                ],
            }
        ],
    }
    trivia = {
        "Domain": "unfiltered-web",
        "Data": [
            {
                "QuestionId": one.id,
                "Question": one.text,
                "Answer": {"Value": one.answers[0], "Aliases": list(one.answers), "NormalizedAliases": []},
            }
            for one in QUESTIONS
        ],
    }
    entries = [{"question": one.text, "answers": list(one.answers)} for one in QUESTIONS]
    return {
        "nq-open.jsonl": "\n".join(
            json.dumps({"question": q.text, "answer": list(q.answers)}) for q in QUESTIONS
        ),
        "nq-test.csv": "".join(f"{one.text}\t{list(one.answers)!r}\n" for one in QUESTIONS),
        "dev-v2.0.json": json.dumps(squad),
        "unfiltered-web-dev.json": json.dumps(trivia, indent=4),
        "dpr.json": json.dumps(entries),
    }


@pytest.mark.parametrize("name", layouts())
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_questions_in_every_layout(tmp_path: Path, name: str, packed: str) -> None:
    assert read_questions(written(tmp_path, name + packed, layouts()[name])) == QUESTIONS


def test_quoted_columns_of_dpr(tmp_path: Path) -> None:
    text = '"who said ""no"""\t"[""a "", \'b\'\']"\n'
    with pytest.raises(weft.InvalidInput, match=":1: the second column is no list of strings"):
        read_questions(written(tmp_path, "q.csv", text))
    text = '"who said ""no"""\t"[""it\'s me"", \'b\']"\n'
    (question,) = read_questions(written(tmp_path, "q.csv", text))
    assert question == Question("0", 'who said "no"', ("it's me", "b"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "x", ": its kind is not known"),
        ("a.jsonl", "", ": there are no questions in it"),
        ("a.jsonl", '{"id": 1, "question": "x"}', ":1: there is no list of answers"),
        ("a.jsonl", '{"id": 1, "question": "x", "answers": []}', ":1: there is no list of answers"),
        ("a.jsonl", '{"id": 1, "question": "x", "answers": [1]}', ":1: there is no list of answers"),
        ("a.jsonl", '{"id": 1, "question": "x", "answers": ["a", " "]}', ":1: the answer ' ' is blank"),
        ("a.jsonl", '{"id": 1, "question": 2, "answers": ["a"]}', ":1: the question is no string"),
        ("a.jsonl", '{"id": [], "answers": ["a"]}', ":1: the id [] is none"),
        (
            "a.jsonl",
            '{"id": 1, "answers": ["a"]}\n{"id": "1", "answers": ["b"]}',
            ":2: the id '1' stands already at",
        ),
        ("a.csv", "who?\n", ":1: 1 columns"),
        ("a.csv", "who?\t['a']\nwhy?\t__import__('os').getcwd()\n", ":2: the second column is no list"),
        ("a.csv", "who?\t{'a': 1}\n", ":1: there is no list of answers"),
        ("a.csv", "who?\t{[]: 1}\n", ":1: the second column is no list"),
        ("a.json", "{", ":1: not JSON"),
        ("a.json", f'[{{"id": {"9" * 5000}, "answers": ["a"]}}]', ": not usable JSON"),
        ("a.json", "[" * 100_000, ": not usable JSON"),
        ("a.jsonl", '{"id": "\\ud800", "answers": ["a"]}', ":1: holds half a surrogate pair"),
        ("a.jsonl", '{"question": "\\ud800", "answers": ["a"]}', ":1: holds half a surrogate pair"),
        ("a.json", '{"questions": []}', ": is neither SQuAD's JSON"),
        ("a.json", "[1]", ": entry 0: is no object"),
        ("a.json", '{"data": {}}', ": data: is no list"),
        (
            "a.json",
            '{"data": [{"paragraphs": [{"qas": [{"id": 1}]}]}]}',
            ": data[0].paragraphs[0].qas[0]: is no list",
        ),
        (
            "a.json",
            '{"Data": [{"QuestionId": "t", "Question": "x", "Answer": {}}]}',
            ": Data[0]: there is no list",
        ),
        ("a.json", '{"Data": [{"QuestionId": "t"}]}', ": Data[0].Answer: is no object"),
    ],
)
def test_bad_questions(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(weft.InvalidInput) as caught:
        read_questions(path)
    assert str(caught.value).startswith(f"{path}{said}")


@given(st.binary(max_size=200), st.sampled_from(["f", "f.jsonl", "f.csv", "f.json", "f.tsv.gz"]))
def test_anything_is_read_or_refused(memory: Path, raw: bytes, name: str) -> None:
    path = memory / name
    path.write_bytes(raw)
    for read in (read_qrels, read_run, read_questions):
        with contextlib.suppress(weft.InvalidInput):
            read(path)
