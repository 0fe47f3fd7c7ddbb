"""`weft eval`: of an index, of a run, of collections in the layouts of BEIR and LoTTE."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import hashing
import plain_rules
import pytest
import weft
from hashing import Hashing

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

    Run = Callable[..., Outcome]

DATA = Path(__file__).parents[1] / "data" / "eval"
LOTTE = DATA / "lotte"
SCIFACT = DATA / "beir" / "scifact"


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles of SciFact fit the hashing encoder."""
    monkeypatch.setattr(hashing, "LIMIT", 60)


@pytest.fixture
def oil(tmp_path: Path, run: Run) -> Path:
    path = tmp_path / "oil.weft"
    assert run("index", "-q", path, LOTTE / "oil/test/collection.tsv").status == 0
    return path


ASKED = ["--queries", LOTTE / "oil/test/questions.search.tsv", "--qrels", LOTTE / "oil/test/qas.search.jsonl"]


def test_an_index(oil: Path, run: Run) -> None:
    outcome = run("eval", oil, *ASKED)
    assert outcome.status == 0
    assert outcome.out.splitlines()[:2] == [str(oil), "Evaluation of 18 queries"]
    assert re.search(r"^RR@10 +0\.\d{4}$", outcome.out, re.MULTILINE)
    assert re.search(r"^overlap@10 with exact +1\.0000$", outcome.out, re.MULTILINE)
    assert "equal scores in 0 rankings; they stand in the order of the ids" in outcome.err


def test_as_json_with_every_query(oil: Path, run: Run) -> None:
    (row,) = json.loads(run("eval", oil, *ASKED, "--json", "--per-query", "-q").out)
    with weft.open(oil, encoder=Hashing()) as index:
        result = weft.evaluate(index, ASKED[1], ASKED[3])
    assert row["measures"] == dict(result.means)
    assert row["values"] == {query: dict(values) for query, values in result.values.items()}
    assert row["agreement"] == {"queries": 18, "k": 100, "overlap_at_10": 1.0, "recall_at_100": 1.0}
    assert (row["queries"], row["missing"], row["unknown"], row["own"]) == (18, [], [], 0)
    (brief,) = json.loads(run("eval", oil, *ASKED, "--json", "-q").out)
    assert "values" not in brief


def test_a_run_is_written_and_judged_again(tmp_path: Path, oil: Path, run: Run) -> None:
    target = tmp_path / "run.txt"
    (first,) = json.loads(run("eval", oil, *ASKED, "--run", target, "--json").out)
    (again,) = json.loads(run("eval", "--run-in", target, "--qrels", ASKED[3], "--json").out)
    assert again["measures"] == first["measures"]
    searched = run("search", oil, "--queries", ASKED[1], "--trec", "-").out
    assert target.read_text() == searched, "the same as weft search writes"
    assert list(tmp_path.glob("*.part")) == []


def test_missing_queries_and_unknown_documents_are_warned_of(tmp_path: Path, oil: Path, run: Run) -> None:
    qrels = tmp_path / "qrels"
    qrels.write_text("".join(f"{qid} 0 {qid} 1\n" for qid in range(20)))
    outcome = run("eval", oil, "--queries", ASKED[1], "--qrels", qrels, "-q")
    assert (
        f"warning: {oil}: 2 queries have no text or no ranking, and count as failures: 18, 19\n"
        in outcome.err
    )
    assert "4 judged documents are not in the index, and cannot be found: 16, 17, 18, 19" in outcome.err
    assert outcome.out.splitlines()[1] == "Evaluation of 20 queries"


