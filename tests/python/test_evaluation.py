"""Evaluation: measures against the collections' own rules, and what is said about what is missing."""

from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hashing
import plain_rules
import pytest
import weft
from hashing import Hashing
from hypothesis import given
from hypothesis import strategies as st
from weft import _core
from weft.evaluation import evaluate_run, read_qrels, read_run

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data" / "eval"
SCIFACT = DATA / "beir" / "scifact"


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    """The hashing encoder with room for a title of SciFact; abstracts still have several passages."""
    monkeypatch.setattr(hashing, "LIMIT", 60)
    return Hashing()


@pytest.fixture
def scifact(tmp_path: Path, wide: Hashing) -> Iterator[weft.Index]:
    rows = [json.loads(line) for line in (SCIFACT / "corpus.jsonl").read_text().splitlines()]
    with weft.open(tmp_path / "scifact.weft", create=True, encoder=wide) as index:
        index.add(
            [row["text"] for row in rows],
            ids=[row["_id"] for row in rows],
            titles=[row["title"] for row in rows],
        )
        yield index


def judged(index: weft.Index, **options: object) -> weft.Evaluation:
    return weft.evaluate(index, SCIFACT / "queries.jsonl", SCIFACT / "qrels/test.tsv", **options)  # type: ignore[arg-type]


def test_a_beir_folder_by_its_rule(scifact: weft.Index) -> None:
    result = judged(scifact, k=20, measures=["nDCG@10", "R@5", "Success@1", "RR@10"])
    qrels: dict[str, dict[str, int]] = {}
    for line in (SCIFACT / "qrels/test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    texts = {
        row["_id"]: row["text"]
        for row in map(json.loads, (SCIFACT / "queries.jsonl").read_text().splitlines())
    }
    expected = []
    for query, grades in qrels.items():
        best: dict[str, float] = {}
        for hit in scifact.search(texts[query], 1000):
            best[hit.id] = max(hit.score, best.get(hit.id, -math.inf))
        ranking = sorted(best, key=lambda name: (-best[name], name))
        expected.append(plain_rules.ndcg(ranking, grades))
        assert result.values[query]["nDCG@10"] == pytest.approx(expected[-1])
        assert result.values[query]["Success@1"] == float(ranking[0] in grades)
    assert 0.3 < result.means["nDCG@10"] < 1.0, (
        "a collection on which nothing or everything is found tests nothing"
    )
    assert result.means["nDCG@10"] == pytest.approx(sum(expected) / len(expected))
    assert (len(result.values), result.missing, result.unknown, result.own) == (len(qrels), (), (), 0)


def test_the_run_is_what_was_judged(scifact: weft.Index, tmp_path: Path) -> None:
    run = io.StringIO()
    result = judged(scifact, run=run)
    path = tmp_path / "run.txt"
    path.write_text(run.getvalue())
    assert evaluate_run(path, SCIFACT / "qrels/test.tsv").values == result.values
    import ir_measures

    names = [ir_measures.parse_measure(name) for name in result.means]
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query, grades in read_qrels(SCIFACT / "qrels/test.tsv").items()
        for document, grade in grades.items()
    ]
    theirs = ir_measures.calc_aggregate(names, qrels, ir_measures.read_trec_run(run.getvalue()))
    assert {str(name): value for name, value in theirs.items()} == pytest.approx(dict(result.means))


def test_queries_without_a_text_fail_and_are_named(index: weft.Index) -> None:
    result = weft.evaluate(index, {"q1": "the shuttle"}, {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}})
    assert result.missing == ("q2", "q3")
    assert result.means["Success@5"] == pytest.approx(1 / 3)
    assert set(result.values["q2"].values()) == {0.0}


def test_judged_documents_that_are_not_there_are_named(index: weft.Index) -> None:
    result = weft.evaluate(index, {"q": "the shuttle"}, {"q": {"a": 1, "gone": 2, "other": 0}})
    assert result.unknown == ("gone", "other")
    with pytest.raises(weft.InvalidInput, match=r"no relevant document is in .*toy\.weft"):
        weft.evaluate(index, {"q": "the shuttle"}, {"q": {"gone": 1, "a": 0}})


def test_queries_that_nobody_judged_are_not_asked(index: weft.Index) -> None:
    asked: list[str] = []
    weft.evaluate(
        index,
        {"q1": "the shuttle", "q2": "the wind"},
        {"q1": {"a": 1}},
        run=lambda query, ranking: asked.append(query),
    )
    assert asked == ["q1"]
    with pytest.raises(weft.InvalidInput, match="none of the judged queries"):
        weft.evaluate(index, {"x": "the shuttle"}, {"q1": {"a": 1}})


