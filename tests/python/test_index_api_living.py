"""An index that lives: changed, counted, filtered, searched by words, all from Python."""

from __future__ import annotations

import json
import pickle
import threading
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
import weft
from hashing import DIM, Hashing, Plain
from hypothesis import given
from hypothesis import strategies as st
from weft.filters import as_filter
from weft.metadata import as_metadata, merged, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOOKS = {
    "loom": ("how to warp a loom", {"year": 1990, "lang": "en", "tags": ["craft", "cloth"]}),
    "sail": ("sails of hemp and cotton", {"year": 2005, "lang": "en"}),
    "tuch": ("das Tuch der Weber", {"year": 2011, "lang": "de", "author": {"name": "Ada"}}),
    "lin": ("le lin et le chanvre", {"year": 2020, "lang": "fr", "price": 1.5}),
    "bare": ("a loom without a date", None),
}


@pytest.fixture
def library(tmp_path: Path, encoder: Hashing) -> Iterator[weft.Index]:
    with weft.open(tmp_path / "library.weft", create=True, encoder=encoder) as opened:
        opened.add(
            [text for text, _ in BOOKS.values()],
            ids=list(BOOKS),
            metadata=[metadata for _, metadata in BOOKS.values()],
        )
        yield opened


def vectors(count: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal((count, 3, DIM)).astype(np.float32)


# Filters


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"lang": "en"}, "loom sail"),
        ({"year": {"gte": 2005, "lt": 2020}}, "sail tuch"),
        ({"lang": ["en", "fr"], "year": {"gt": 2000}}, "sail lin"),
        ({"lang": {"in": {"de", "fr"}}}, "tuch lin"),
        ({"lang": ("de", "fr")}, "tuch lin"),
        ({"lang": {"ne": "en"}}, "tuch lin bare"),
        ({"year": {"exists": False}}, "bare"),
        ({"tags": {"contains": "craft"}}, "loom"),
        ({"lang": {"prefix": "e"}}, "loom sail"),
        ({"author.name": "Ada"}, "tuch"),
        ({"$or": [{"year": 1990}, {"price": {"lt": 2}}]}, "loom lin"),
        ({"$not": {"year": {"gt": 2000}}}, "loom bare"),
        ({"year": np.int64(1990)}, "loom"),
        ({"price": np.float32(1.5)}, "lin"),
        ({}, "loom sail tuch lin bare"),
        ({"lang": []}, ""),
        (None, "loom sail tuch lin bare"),
    ],
)
def test_a_filter_means_the_same_everywhere(
    library: weft.Index, condition: dict[str, object] | None, expected: str
) -> None:
    ids = expected.split()
    assert list(library.ids(condition)) == ids
    assert library.count(condition) == len(ids)
    assert [document.id for document in library.documents(condition)] == ids
    for mode in ("semantic", "hybrid"):
        found = library.search("a loom", k=10, filter=condition, mode=mode)  # type: ignore[call-overload]
        assert {hit.id for hit in found} == set(ids)
    by_words = {hit.id for hit in library.search("a loom", filter=condition, mode="keyword")}
    assert by_words == {"loom", "bare"} & set(ids)
    own = library.search_vectors(vectors(1)[0], k=10, filter=condition)
    assert {hit.id for hit in own} == set(ids)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("lang", "filter is a str: a dict"),
        ([{"a": 1}], "filter is a list: a dict"),
        ({"year": {"gte": date(2020, 1, 1)}}, r"filter\['year'\]\['gte'\] is a date: .* ISO strings"),
        ({"year": {"gte": b"2020"}}, r"filter\['year'\]\['gte'\] is a bytes"),
        ({"year": float("nan")}, r"filter\['year'\] is nan"),
        ({"$or": [{"a": 1}, {"b": object()}]}, r"filter\['\$or'\]\[1\]\['b'\] is a object"),
        ({3: 4}, "filter has the key 3: keys are str"),
        ({"year": {"atleast": 2020}}, r"filter\['year'\] has the unknown operator 'atleast': use eq, ne"),
        ({"year": {"eq": {1, 2}}}, r"filter\['year'\]\['eq'\] is a list"),
        ({"$nor": []}, r"filter\['\$nor'\] is no operator here"),
        ({"a": "\ud800"}, "half a surrogate pair"),
    ],
)
def test_what_is_wrong_with_a_filter_is_named_before_anything_is_done(
    library: weft.Index, condition: object, message: str
) -> None:
    for call in (
        lambda: library.search("loom", filter=condition),  # type: ignore[call-overload]
        lambda: library.search_vectors(vectors(1)[0], filter=condition),  # type: ignore[arg-type]
        lambda: library.count(condition),  # type: ignore[arg-type]
        lambda: library.ids(condition),  # type: ignore[arg-type]
        lambda: library.documents(condition),  # type: ignore[arg-type]
        lambda: library.delete(filter=condition),  # type: ignore[arg-type]
        lambda: library.update(filter=condition, metadata={"a": 1}),  # type: ignore[arg-type]
    ):
        with pytest.raises(weft.InvalidFilter, match=message):
            call()
    assert len(library) == 5


