"""Tuning: the cheapest parameters that find enough, kept by the index, and given up again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
import weft
from engine import build, queries
from hashing import Hashing
from weft import _core, errors
from weft.tuning import LEAST_QUERIES, Measured, cheapest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

BUILT_IN = (8, 2048)


def sample(count: int) -> list[dict[str, str]]:
    text = files("weft.sample").joinpath("passages.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()[:count]]


@pytest.fixture(scope="module")
def questions() -> list[str]:
    """Openings of passages, some words left out: what a user half remembers."""
    return [" ".join(one["text"].split()[1:12:2]) for one in sample(600)[::10]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A coded index of the first 600 passages of the sample."""
    path = tmp_path_factory.mktemp("tuning") / "i"
    native = _core.Index.open(path, create=True, train_tokens=1, threads=2)
    with weft.Index(native, encoder=Hashing()) as index:
        rows = sample(600)
        index.add([row["text"] for row in rows], ids=[row["id"] for row in rows])
        assert {segment["kind"] for segment in index.info()["segments"]} == {"coded"}
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "i")
    return tmp_path / "i"


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every time once: no test looks at how long anything took."""
    monkeypatch.setattr("weft.tuning._TIMES", 1)


def opened(path: Path, **options: object) -> weft.Index:
    return weft.open(path, encoder=Hashing(), threads=2, **options)  # type: ignore[arg-type]


def overlap(index: weft.Index, asked: list[str], k: int, **parameters: int) -> float:
    shares = []
    for question in asked:
        true = {(hit.id, hit.passage) for hit in index.search(question, k, exact=True, texts=False)}
        found = {(hit.id, hit.passage) for hit in index.search(question, k, texts=False, **parameters)}
        shares.append(len(true & found) / len(true))
    return sum(shares) / len(shares)


def in_use(index: weft.Index, k: int = 10) -> tuple[int, int]:
    return index._native.search_defaults(k)


def test_the_target_is_reached_at_less_work_and_kept(path: Path, questions: list[str]) -> None:
    with opened(path) as index, opened(path) as other:
        before = index.info()
        assert (before["tuned"], in_use(index)) == ([], BUILT_IN)
        tuning = index.tune(questions, target=0.9)
        best = tuning.best
        assert (tuning.k, tuning.target, tuning.queries, tuning.stored) == (10, 0.9, len(questions), True)
        assert (tuning.before.nprobe, tuning.before.ndocs) == BUILT_IN
        assert best in tuning.tried
        assert best.overlap - best.standard_error >= 0.9
        assert best.work[0] < tuning.before.work[0]
        assert best.overlap == pytest.approx(overlap(index, questions, 10))
        assert best.overlap == pytest.approx(
            overlap(index, questions, 10, nprobe=best.nprobe, ndocs=best.ndocs)
        )
        # An index that was open all the time sees it, and a commit it was.
        assert in_use(other) == (best.nprobe, best.ndocs)
        assert other.info()["generation"] == before["generation"] + 1
        assert other.search(questions[0]) == index.search(questions[0], nprobe=best.nprobe, ndocs=best.ndocs)
        assert index.check() == []
    with opened(path, read_only=True) as index:
        (kept,) = index.info()["tuned"]
        assert kept == {
            "k": 10,
            "nprobe": best.nprobe,
            "ndocs": best.ndocs,
            "target": 0.9,
            "overlap": best.overlap,
            "standard_error": best.standard_error,
            "queries": len(questions),
            "passages": before["passages"],
        }
        assert in_use(index, 3) == (best.nprobe, best.ndocs)
        assert in_use(index, 11) != (best.nprobe, best.ndocs)


def test_every_step_of_the_staircase_reaches_the_target_and_none_is_above_another(
    path: Path, questions: list[str]
) -> None:
    with opened(path) as index:
        tuning = index.tune(questions, target=0.9, dry_run=True)
        tried = tuning.tried
        assert all(one.overlap - one.standard_error >= 0.9 for one in tried)
        nprobes, sizes = [one.nprobe for one in tried], [one.ndocs for one in tried]
        assert nprobes == sorted(set(nprobes))
        assert sizes == sorted(set(sizes), reverse=True)
        # The same queries, the same steps: only times differ from run to run.
        again = index.tune(questions, target=0.9, dry_run=True).tried
        assert [(one.nprobe, one.ndocs, one.overlap, one.work) for one in again] == [
            (one.nprobe, one.ndocs, one.overlap, one.work) for one in tried
        ]


def test_arguments_win(path: Path, questions: list[str]) -> None:
    with opened(path) as index:
        index._native.set_tuned(
            k=10, nprobe=1, ndocs=10, target=0.5, overlap=0.5, standard_error=0.0, queries=20, passages=1
        )
        vectors = Hashing().encode_query([questions[0]])[0]

        def looked_at(**parameters: int) -> tuple[int, int]:
            stages = index.search_vectors(vectors, profile=True, **parameters).profile.stages
            return stages["probe"].counts["cells"] // len(vectors), stages["residuals"].counts["passages"]

        assert looked_at() == (1, 10)
        assert looked_at(nprobe=3) == (3, 10)
        assert looked_at(ndocs=80) == (1, 20)


def test_a_dry_run_changes_nothing(path: Path, questions: list[str]) -> None:
    with opened(path, read_only=True) as index:
        generation = index.info()["generation"]
        tuning = index.tune(questions, target=0.8, dry_run=True)
        assert not tuning.stored
        assert (index.info()["tuned"], index.info()["generation"]) == ([], generation)
        with pytest.raises(errors.ReadOnlyIndex):
            index.tune(questions, target=0.8)
        with pytest.raises(errors.ReadOnlyIndex):
            index.reset_tuning()


def test_one_for_each_k_and_reset(path: Path, questions: list[str]) -> None:
    with opened(path) as index:
        index.tune(questions, target=0.8, k=5)
        index.tune(questions, target=0.8)
        index.tune(questions, target=0.7, k=30)
        index.tune(questions, target=0.7)
        assert [(one["k"], one["target"]) for one in index.info()["tuned"]] == [
            (5, 0.8),
            (10, 0.7),
            (30, 0.7),
        ]
        generation = index.info()["generation"]
        assert index.reset_tuning(7) == 0
        assert index.info()["generation"] == generation
        assert index.reset_tuning(10) == 1
        assert in_use(index) == BUILT_IN
        assert [one["k"] for one in index.info()["tuned"]] == [5, 30]
        assert index.reset_tuning() == 2
        assert index.info()["tuned"] == []
        assert in_use(index, 5) == BUILT_IN


def test_what_was_deleted_does_not_count(path: Path, questions: list[str]) -> None:
    with opened(path) as index:
        gone = [row["id"] for row in sample(600)[::3]]
        index.delete(gone)
        tuning = index.tune(questions, target=0.9)
        assert tuning.best.overlap == pytest.approx(overlap(index, questions, 10))
        assert not {hit.id for question in questions for hit in index.search(question)} & set(gone)
        assert index.info()["tuned"][0]["passages"] == index.info()["passages"]


def test_it_survives_writing_compacting_and_repairing(
    path: Path, questions: list[str], tmp_path: Path
) -> None:
    with opened(path) as index:
        index.tune(questions, target=0.8)
        kept = index.info()["tuned"]
        index.add(["one more"])
        index.compact()
        assert index.info()["tuned"] == kept
    weft.repair(path, tmp_path / "repaired")
    with opened(tmp_path / "repaired") as index:
        assert index.info()["tuned"] == kept


def test_vectors_can_be_tuned_by(tmp_path: Path) -> None:
    _, vectors = build(tmp_path / "i", 500, 12, train_tokens=1)
    with weft.open(tmp_path / "i") as index:
        tuning = index.tune(queries(vectors, 30), target=0.9, dry_run=True)
        assert tuning.queries == 30
        assert index.tune(queries(vectors, 60), sample=25, target=0.9, dry_run=True).queries == 25


def test_progress_names_what_is_done(path: Path, questions: list[str]) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with opened(path) as index:
        index.tune(questions, target=0.8, dry_run=True, progress=lambda *told: seen.append(told))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["compare", "search", "time"]
    assert ("compare", len(questions), len(questions)) in seen
    assert seen[-1][1] == seen[-1][2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"queries": ["a", "b"] * 30},
            rf"2 different queries are too few to tune by: at least {LEAST_QUERIES}",
        ),
        ({"queries": []}, "0 different queries are too few"),
        ({"sample": 10}, "10 different queries are too few"),
        ({"target": 0}, "target is 0: a share is needed"),
        ({"target": 95}, "target is 95: a share is needed"),
        ({"target": True}, "target is True"),
        ({"k": 0}, "k is 0: a whole number"),
        ({"queries": "one query that is long enough for twenty"}, "queries is one str"),
        ({"queries": ["\ud800", *map(str, range(30))]}, r"queries\[0\] has half a surrogate pair"),
        ({"queries": [1, 2, 3] * 10}, r"queries\[0\]"),
        ({"queries": ["text"] * 20 + [None]}, r"queries\[0\]"),
        ({"sample": 0}, "sample is 0: a whole number"),
    ],
)
def test_what_cannot_be_is_refused(
    path: Path, questions: list[str], change: dict[str, object], said: str
) -> None:
    with opened(path) as index, pytest.raises(errors.InvalidInput, match=said):
        index.tune(**{"queries": questions, **change})  # type: ignore[arg-type]


def test_a_target_out_of_reach_says_what_is_within(
    path: Path, questions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.tuning._NPROBE", (1,))
    monkeypatch.setattr("weft.tuning._NDOCS", (10,))
    monkeypatch.setattr("weft.tuning._MORE_NDOCS", (11,))
    with (
        opened(path) as index,
        pytest.raises(
            errors.InvalidInput, match=r"no parameters reach an overlap of 1: nprobe=1 and ndocs=80 find 0\."
        ),
    ):
        index.tune(questions, target=1)


def test_an_index_that_is_searched_exactly_has_nothing_to_tune(index: weft.Index) -> None:
    with pytest.raises(errors.InvalidInput, match="is searched exactly, since it has only 19 token vectors"):
        index.tune([f"query {n}" for n in range(30)])


def test_not_inside_a_batch(path: Path, questions: list[str]) -> None:
    with opened(path) as index, index.batch():
        with pytest.raises(errors.InvalidInput, match="inside a batch"):
            index.tune(questions)
        with pytest.raises(errors.InvalidInput, match="inside a batch"):
            index.reset_tuning()


def test_another_writer_is_waited_for_or_named(path: Path, questions: list[str]) -> None:
    with opened(path) as index, opened(path) as other, other.batch():
        other.add(["staged"])
        with pytest.raises(errors.IndexLocked):
            index.tune(questions, target=0.8)


def stored(path: Path, value: str | None) -> None:
    """Write the setting past the engine."""
    connection = sqlite3.connect(path / "catalog.sqlite")
    with connection:
        connection.execute("DELETE FROM settings WHERE key = 'tuned'")
        if value is not None:
            connection.execute("INSERT INTO settings VALUES ('tuned', ?)", [value])
    connection.close()


def test_damage_is_named(path: Path) -> None:
    stored(path, '[{"k": 10, "nprobe": 0, "ndocs": 64}]')
    with pytest.raises(errors.CorruptIndex, match="tuned is"):
        opened(path)


def test_keys_and_members_of_newer_versions_are_passed_over(path: Path) -> None:
    connection = sqlite3.connect(path / "catalog.sqlite")
    with connection:
        connection.execute("INSERT INTO settings VALUES ('from_the_future', '1')")
    connection.close()
    one = {"k": 10, "nprobe": 2, "ndocs": 64, "target": 0.9, "overlap": 0.91, "standard_error": 0.01}
    stored(path, json.dumps([{**one, "queries": 40, "passages": 600, "milliseconds": [0.5]}]))
    with opened(path) as index:
        assert in_use(index) == (2, 64)
        assert index.check() == []


@pytest.mark.parametrize(
    "change", [{"nprobe": 0}, {"ndocs": 9}, {"overlap": 1.5}, {"standard_error": -1.0}, {"k": 0}]
)
def test_the_engine_stores_no_nonsense(path: Path, change: dict[str, float]) -> None:
    good = {"k": 10, "nprobe": 2, "ndocs": 64, "target": 0.9, "overlap": 0.91, "standard_error": 0.01}
    with opened(path) as index:
        with pytest.raises(errors.InvalidInput):
            index._native.set_tuned(**{**good, "queries": 40, "passages": 600, **change})
        assert index.info()["tuned"] == []


def measured(nprobe: int, milliseconds: float, tokens: int) -> Measured:
    return Measured(nprobe, 64, 0.96, 0.01, milliseconds, (tokens, 0, 0))


def test_time_decides_and_within_the_noise_work() -> None:
    slow, quick, same = measured(1, 2.0, 10), measured(2, 1.0, 100), measured(4, 1.02, 90)
    assert cheapest([slow, quick]) == quick
    assert cheapest([slow, quick, same]) == same
    assert cheapest([quick, measured(1, 1.0, 100)]).nprobe == 1


def test_it_prints_as_a_table(path: Path, questions: list[str]) -> None:
    with opened(path) as index:
        lines = str(index.tune(questions, target=0.8, dry_run=True)).splitlines()
    assert lines[0] == f"overlap@10 with exhaustive search, {len(questions)} queries, target 0.8"
    assert lines[1].split()[:5] == ["before", "nprobe", "8", "ndocs", "2048"]
    assert lines[-1].startswith("  best ")


@pytest.fixture
def asked(tmp_path: Path, questions: list[str]) -> Path:
    file = tmp_path / "questions.tsv"
    file.write_text("".join(f"q{n}\t{text}\n" for n, text in enumerate(questions)), encoding="utf-8")
    return file


def test_the_command(path: Path, asked: Path, run: Callable[..., Outcome]) -> None:
    dry = run("tune", path, "--queries", asked, "--target", 0.9, "--dry-run")
    assert dry.status == 0
    assert "would be the defaults (dry run) for 10 results and somewhat fewer" in dry.err
    assert "overlap@10 with exhaustive search" in dry.out
    assert "tuned: none" in run("info", path).out
    done = run("tune", path, "--queries", asked, "--target", 0.9, "--json")
    values = json.loads(done.out)
    assert values["stored"] is True
    assert "are now the defaults for 10 results and somewhat fewer" in done.err
    # 60 queries: the second digit is a guess, and the command says how many would do.
    assert values["best"]["standard_error"] > 0.01
    assert "queries would make it ± 0.01" in done.err
    assert f"k 10, nprobe {values['best']['nprobe']}, " in run("info", path).out
    assert json.loads(run("info", path, "--json").out)["tuned"][0]["overlap"] == values["best"]["overlap"]
    assert json.loads(run("tune", path, "--reset", "--json").out) == {"reset": 1}
    assert "0 tunings given up" in run("tune", path, "--reset").err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "give either --queries FILE or --reset"),
        (["--queries", "q.tsv", "--reset"], 2, "give either"),
        (["--reset", "--dry-run"], 2, "nothing to measure"),
        (["--queries", "q.tsv", "--target", "95"], 2, "no number above 0 and at most 1"),
        (["--queries", "missing.tsv"], 1, "no such file"),
    ],
)
def test_wrong_usage(
    path: Path, run: Callable[..., Outcome], arguments: list[str], status: int, said: str
) -> None:
    outcome = run("tune", path, *arguments)
    assert (outcome.status, said in outcome.err) == (status, True)