def test_answers(tmp_path: Path, run: Run) -> None:
    path, reader = tmp_path / "r.weft", tmp_path / "reader.json"
    assert run("index", path, LOTTE / "rainforest/test/collection.tsv").status == 0
    outcome = run("eval", path, "--answers", DATA / "answers.jsonl", "--reader-out", reader, "--json")
    (row,) = json.loads(outcome.out)
    entries = json.loads(reader.read_text())
    for depth in (1, 5, 20, 100):
        found = [
            any(plain_rules.dpr_has_answer(entry["answers"], one["text"]) for one in entry["ctxs"][:depth])
            for entry in entries
        ]
        assert row["measures"][f"Success@{depth}"] == pytest.approx(sum(found) / 40)
    assert (row["kind"], row["queries"]) == ("answers", 40)
    assert f"wrote {reader}" in outcome.err
    place = LOTTE / "rainforest/test"
    both = run(
        "eval", path, "--queries", place / "questions.search.tsv", "--qrels", place / "qas.search.jsonl",
        "--answers", DATA / "answers.jsonl", "--json",
    )  # fmt: skip
    assert [one["kind"] for one in json.loads(both.out)] == [None, "answers"]
    printed = run("eval", path, "--answers", DATA / "answers.jsonl").out
    assert printed.startswith(f"{path}, answers\nEvaluation of 40 questions\nSuccess@1 ")


def test_lotte_counts_as_its_own_script(tmp_path: Path, run: Run) -> None:
    outcome = run(
        "eval", "--lotte", LOTTE, "--index-dir", tmp_path / "i", "--rankings", tmp_path / "r", "--json"
    )
    rows = json.loads(outcome.out)
    assert [(row["name"], row["kind"], row["queries"]) for row in rows] == [
        ("oil", "search", 18),
        ("oil", "forum", 18),
        ("rainforest", "search", 40),
        ("rainforest", "forum", 40),
    ]
    for row in rows:
        ranking = tmp_path / "r/test" / f"{row['name']}.{row['kind']}.ranking.tsv"
        qas = LOTTE / row["name"] / "test" / f"qas.{row['kind']}.jsonl"
        assert row["measures"] == {"Success@5": pytest.approx(plain_rules.lotte_success(ranking, qas))}
        assert row["published"] is None
    assert min(row["measures"]["Success@5"] for row in rows) < 1.0
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == [
        "lotte-oil-test.weft",
        "lotte-rainforest-test.weft",
    ]


def test_lotte_prints_the_published_row_beside(tmp_path: Path, run: Run) -> None:
    # The name alone decides what stands beside it.
    shutil.copytree(LOTTE / "oil", tmp_path / "lotte/science")
    shutil.copytree(LOTTE / "rainforest", tmp_path / "lotte/other")
    (tmp_path / "lotte/other/test/qas.forum.jsonl").unlink()
    outcome = run("eval", "--lotte", tmp_path / "lotte", "--agreement", "3")
    lines = outcome.out.splitlines()
    assert lines[0] == "LoTTE test, Success@5 in percent"
    assert lines[1].split() == ["search", "ColBERTv2", "forum", "ColBERTv2"]
    assert re.fullmatch(r"science +\d+\.\d +56\.7 +\d+\.\d +46\.1", lines[2])
    assert re.fullmatch(r"other +\d+\.\d +- +- +-", lines[3])
    assert re.search(r"^science forum +18 +[01]\.\d{4} +0\.461 +1\.0000 +1\.0000$", outcome.out, re.MULTILINE)
    assert "exhaustive MaxSim over the same index that a search with k=100 finds" in outcome.out
    assert lines[-1].startswith("ColBERTv2: Santhanam et al.")


def test_a_question_that_is_not_asked_is_a_failure(tmp_path: Path, run: Run) -> None:
    shutil.copytree(LOTTE / "oil", tmp_path / "lotte/oil")
    questions = tmp_path / "lotte/oil/test/questions.search.tsv"
    questions.write_text("".join(questions.read_text().splitlines(keepends=True)[1:]))
    outcome = run("eval", "--lotte", tmp_path / "lotte", "--rankings", tmp_path / "r", "--json")
    ranking = tmp_path / "r/test/oil.search.ranking.tsv"
    expected = plain_rules.lotte_success(ranking, tmp_path / "lotte/oil/test/qas.search.jsonl")
    assert json.loads(outcome.out)[0]["measures"]["Success@5"] == pytest.approx(expected)
    assert re.search(r"^oil search: Success@5 0\.\d{4}$", outcome.err, re.MULTILINE)
    assert "oil search: 1 queries have no text or no ranking, and count as failures: 0\n" in outcome.err