def test_a_filter_that_contains_itself_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["$not"] = endless
    with pytest.raises(weft.InvalidFilter, match="nested too deep"):
        as_filter(endless)


# Updating


def test_update_sets_keys_and_keeps_the_others(library: weft.Index) -> None:
    before = library.search("warp a loom", k=5)
    assert library.update(["loom", "nobody"], {"lang": "nl", "read": True}) == 1
    assert library.get("loom").metadata == {
        "year": 1990,
        "lang": "nl",
        "tags": ["craft", "cloth"],
        "read": True,
    }
    assert library.update(filter={"lang": "en"}, metadata={"shelf": 3}, unset=["year", "nothing"]) == 1
    assert library.get("sail").metadata == {"lang": "en", "shelf": 3}
    assert library.update("bare", unset="year") == 1
    assert library.get("bare").metadata == {}
    after = library.search("warp a loom", k=5)
    assert [(hit.id, hit.score) for hit in after] == [(hit.id, hit.score) for hit in before]
    assert library.count({"read": True}) == 1
    assert library.check() == []


def test_update_replaces_when_it_is_told_to(library: weft.Index) -> None:
    library.update("loom", {"only": 1}, replace=True)
    assert library.get("loom").metadata == {"only": 1}
    library.update("loom", replace=True)
    assert library.get("loom").metadata == {}
    assert library.count({"year": {"exists": True}}) == 3


def test_update_takes_one_dict_per_id(library: weft.Index) -> None:
    assert library.update(["lin", "sail", "lin"], [{"n": 1}, {"n": 2}, {"m": 3}]) == 2
    assert library.get("lin").metadata == {"year": 2020, "lang": "fr", "price": 1.5, "n": 1, "m": 3}
    for ids, metadata, message in [
        (["lin", "sail"], [{"n": 7}], "metadata has 1 elements, but ids has more"),
        (["lin"], [{"n": 7}, {"n": 8}], "ids has 1 elements, but metadata has more"),
        (["lin", "sail"], [{"n": 7}, 3], r"metadata\[1\] is a int"),
    ]:
        with pytest.raises(weft.InvalidInput, match=message):
            library.update(ids, metadata)  # type: ignore[arg-type]
    assert library.count({"n": {"gt": 2}}) == 0, "nothing of a failed update stays"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metadata": {"a": 1}}, "either ids or filter"),
        ({"ids": ["a"], "filter": {"a": 1}, "metadata": {"a": 1}}, "either ids or filter"),
        ({"ids": ["a"]}, "metadata is missing"),
        ({"ids": {"year": 2020}, "metadata": {"a": 1}}, "ids is one dict: a filter is given as filter="),
        ({"ids": ["a", 3], "metadata": {"a": 1}}, r"ids\[1\] is a int"),
        ({"ids": ["a"], "metadata": {"a": float("inf")}}, "metadata cannot be written as JSON"),
        ({"filter": {"a": 1}, "metadata": [{"a": 1}]}, "with a filter, one dict"),
    ],
)
def test_what_is_wrong_with_an_update_is_named(
    library: weft.Index, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(weft.InvalidInput, match=message):
        library.update(**arguments)  # type: ignore[arg-type]


def test_numbers_that_are_not_changed_keep_their_digits() -> None:
    stored = '{"a":1.10 ,"b": 123456789012345678901234567890,\n"c":[1e3, {"d":"}"}], "e": -0.0}'
    assert merged(stored, '{"b": 2}', frozenset({"e", "x"})) == '{"a": 1.10, "b": 2, "c": [1e3, {"d":"}"}]}'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé"\\{}:, \n'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"}', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text('abc"\\:', max_size=3), JSON, max_size=4)


