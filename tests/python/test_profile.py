"""`profile=True`: the same hits, and counts that can be foretold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import weft
from engine import build, queries
from hashing import Hashing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

COUNT, LENGTH, TOKENS = 700, 40, 12
WORDS = ["warp", "weft", "loom", "shuttle", "tension", "heddle", "reed", "selvedge"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A coded index of 700 documents, and its vectors."""
    path = tmp_path_factory.mktemp("profile") / "i"
    native, vectors = build(path, COUNT, LENGTH, train_tokens=1)
    assert [s["kind"] for s in native.info()["segments"]] == ["coded"]
    return path, vectors


@pytest.fixture(scope="module", params=[1, 2])
def coded(request, made):
    path, vectors = made
    with weft.open(path, threads=request.param) as opened:
        yield opened, queries(vectors, 6, TOKENS), request.param


def counts(profile: weft.Profile) -> dict[str, dict[str, int]]:
    return {name: dict(stage.counts) for name, stage in profile.stages.items()}


def test_hits_are_the_same(coded) -> None:
    index, asked, _ = coded
    for parameters in (
        {},
        {"exact": True},
        {"nprobe": 1, "ndocs": 64},
        {"nprobe": 2, "ndocs": 128, "centroid_score_threshold": 0.4},
        {"group": "document"},
    ):
        assert index.search_vectors(asked, 7, profile=True, **parameters).hits == index.search_vectors(
            asked, 7, **parameters
        )
        assert index.search_vectors(asked[0], 7, profile=True, **parameters).hits == index.search_vectors(
            asked[0], 7, **parameters
        )