def test_beir_and_an_index_that_is_there(tmp_path: Path, run: Run) -> None:
    arguments = ["eval", "--beir", SCIFACT, "--index-dir", tmp_path / "i"]
    first = run(*arguments)
    assert f"made {tmp_path}/i/scifact.weft: 31 documents" in first.err
    again = run(*arguments)
    assert f"using {tmp_path}/i/scifact.weft: 31 documents" in again.err
    assert again.out == first.out
    assert first.out.split("\n")[0].split()[:4] == ["collection", "queries", "nDCG@10", "ColBERTv2"]
    assert re.search(r"^scifact +16 +0\.\d{4} +0\.693 ", first.out, re.MULTILINE)
    row = json.loads(run(*arguments, "--json").out)[0]
    assert row["published"]["value"] == 0.693
    assert "2112.01488" in row["published"]["source"]
    other = json.loads(run(*arguments, "--json", "--measures", "P@5", "--exact").out)[0]
    assert list(other["measures"]) == ["P@5"]
    assert other["agreement"] is None


def test_compressed_files_and_documents_without_text(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "scifact"
    (folder / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        raw = (SCIFACT / name).read_bytes()
        if name == "corpus.jsonl":
            raw = b'{"_id": "none", "title": " ", "text": ""}\n' + raw
        (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
    plain = run("eval", "--beir", SCIFACT)
    packed = run("eval", "--beir", folder)
    assert packed.out == plain.out
    assert "passed over 1 documents of" in packed.err


def test_the_querys_own_id_is_dropped_as_beir_does(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "arguana"
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": f"a{n}", "title": "", "text": text}
        for n, text in enumerate(["it stands so", "it stands", "no"])
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "a0", "text": "it stands so"}))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\na0\ta1\t1\n")
    outcome = run("eval", "--beir", folder, "--measures", "nDCG@1")
    assert "arguana: left out 1 results that have the query's own id" in outcome.err
    assert re.search(r"^arguana +1 +1\.0000 ", outcome.out, re.MULTILINE)
    kept = run("eval", "--beir", folder, "--measures", "nDCG@1", "--own", "keep")
    assert re.search(r"^arguana +1 +0\.0000 ", kept.out, re.MULTILINE)


def test_another_collection_in_the_index_is_refused(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "scifact"
    shutil.copytree(SCIFACT, folder)
    assert run("eval", "--beir", folder, "--index-dir", tmp_path / "i").status == 0
    lines = (folder / "corpus.jsonl").read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines[:-1], lines[-1].replace('"text": "', '"text": "Now ')]):
        (folder / "corpus.jsonl").write_text("".join(changed))
        outcome = run("eval", "--beir", folder, "--index-dir", tmp_path / "i")
        assert (outcome.status, outcome.out) == (1, "")
        assert f"{tmp_path}/i/scifact.weft holds other documents than" in outcome.err


@pytest.mark.parametrize(
    ("option", "said"), [(["--model", "other"], "hashing.*other"), (["--nbits", "4"], "nbits|bits")]
)
def test_an_index_of_another_model_or_size_is_refused(
    tmp_path: Path, run: Run, option: list[str], said: str
) -> None:
    arguments = ["eval", "--beir", SCIFACT, "--index-dir", tmp_path / "i"]
    assert run(*arguments, "--nbits", "2").status == 0
    outcome = run(*arguments, *option)
    assert (outcome.status, outcome.out) == (1, "")
    assert re.search(said, outcome.err)


def test_a_bad_last_line_is_found_before_encoding(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scifact"
    shutil.copytree(SCIFACT, folder)
    with (folder / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "4983", "title": 7, "text": "x"}\n')

    def never(self: Hashing, texts: list[str]) -> None:
        raise AssertionError("encoded")

    monkeypatch.setattr(Hashing, "encode_document", never)
    outcome = run("eval", "--beir", folder, "--index-dir", tmp_path / "i")
    assert outcome.status == 1
    assert f"{folder}/corpus.jsonl:32: the title is a number" in outcome.err
    assert list((tmp_path / "i").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--beir", SCIFACT, "--measures", "nonsense"], "'nonsense' is no measure"),
        (["--beir", SCIFACT, "-k", "5"], "k is 5: nDCG@10, R@100, Success@5, RR@10 need at least 100"),
        (["--lotte", LOTTE, "-k", "4"], "k is 4: Success@5 need at least 5"),
    ],
)
def test_arguments_are_checked_before_encoding(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[object], said: str
) -> None:
    def never(self: Hashing, texts: list[str]) -> None:
        raise AssertionError("encoded")

    monkeypatch.setattr(Hashing, "encode_document", never)
    outcome = run("eval", *arguments)
    assert (outcome.status, outcome.out) == (1, "")
    assert said in outcome.err