@given(OBJECTS, OBJECTS, st.frozensets(st.text('abc"\\:', max_size=3)), st.sampled_from([None, 2]))
def test_merging_texts_is_merging_dicts(
    stored: dict[str, object], changes: dict[str, object], removed: frozenset[str], indent: int | None
) -> None:
    expected = {key: value for key, value in stored.items() if key not in removed} | changes
    text = json.dumps(stored, indent=indent)
    assert parsed(merged(text, as_metadata(changes, "changes"), removed)) == expected


# Deleting


def test_delete_by_filter(library: weft.Index) -> None:
    assert library.delete(filter={"year": {"lt": 2010}}) == 2
    assert list(library) == ["tuch", "lin", "bare"]
    assert library.search("loom", mode="keyword")[0].id == "bare"
    assert library.delete(filter={"year": {"lt": 2010}}) == 0


def test_delete_says_which(library: weft.Index) -> None:
    for arguments in ({}, {"ids": ["loom"], "filter": {"year": 1990}}):
        with pytest.raises(weft.InvalidInput, match="either ids or filter"):
            library.delete(**arguments)  # type: ignore[arg-type]
    with pytest.raises(weft.InvalidInput, match=r"would delete everything: pass ids=list\(index\)"):
        library.delete(filter={})
    with pytest.raises(weft.InvalidInput, match="a filter is given as filter="):
        library.delete({"year": 1990})  # type: ignore[arg-type]
    assert len(library) == 5
    assert library.delete(ids=list(library)) == 5
    assert (len(library), library.delete([])) == (0, 0)


# Batches


def test_a_batch_is_one_commit(library: weft.Index) -> None:
    before = library.info()["generation"]
    with library.batch():
        library.add(["new cloth"], ids=["new"], metadata=[{"year": 2024}])
        library.add_vectors(vectors(1), ids=["own"])
        assert library.update(filter={"year": 2024}, metadata={"seen": True}) == 1
        assert library.delete(filter={"lang": "en"}) == 2
        assert ("new" in library, len(library)) == (False, 5), "reads see the last commit"
    assert library.info()["generation"] == before + 1
    assert list(library) == ["tuch", "lin", "bare", "new", "own"]
    assert library.get("new").metadata == {"year": 2024, "seen": True}
    assert library.check() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_ends_a_batch_early_takes_all_of_it_back(
    library: weft.Index, error: type[BaseException]
) -> None:
    def work() -> None:
        with library.batch():
            library.add(["new cloth"], ids=["new"])
            library.delete("loom")
            raise error

    with pytest.raises(error):
        work()
    assert (list(library), library.get("loom").text) == (list(BOOKS), BOOKS["loom"][0])
    assert library.add(["later"], ids=["later"]) == ["later"], "the lock is free again"


def test_a_batch_without_changes_leaves_no_commit(library: weft.Index) -> None:
    before = library.info()["generation"]
    with library.batch():
        library.delete([])
        library.add([])
    assert library.info()["generation"] == before
    assert library.delete([]) == 0


def test_a_call_that_is_refused_before_it_began_leaves_the_batch_usable(library: weft.Index) -> None:
    with library.batch():
        library.add(["new cloth"], ids=["new"])
        with pytest.raises(weft.InvalidInput):
            library.add(["fine", " "], ids=["x", "y"])
        with pytest.raises(weft.InvalidFilter):
            library.delete(filter={"a": {"b": 1}})
    assert list(library) == [*BOOKS, "new"]