@pytest.mark.parametrize(("own", "found"), [("auto", ["c"]), ("drop", ["c", "a"]), ("keep", [])])
def test_the_querys_own_document_is_left_out(tmp_path: Path, own: str, found: list[str]) -> None:
    with weft.open(tmp_path / "own.weft", create=True, encoder=Hashing()) as index:
        index.add(["winds of the sea", "sails", "winds  of a sail"], ids=["a", "b", "c"])
        gone: list[str] = []

        def run(query: str, ranking: list[tuple[str, float]]) -> None:
            assert len(ranking) == 3 - (query in found), "as many results as before"
            if query not in {name for name, _ in ranking}:
                gone.append(query)

        queries = {"c": "winds of a sail", "a": "another question"}
        result = weft.evaluate(
            index,
            queries,
            {"c": {"b": 1}, "a": {"b": 1}},
            own=own,
            run=run,
            agreement=0,  # type: ignore[arg-type]
        )
    assert (gone, result.own) == (found, len(found))


def test_k_results_remain_without_the_own_one(tmp_path: Path) -> None:
    with weft.open(tmp_path / "own.weft", create=True, encoder=Hashing()) as index:
        index.add([f"winds {name}" for name in "abcdef"], ids=list("abcdef"))
        lengths: list[int] = []
        weft.evaluate(
            index,
            {"a": "winds a"},
            {"a": {"b": 1}},
            k=3,
            measures=["RR@3"],
            run=lambda query, ranking: lengths.append(len(ranking)),
        )
    assert lengths == [3]


def test_equal_scores_stand_in_the_order_of_ids_and_are_counted(tmp_path: Path) -> None:
    with weft.open(tmp_path / "ties.weft", create=True, encoder=Hashing()) as index:
        index.add(["the sea", "the sea", "the wind"], ids=["z", "b", "c"])
        file = io.StringIO()
        result = weft.evaluate(
            index, {"q": "sea"}, {"q": {"b": 1}}, run=file, measures=["RR", "RR@10", "nDCG@1"]
        )
    assert [line.split()[2] for line in file.getvalue().splitlines()] == ["b", "z", "c"]
    assert result.ties == 1
    assert result.means == {"RR": 1.0, "RR@10": 1.0, "nDCG@1": 1.0}, "all providers see one order"


def test_agreement_is_with_exhaustive_search(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(500)]
    # A codebook early, so that the search is staged.
    native = _core.Index.open(tmp_path / "many.weft", create=True, train_tokens=4000)
    with weft.Index(native, encoder=Hashing(), model=None, threads=None) as index:
        index.add(
            [" ".join(words[(n * m) % 500] for m in range(1, 9)) for n in range(1, 1000)],
            ids=[str(n) for n in range(1, 1000)],
        )
        assert index.info()["codebooks"]
        queries = {f"q{n}": f"{words[n]} {words[7 * n % 500]} {words[3 * n]}" for n in range(40)}
        qrels = {name: {"1": 1} for name in queries}
        narrow = weft.evaluate(index, queries, qrels, nprobe=1, ndocs=4, agreement=10)
        exact = weft.evaluate(index, queries, qrels, exact=True)
        words_only = weft.evaluate(index, queries, qrels, mode="keyword")
        expected = []
        for n in range(0, 40, 4):
            best, found = (
                {hit.id for hit in index.search(queries[f"q{n}"], k, group="document", **more)[:10]}  # type: ignore[arg-type]
                for k, more in ((100, {"exact": True}), (100, {"nprobe": 1, "ndocs": 4}))
            )
            expected.append(len(best & found) / 10)
    assert narrow.agreement is not None
    assert (narrow.agreement.queries, narrow.agreement.k) == (10, 100)
    assert narrow.agreement.overlap_at_10 == pytest.approx(sum(expected) / 10)
    assert narrow.agreement.overlap_at_10 < 1.0
    assert narrow.agreement.recall_at_100 < 1.0
    assert exact.agreement is None
    assert words_only.agreement is None


def test_the_result_prints_as_a_table_and_is_frozen(index: weft.Index) -> None:
    result = weft.evaluate(index, {"q": "the shuttle"}, {"q": {"a": 1}}, measures=["nDCG@10"])
    assert repr(result).splitlines()[:2] == ["Evaluation of 1 queries", "nDCG@10                  1.0000"]
    with pytest.raises(AttributeError):
        result.ties = 1  # type: ignore[misc]


def test_progress_is_told(index: weft.Index) -> None:
    told: list[tuple[str, int, int | None]] = []
    weft.evaluate(index, {"q": "the shuttle"}, {"q": {"a": 1}}, progress=lambda *state: told.append(state))
    assert told == [("search", 1, 1), ("compare", 1, 1)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measures": ["nonsense@3"]}, "'nonsense@3' is no measure"),
        ({"measures": ["nDCG@"]}, "'nDCG@' is no measure"),
        ({"measures": "nDCG@10"}, "measures is one str"),
        ({"measures": []}, "no measure is named"),
        ({"k": 50}, "k is 50: .* need at least 100"),
        ({"k": 0, "measures": ["AP"]}, "k is 0"),
        ({"own": "maybe"}, "own is 'maybe'"),
        ({"agreement": -1}, "agreement is -1"),
        ({"qrels": {}}, "qrels holds no judgements"),
        ({"qrels": {"q": {"a": -1}}}, r"qrels\['q'\]\['a'\] is -1"),
        ({"qrels": {"q": {"a": 0.5}}}, "is 0.5"),
    ],
)
def test_wrong_arguments(index: weft.Index, options: dict[str, object], said: str) -> None:
    with pytest.raises(weft.InvalidInput, match=said):
        weft.evaluate(index, **{"queries": {"q": "the"}, "qrels": {"q": {"a": 1}}, **options})  # type: ignore[arg-type]