@pytest.mark.parametrize("name", ["qrels/test.tsv", "queries.jsonl"])
def test_questions_and_judgements_are_read_before_encoding(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "scifact"
    shutil.copytree(SCIFACT, folder)
    with (folder / name).open("a") as file:
        file.write("broken\n")

    def never(self: Hashing, texts: list[str]) -> None:
        raise AssertionError("encoded")

    monkeypatch.setattr(Hashing, "encode_document", never)
    outcome = run("eval", "--beir", SCIFACT, folder)
    assert outcome.status == 1
    assert f"{folder}/{name}:" in outcome.err


def test_an_interrupt_leaves_no_index_that_counts(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["eval", "--beir", SCIFACT, "--index-dir", tmp_path / "i", "--rankings", tmp_path / "r"]
    with monkeypatch.context() as patch:

        def interrupted(self: Hashing, texts: list[str]) -> None:
            raise KeyboardInterrupt

        patch.setattr(Hashing, "encode_document", interrupted)
        assert run(*arguments).status == 130
    with monkeypatch.context() as patch:
        patch.setattr(Hashing, "encode_query", interrupted)
        assert run(*arguments).status == 130
    assert list((tmp_path / "r").rglob("*.*")) == []
    outcome = run(*arguments)
    assert outcome.status == 0
    assert "using" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lotte", "nowhere"], "nowhere: no such folder"),
        (["--lotte", LOTTE, "--split", "dev"], "there is no <domain>/dev/collection.tsv in it"),
        (["--lotte", LOTTE, "--domains", "writing"], "writing/test/collection.tsv: no such file"),
        (["--beir", SCIFACT, "nowhere"], "nowhere: no such folder"),
        (["--beir", SCIFACT, "--split", "dev"], "qrels/dev.tsv: no such file; there are test.tsv"),
        (
            ["--run-in", LOTTE / "oil/test/collection.tsv", "--qrels", LOTTE / "oil/test/qas.search.jsonl"],
            "collection.tsv:1: 104 columns: a run has six",
        ),
    ],
)
def test_what_is_wrong_is_named(run: Run, arguments: list[object], said: str) -> None:
    outcome = run("eval", *arguments)
    assert (outcome.status, outcome.out) == (1, "")
    assert said in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.weft"],
        ["x.weft", "--qrels", "q"],
        ["x.weft", "--queries", "q"],
        ["x.weft", "--beir", "d"],
        ["x.weft", "--answers", "a", "--measures", "P@5"],
        ["x.weft", "--answers", "a", "--run", "r"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--reader-out", "r"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--split", "dev"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--per-query"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--mode", "keyword", "--exact"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--agreement", "-1"],
        ["x.weft", "--queries", "q", "--qrels", "q", "--weights", "1,1"],
        ["--run-in", "r"],
        ["--run-in", "r", "--qrels", "q", "--nprobe", "3"],
        ["--beir", "d", "--qrels", "q"],
        ["--beir", "d", "--lotte", "e"],
        ["--beir", "d", "--domains", "e"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    outcome = run("eval", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: weft eval")


def test_a_missing_index_is_3(tmp_path: Path, run: Run) -> None:
    assert run("eval", tmp_path / "no.weft", *ASKED).status == 3


def test_without_ir_measures_one_line_says_what_to_install(
    oil: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ir_measures", None)
    outcome = run("eval", oil, *ASKED)
    assert outcome.status == 1
    assert re.fullmatch(
        r'weft: evaluating needs the package ir_measures: pip install "weft\[eval\]".*\n', outcome.err
    )