def test_a_call_that_failed_half_way_spoils_the_batch(
    library: weft.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.ingest.WRITE_TOKENS", 4)

    def work(*, more: bool) -> None:
        with library.batch():
            with pytest.raises(weft.InvalidInput):
                library.add_vectors([*vectors(2), None])
            if more:
                library.delete("loom")

    for more in (True, False):
        with pytest.raises(weft.WeftError, match="rolls everything back"):
            work(more=more)
    assert list(library) == list(BOOKS)


def test_batches_do_not_nest(library: weft.Index) -> None:
    with library.batch():
        library.add(["new cloth"], ids=["new"])
        with pytest.raises(weft.InvalidInput, match="do not nest"), library.batch():
            raise AssertionError("not reached")
        with pytest.raises(weft.InvalidInput, match="inside a batch"):
            library.compact()
    assert "new" in library


def test_another_thread_is_another_writer(library: weft.Index) -> None:
    said: list[str] = []

    def elsewhere() -> None:
        assert library.search("cloth", k=1), "reading goes on"
        try:
            library.delete("loom")
        except weft.IndexLocked as error:
            said.append(str(error))

    with library.batch():
        library.add(["new cloth"], ids=["new"])
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(said) == 1
    assert "loom" in library


def test_the_encoder_is_remembered_by_the_same_commit(tmp_path: Path, encoder: Hashing) -> None:
    with weft.open(tmp_path / "n.weft", create=True, encoder=encoder) as index:
        with pytest.raises(ZeroDivisionError), index.batch():
            assert 1 / (len(index.add(["a loom"])) - 1)
        assert index.info()["encoder"] is None
        with weft.open(index.path, encoder=Plain()) as other:
            other.add(["a sail"])
        with pytest.raises(weft.EncoderMismatch, match=r"hashing"):
            index.add(["a loom"])
        assert len(index) == 1


# Reading


def test_iterating_streams_in_pages(library: weft.Index) -> None:
    library.add_vectors(vectors(2100), ids=[f"v{number}" for number in range(2100)], texts=["v"] * 2100)
    assert list(library) == [*BOOKS, *(f"v{number}" for number in range(2100))]
    walk = library.documents({"lang": {"exists": True}})
    assert next(walk).id == "loom"
    assert sum(1 for _ in library.documents()) == 2105
    assert library.update(filter={}, metadata={"n": 1}) == 2105
    assert library.count({"n": 1}) == 2105
    assert library.get("loom").metadata["year"] == 1990


def test_an_index_may_change_while_it_is_iterated(library: weft.Index) -> None:
    names = [f"v{number}" for number in range(2100)]
    library.add_vectors(vectors(2100), ids=names)
    met = []
    for name in library:
        met.append(name)
        if len(met) in (500, 1500):
            # All of the page that is being read, its last document too: one replaced, the others gone.
            library.add_vectors(vectors(1), ids=[met[-1]])
            library.delete(names[: len(met) + 400])
            library.add_vectors(vectors(1), ids=[f"new{len(met)}"])
    assert met[:5] == list(BOOKS)
    assert len(set(met)) == len(met)
    assert set(names[1905:]) <= set(met), "what is there from beginning to end is met"
    assert "new500" not in met, "what came after the beginning is not"
    for name in library.ids({"lang": "en"}):
        library.add(["replaced"], ids=[name], metadata=[{"lang": "en"}])
    assert library.count({"lang": "en"}) == 2


# Keywords and hybrid


def test_a_keyword_search_needs_no_model(tmp_path: Path) -> None:
    with weft.open(tmp_path / "w.weft", create=True) as index:
        index.add_vectors(
            vectors(2), ids=["a", "b"], texts=["red cloth", "Röte und Grün"], titles=["Dye", None]
        )
        assert [hit.id for hit in index.search("rote", mode="keyword")] == ["b"]
        assert [hit.id for hit in index.search("dyes", mode="keyword")] == ["a"]
        hit = index.search("cloth", mode="keyword")[0]
        assert (hit.rank, hit.text, hit.title) == (1, "red cloth", "Dye")
        assert hit.parts == {"keyword": weft.Part(1, hit.score)}
        assert hit.score > 0.0
        assert index.search(["red", "blue"], mode="keyword")[1] == []


@pytest.mark.parametrize("query", ['"', "a OR", "NEAR(", "title:x", "*", "???", "-loom", "\0", "'; --"])
def test_no_query_is_a_syntax_error(library: weft.Index, query: str) -> None:
    for mode in ("keyword", "hybrid"):
        library.search(query, mode=mode)  # type: ignore[call-overload]


def test_a_hybrid_hit_says_where_it_stood(library: weft.Index) -> None:
    hits = library.search("warp a loom", k=5, mode="hybrid")
    semantic = {hit.id: hit for hit in library.search("warp a loom", k=5)}
    keyword = {hit.id: hit for hit in library.search("warp a loom", k=5, mode="keyword")}
    assert hits[0].id == "loom"
    for hit in hits:
        assert set(hit.parts) == {"semantic", "keyword"} if hit.id in keyword else {"semantic"}
        for name, part in hit.parts.items():
            alone = (semantic if name == "semantic" else keyword)[hit.id]
            assert (part.rank, part.score) == (alone.rank, pytest.approx(alone.score, abs=1e-4))
        assert hit.score == pytest.approx(sum(1 / (60 + part.rank) for part in hit.parts.values()))
    only = library.search("warp a loom", k=5, mode="hybrid", weights=(0, 1))
    assert only[0].id == "loom"
    assert only[0].score == pytest.approx(1 / 61)
    assert pickle.loads(pickle.dumps(hits)) == hits
    assert len(repr(hits[0])) < 150
    assert repr(weft.Part(2, 0.5)) == "Part(rank=2, score=0.5000)"


def test_weighted_fusion_stays_between_0_and_the_weights(library: weft.Index) -> None:
    hits = library.search("warp a loom", k=5, mode="hybrid", fusion="weighted", weights=(1.0, 0.5))
    assert hits[0].id == "loom"
    assert hits[0].score == pytest.approx(1.5)
    assert all(0.0 <= hit.score <= 1.5 for hit in hits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "bm25"}, "mode is 'bm25': it is 'semantic', 'keyword' or 'hybrid'"),
        ({"mode": "hybrid", "fusion": "sum"}, "fusion is 'sum': it is 'rrf' or 'weighted'"),
        ({"weights": (1, 2)}, "weights are for mode='hybrid'"),
        ({"mode": "hybrid", "weights": (1,)}, r"weights is \(1,\): two numbers"),
        ({"mode": "hybrid", "weights": (0, 0)}, "two numbers"),
        ({"mode": "hybrid", "weights": (1, -1)}, "two numbers"),
        ({"mode": "hybrid", "weights": 1}, "two numbers"),
        ({"mode": "keyword", "exact": True}, "a keyword search has none"),
        ({"mode": "keyword", "nprobe": 3}, "a keyword search has none"),
    ],
)
def test_what_is_wrong_with_a_search_is_named(
    library: weft.Index, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(weft.InvalidInput, match=message):
        library.search("loom", **arguments)  # type: ignore[call-overload]


# Looking after it


def test_compacting_gives_space_back(library: weft.Index) -> None:
    library.add_vectors(vectors(2000), ids=[f"v{number}" for number in range(2000)])
    library.delete([f"v{number}" for number in range(2000)])
    stages: set[str] = set()
    done = library.compact(lambda stage, done, total: stages.add(stage))
    assert done["bytes_after"] < done["bytes_before"]
    assert done["segments_after"] == 1
    assert stages
    assert list(library) == list(BOOKS)
    assert library.check() == []


def test_information_has_the_age_of_the_codebook(library: weft.Index) -> None:
    assert library.info()["codebook_age"] is None, "there is no codebook yet"