def test_without_ir_measures_the_extra_is_named(index: weft.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(weft.MissingExtra, match=r"weft\[eval\]"):
        weft.evaluate(index, {"q": "the"}, {"q": {"a": 1}})
    assert issubclass(weft.MissingExtra, ImportError)


def test_a_ranking_by_the_rule_of_msmarco(tmp_path: Path, wide: Hashing) -> None:
    place = DATA / "msmarco"
    rows = [line.split("\t") for line in (place / "collection.tsv").read_text().splitlines()]
    path = tmp_path / "ranking.tsv"
    with (
        weft.open(tmp_path / "m.weft", create=True, encoder=wide) as index,
        path.open("w", encoding="utf-8") as file,
    ):
        index.add([text for _, text in rows], ids=[pid for pid, _ in rows])

        def run(query: str, ranking: list[tuple[str, float]]) -> None:
            file.writelines(f"{query}\t{pid}\t{rank}\n" for rank, (pid, _) in enumerate(ranking, start=1))

        queries, qrels = place / "queries.dev.small.tsv", place / "qrels.dev.small.tsv"
        result = weft.evaluate(index, queries, qrels, run=run, measures=["RR@10", "R@3"])
    expected = plain_rules.msmarco(path, qrels, 3)
    assert 0.3 < expected["R@3"] < 1.0
    assert dict(result.means) == pytest.approx(expected)
    assert dict(evaluate_run(path, qrels, measures=["RR@10", "R@3"]).means) == pytest.approx(expected)
    assert list(read_run(path)) == [line.split("\t")[0] for line in queries.read_text().splitlines()]


NAMES = st.sampled_from([f"d{n}" for n in range(12)])
RUNS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3", "q4"]),
    st.dictionaries(NAMES, st.floats(-4, 4, width=16), min_size=1).map(lambda found: list(found.items())),
    min_size=1,
)
QRELS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3", "q4"]), st.dictionaries(NAMES, st.integers(0, 3)), min_size=1
)


@given(RUNS, QRELS)
def test_random_runs_by_the_plain_rules(
    run: dict[str, list[tuple[str, float]]], qrels: dict[str, dict[str, int]]
) -> None:
    if not any(qrels.values()) or not run.keys() & qrels.keys():
        with pytest.raises(weft.InvalidInput):
            evaluate_run(run, qrels)
        return
    result = evaluate_run(run, qrels, measures=["nDCG@5", "R@5", "Success@5", "RR@10", "RR", "P@5"])
    assert set(result.values) == set(qrels)
    for query, grades in qrels.items():
        ranking = [name for name, _ in sorted(run.get(query, []), key=lambda one: (-one[1], one[0]))]
        relevant = {name for name, grade in grades.items() if grade > 0}
        places = [place for place, name in enumerate(ranking, start=1) if name in relevant]
        within = sum(place <= 5 for place in places)
        assert dict(result.values[query]) == pytest.approx(
            {
                "nDCG@5": plain_rules.ndcg(ranking, grades, 5),
                "R@5": within / len(relevant) if relevant else 0.0,
                "Success@5": float(within > 0),
                "RR@10": 1 / places[0] if places and places[0] <= 10 else 0.0,
                "RR": 1 / places[0] if places else 0.0,
                "P@5": within / 5,
            }
        )
    assert result.means["RR"] == pytest.approx(sum(one["RR"] for one in result.values.values()) / len(qrels))


@pytest.mark.model
def test_the_default_model_finds_what_was_judged(tmp_path: Path) -> None:
    """99 passages of three collections in one index, asked the questions of two."""
    pytest.importorskip("weft_model")
    with weft.open(tmp_path / "real.weft", create=True) as index:
        for name in ("lotte/oil/test", "lotte/rainforest/test", "msmarco"):
            lines = (DATA / name / "collection.tsv").read_text().splitlines()
            rows = [line.split("\t") for line in lines]
            index.add([text for _, text in rows], ids=[f"{name}/{pid}" for pid, _ in rows])
        abstracts = [json.loads(line) for line in (SCIFACT / "corpus.jsonl").read_text().splitlines()]
        index.add([one["text"] for one in abstracts], ids=[one["_id"] for one in abstracts])
        place = DATA / "lotte/rainforest/test"
        qrels = {
            query: {f"lotte/rainforest/test/{pid}": 1 for pid in pids}
            for query, pids in read_qrels(place / "qas.search.jsonl").items()
        }
        result = weft.evaluate(index, place / "questions.search.tsv", qrels)
        claims = judged(index)
    assert result.means["Success@5"] > 0.9
    assert claims.means["nDCG@10"] > 0.8
    assert result.agreement is not None
    assert result.agreement.overlap_at_10 == 1.0