def test_counts_of_one_query(coded) -> None:
    index, asked, threads = coded
    hits, profile = index.search_vectors(asked[0], 5, nprobe=4, ndocs=100, profile=True)
    assert (len(hits), profile.queries, profile.threads) == (5, 1, threads)
    seen = counts(profile)
    assert list(seen) == [
        "centroids",
        "probe",
        "candidates",
        "cut",
        "interaction",
        "residuals",
        "rescore",
        "texts",
    ]
    centroids = index.info()["codebooks"][0]["centroids"]
    dim = index.info()["dim"]
    assert seen["centroids"] == {"centroids": centroids, "bytes": centroids * dim}
    assert seen["probe"] == {"cells": TOKENS * 4}
    assert 100 < seen["candidates"]["passages"] <= COUNT
    assert seen["cut"] == {"passages": 100 + 25}
    assert seen["interaction"] == {"passages": 100, "tokens": 100 * LENGTH, "bytes": 100 * LENGTH * 2}
    # A code of two bytes, two bits a component, a byte of norm.
    assert seen["residuals"] == {
        "passages": 25,
        "tokens": 25 * LENGTH,
        "bytes": 25 * LENGTH * (2 + dim // 4 + 1),
    }
    assert 5 <= seen["rescore"]["passages"] <= 25
    assert seen["rescore"]["tokens"] == seen["rescore"]["passages"] * LENGTH
    assert seen["texts"] == {"passages": 5}


def test_times_of_one_query_are_those_of_its_stages(coded) -> None:
    index, asked, _ = coded
    profile = index.search_vectors(asked[0], profile=True).profile
    assert all(stage.milliseconds > 0 and stage.calls >= 1 for stage in profile.stages.values())
    assert sum(stage.milliseconds for stage in profile.stages.values()) <= profile.milliseconds


def test_a_batch_is_the_sum_of_its_queries(coded) -> None:
    index, asked, threads = coded
    together = index.search_vectors(asked, profile=True).profile
    single = [index.search_vectors(query, profile=True).profile for query in asked]
    assert together.queries == len(asked)
    for name, stage in together.stages.items():
        assert stage.calls == sum(one.stages[name].calls for one in single)
        for counter, count in stage.counts.items():
            assert count == sum(one.stages[name].counts[counter] for one in single)
    # Queries run beside each other, a thread each.
    spent = sum(stage.milliseconds for stage in together.stages.values())
    assert spent <= threads * together.milliseconds


def test_plaid_prunes(coded) -> None:
    index, asked, _ = coded
    parameters = {"nprobe": 4, "ndocs": 64, "centroid_score_threshold": 0.4}
    profile = index.search_vectors(asked[0], profile=True, **parameters).profile
    seen = counts(profile)
    assert "cut" not in seen
    assert profile.stages["refine"].calls == 2
    assert seen["prune"]["passages"] == seen["candidates"]["passages"] > 64
    assert seen["interaction"]["passages"] == 64
    assert seen["residuals"]["passages"] == 16


def test_an_exact_search_scans_what_is_alive(tmp_path) -> None:
    build(tmp_path / "i", 50, 8, train_tokens=1)
    with weft.open(tmp_path / "i") as index:
        index.delete([f"d{i}" for i in range(7)])
        asked = np.eye(48, dtype=np.float32)[:3]
        profile = index.search_vectors(asked, exact=True, profile=True).profile
        assert counts(profile)["scan"] == {"passages": 43, "tokens": 43 * 8, "bytes": 43 * 8 * (2 + 12 + 1)}
        assert index.search_vectors(asked, 50, profile=True).profile.stages["probe"].calls >= 1


def test_a_filter_that_lets_few_through_needs_no_cells(tmp_path) -> None:
    with weft.open(tmp_path / "i", create=True, encoder=Hashing()) as index:
        names = [f"d{i}" for i in range(400)]
        texts = [" ".join(WORDS[(i + j) % 8] for j in range(5)) + f" {i}" for i in range(400)]
        index.add(texts, ids=names, metadata=[{"n": i} for i in range(400)])
        found = index.search("warp", filter={"n": {"lt": 9}}, profile=True)
        assert len(found.hits) == 9
        seen = counts(found.profile)
        assert list(seen) == ["encode", "filter", "scan", "texts"]
        assert seen["filter"] == {"passages": 9}
        assert seen["scan"]["passages"] == 9
        assert index.search("warp", filter={}, profile=True).profile.stages.keys() == {
            "encode",
            "scan",
            "texts",
        }


def test_few_of_a_coded_index_are_looked_up(tmp_path) -> None:
    native, vectors = build(tmp_path / "i", 300, 8, train_tokens=1)
    del native
    with weft.open(tmp_path / "i") as index:
        index.update([f"d{i}" for i in range(5)], [{"n": 1}] * 5)
        found = index.search_vectors(queries(vectors, 1)[0], filter={"n": 1}, profile=True)
        assert list(counts(found.profile)) == ["filter", "locate", "rescore", "texts"]
        assert counts(found.profile)["locate"] == {"passages": 5}
        assert counts(found.profile)["rescore"]["tokens"] == 40


def test_words_and_both(index: weft.Index) -> None:
    keyword = index.search("sail", mode="keyword", profile=True)
    assert keyword.hits == index.search("sail", mode="keyword")
    assert counts(keyword.profile) == {"keywords": {"passages": 1}, "texts": {"passages": 1}}
    hybrid = index.search("sail", mode="hybrid", profile=True)
    assert hybrid.hits == index.search("sail", mode="hybrid")
    assert list(hybrid.profile.stages) == ["encode", "scan", "keywords", "fusion", "texts"]
    assert hybrid.profile.stages["fusion"].counts == {"passages": 3}
    # "[CLS]" and the word.
    assert hybrid.profile.stages["encode"].counts == {"tokens": 2}


def test_nothing_to_search(tmp_path: Path, index: weft.Index) -> None:
    found = index.search([], profile=True)
    assert (found.hits, found.profile.queries, dict(found.profile.stages)) == ([], 0, {})
    with weft.open(tmp_path / "empty", create=True, encoder=Hashing()) as empty:
        assert empty.search("a", profile=True).hits == []
        assert empty.search_vectors(np.eye(8, dtype=np.float32), profile=True).hits == []


def test_it_prints_as_a_table(index: weft.Index) -> None:
    lines = str(index.search("sail", profile=True).profile).splitlines()
    assert re.fullmatch(r"\d+\.\d{3} ms for 1 query on (1 thread|\d+ threads)", lines[0])
    assert [line.split()[0] for line in lines[1:]] == ["encode", "scan", "texts", "between"]
    assert lines[2].endswith("3 passages, 19 tokens, 1,216 bytes")
    several = str(index.search(["sail", "wind"], profile=True).profile)
    assert "for 2 queries" in several
    assert "between" not in several


@pytest.fixture
def files(tmp_path: Path, run: Callable[..., Outcome]) -> tuple[Path, Path]:
    corpus, asked = tmp_path / "corpus.jsonl", tmp_path / "queries.tsv"
    corpus.write_text(
        "".join(json.dumps({"id": f"d{i}", "text": f"{w} {i}"}) + "\n" for i, w in enumerate(WORDS))
    )
    asked.write_text("".join(f"q{i}\t{word}\n" for i, word in enumerate(WORDS * 10)))
    assert run("index", tmp_path / "made.weft", corpus).status == 0
    return tmp_path / "made.weft", asked


def test_the_command_says_it_on_stderr(files: tuple[Path, Path], run: Callable[..., Outcome]) -> None:
    path, _ = files
    plain, profiled = run("search", path, "loom"), run("search", path, "loom", "--profile")
    assert (plain.status, profiled.status) == (0, 0)
    assert profiled.out == plain.out
    assert plain.err == ""
    assert " ms for 1 query on " in profiled.err
    assert "8 passages, 24 tokens" in profiled.err


def test_the_command_gives_it_as_json(files: tuple[Path, Path], run: Callable[..., Outcome]) -> None:
    path, asked = files
    one = json.loads(run("search", path, "loom", "--profile", "--json").out)
    assert one["hits"] == json.loads(run("search", path, "loom", "--json").out)
    assert one["profile"]["stages"]["scan"]["counts"]["passages"] == 8
    many = run("search", path, "--queries", asked, "--profile", "--json", "-k", 3)
    assert many.err == ""
    answers = json.loads(many.out)
    assert answers["answers"] == json.loads(run("search", path, "--queries", asked, "--json", "-k", 3).out)
    # Two calls, of 64 and 16 queries, are one sum.
    assert answers["profile"]["queries"] == 80
    assert answers["profile"]["stages"]["texts"]["counts"] == {"passages": 240}


def test_the_command_keeps_runs_and_lines_as_they_are(
    tmp_path: Path, files: tuple[Path, Path], run: Callable[..., Outcome]
) -> None:
    path, asked = files
    lines = run("search", path, "--queries", asked, "--profile", "--jsonl")
    assert lines.out == run("search", path, "--queries", asked, "--jsonl").out
    assert "for 80 queries" in lines.err
    assert (
        "for 80 queries" in run("search", path, "--queries", asked, "--profile", "--trec", tmp_path / "r").err
    )
