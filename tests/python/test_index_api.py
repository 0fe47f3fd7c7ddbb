"""The index as Python sees it: what goes in comes out, and what is wrong is named."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import weft
from conftest import TEXTS
from hashing import DIM, LIMIT, Hashing, Plain, vector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = " ".join(f"word{number}" for number in range(3 * LIMIT))


def test_a_document_comes_back_as_it_was(index: weft.Index) -> None:
    metadata = {"year": 2020, "tags": ["a", None], "nested": {"ü": 1.5}}
    assert index.add("über cloth", ids="d", titles="Cloth", metadata=metadata) == ["d"]
    assert index.get("d") == weft.Document("d", "über cloth", "Cloth", metadata, ((0, 10),))
    assert index.search("cloth", k=1)[0].metadata == metadata


def test_ids_are_counted_listed_and_found(index: weft.Index) -> None:
    assert (len(index), list(index), "b" in index, "z" in index) == (3, ["a", "b", "c"], True, False)


def test_made_ids_are_unique_and_usable(index: weft.Index) -> None:
    made = index.add(["one more", "and another"], ids=[None, None])
    assert len(set(made)) == 2
    assert [document.text for document in index.get(made)] == ["one more", "and another"]


def test_an_id_again_replaces_the_document(index: weft.Index) -> None:
    index.add(["a ship under sail"], ids=["a"])
    assert len(index) == 3
    assert index.get("a").text == "a ship under sail"
    assert index.search("shuttle", k=3)[0].score < 1.5, "the old passage is gone from the search"


def test_of_two_equal_ids_in_one_call_the_later_counts(index: weft.Index) -> None:
    index.add(["first text", "second text"], ids=["d", "d"])
    assert (len(index), index.get("d").text) == (4, "second text")


def test_deleting_takes_a_document_out(index: weft.Index) -> None:
    assert index.delete(["a", "nobody"]) == 1
    assert index.delete("a") == 0
    assert [hit.id for hit in index.search("the shuttle", k=10)] != []
    assert "a" not in {hit.id for hit in index.search("the shuttle", k=10)}
    with pytest.raises(errors.DocumentNotFound, match="no document has the id 'a'"):
        index.get(["b", "a"])


def test_search_ranks_by_maxsim(index: weft.Index) -> None:
    hits = index.search("shuttle carries", k=3)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert (hits[0].id, hits[0].text) == ("a", TEXTS["a"])
    assert hits[0].score == pytest.approx(3.0, abs=0.01), "two words and [CLS], each met by itself"
    assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.id))


def test_many_queries_give_what_each_gives_alone(index: weft.Index) -> None:
    queries = ["warp threads", "the wind", "shuttle"]
    assert index.search(queries, k=2) == [index.search(query, k=2) for query in queries]
    assert index.search([], k=2) == []


def test_exact_and_default_agree_on_a_small_index(index: weft.Index) -> None:
    assert index.search("the wind", exact=True) == index.search("the wind")


def test_k_more_than_there_is_gives_all(index: weft.Index) -> None:
    assert len(index.search("wind", k=1000)) == 3


def test_without_texts_only_ids_and_scores_come(index: weft.Index) -> None:
    full, bare = index.search("wind", k=1)[0], index.search("wind", k=1, texts=False)[0]
    assert (bare.id, bare.score, bare.text, dict(bare.metadata)) == (full.id, full.score, "", {})


def test_an_empty_index_answers_without_loading_a_model(tmp_path: Path) -> None:
    class Unusable:
        def encode_query(self, texts: list[str]) -> None:
            raise AssertionError("called")

        encode_document = encode_query

    with weft.open(tmp_path / "e.weft", create=True, encoder=Unusable()) as empty:
        assert empty.search("anything") == []
        assert empty.search(["a", "b"]) == [[], []]
        assert empty.add([]) == []
        assert (len(empty), list(empty), bool(empty)) == (0, [], True)


def test_a_long_text_becomes_passages_of_one_document(index: weft.Index) -> None:
    index.add([LONG], ids=["long"], titles=["Title here"])
    document = index.get("long")
    assert len(document.passages) > 3, "the title takes room in every passage"
    hit = index.search("word30", k=1)[0]
    assert (hit.id, hit.passages) == ("long", len(document.passages))
    assert hit.text == LONG[hit.start : hit.end]
    assert "word30" in hit.text.split()


def test_grouping_names_a_document_once(index: weft.Index) -> None:
    index.add([LONG], ids=["long"])
    passages = [hit.id for hit in index.search("word1 word30", k=10)]
    documents = [hit.id for hit in index.search("word1 word30", k=10, group="document")]
    assert passages.count("long") == 3
    assert sorted(documents) == ["a", "b", "c", "long"]


def test_truncating_keeps_one_passage(index: weft.Index) -> None:
    index.add([LONG], ids=["cut"], truncate=True)
    assert index.get("cut").passages == ((0, len(LONG)),)
    assert index.search("word30", k=1)[0].score < 1.9


def test_adding_streams(index: weft.Index, encoder: Hashing) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for number in range(500):
            taken += 1
            yield f"text number {number}"

    seen: list[tuple[int, int]] = []
    index.add(
        texts(),
        ids=(f"n{number}" for number in range(500)),
        progress=lambda stage, done, total: seen.append((done, taken)) if stage == "encode" else None,
    )
    assert len(index) == 503
    assert [done for done, _ in seen] == list(range(1, 501))
    assert max(ahead - done for done, ahead in seen) <= 4, "no more is read than the encoder's window"


def test_progress_names_the_stages(index: weft.Index) -> None:
    stages: dict[str, tuple[int, int | None]] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        stages[stage] = (done, total)

    index.add(["one", "two"], progress=progress)
    assert stages["encode"] == (2, 2)
    assert set(stages) <= {"encode", "train", "compress", "write"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("stage", ["encode", "write"])
def test_what_stops_an_add_leaves_the_index_as_it_was(
    index: weft.Index, stage: str, error: type[BaseException]
) -> None:
    def progress(now: str, done: int, total: int | None) -> None:
        if now == stage:
            raise error

    with pytest.raises(error):
        index.add(["x y"] * 20, ids=[f"x{n}" for n in range(20)], progress=progress)
    assert list(index) == ["a", "b", "c"]
    assert index.add(["later"], ids=["d"]) == ["d"], "the lock is free again"
    assert index.check() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": ["ok", ""]}, r"texts\[1\] is empty"),
        ({"texts": ["ok", " \n"], "ids": ["m", "n"]}, r"texts\[1\] \(id 'n'\) is empty"),
        ({"texts": ["ok", None]}, r"texts\[1\] is empty"),
        ({"texts": ["ok", 3]}, r"texts\[1\] is a int"),
        ({"texts": ["ok", "\ud800"]}, r"texts\[1\] has half a surrogate pair at character 0"),
        ({"texts": ["ok", "no"], "ids": ["m"]}, "ids has 1 elements, but texts has more"),
        ({"texts": ["ok"], "ids": ["m", "n"]}, "texts has 1 elements, but ids has more"),
        ({"texts": ["ok"], "ids": "m"}, "ids is one str"),
        ({"texts": ["ok"], "titles": "m"}, "titles is one str"),
        ({"texts": ["ok"], "metadata": {"a": 1}}, "metadata is one dict"),
        ({"texts": ["ok"], "ids": [""]}, r"ids\[0\] is ''"),
        ({"texts": ["ok"], "ids": ["a\tb"]}, r"ids\[0\] is 'a\\tb'"),
        ({"texts": ["ok"], "ids": [7]}, r"ids\[0\] is a int"),
        ({"texts": ["ok"], "metadata": [["year", 1]]}, r"metadata\[0\] is a list"),
        ({"texts": ["ok"], "metadata": [{1: 2}]}, r"metadata\[0\] has the key 1"),
        ({"texts": ["ok"], "metadata": [{"a": float("nan")}]}, r"metadata\[0\] cannot be written as JSON"),
        ({"texts": ["ok"], "metadata": [{"a": object()}]}, r"metadata\[0\] cannot be written as JSON"),
    ],
)
def test_what_is_wrong_with_an_element_is_named(
    index: weft.Index, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(errors.InvalidInput, match=message):
        index.add(arguments.pop("texts"), **arguments)  # type: ignore[arg-type]
    assert list(index) == ["a", "b", "c"]


def unit(rows: int = 3, dim: int = DIM, dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(rows).standard_normal((rows, dim)).astype(dtype)


def broken(value: float, row: int = 1) -> np.ndarray:
    matrix = unit()
    matrix[row, 2 if value else slice(None)] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (unit().astype(np.float64), r"vectors\[1\] has dtype float64: float32 or float16"),
        (unit().astype(np.int8), r"vectors\[1\] has dtype int8"),
        (unit()[0], r"vectors\[1\] has shape \(32,\)"),
        (unit()[:0], r"vectors\[1\] has shape \(0, 32\)"),
        (unit(dim=16), r"vectors\[1\] has dimension 16, but vectors\[0\] has 32"),
        (broken(np.nan), r"vectors\[1\] row 1 contains NaN"),
        (broken(np.inf), r"vectors\[1\] row 1 contains infinity"),
        (broken(0.0), r"vectors\[1\] row 1 is all zeros"),
        ([[1.0] * 32], r"vectors\[1\] is a list"),
        (None, r"vectors\[1\] is a NoneType"),
    ],
)
def test_what_is_wrong_with_a_matrix_is_named(index: weft.Index, matrix: object, message: str) -> None:
    with pytest.raises(errors.InvalidInput, match=message):
        index.add_vectors([unit(), matrix])
    with pytest.raises(errors.InvalidInput, match=message.replace("vectors", "queries")):
        index.search_vectors([unit(), matrix])
    assert len(index) == 3


def test_one_matrix_where_a_list_is_needed_is_named(index: weft.Index) -> None:
    with pytest.raises(errors.InvalidInput, match=r"vectors is one array of shape \(3, 32\)"):
        index.add_vectors(unit())
    with pytest.raises(errors.InvalidInput, match="queries is a int"):
        index.search_vectors(3)


def test_another_dimension_than_the_index_has_is_named(index: weft.Index) -> None:
    with pytest.raises(errors.InvalidInput, match=r"16.*32|32.*16"):
        index.add_vectors([unit(dim=16)])
    with pytest.raises(errors.InvalidInput, match=r"16.*32|32.*16"):
        index.search_vectors(unit(dim=16))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_own_vectors_in_every_form(tmp_path: Path, dtype: type) -> None:
    block = np.stack([unit(dtype=dtype), -unit(dtype=dtype)])
    with weft.open(tmp_path / "v.weft", create=True) as index:
        assert index.add_vectors(block, ids=["p", "n"], texts=["plus", None]) == ["p", "n"]
        index.add_vectors([block[0].T.copy().T], ids=["t"])
        assert len(index) == 3, "not contiguous is no obstacle"
        one = index.search_vectors(block[1], k=1)
        assert (one[0].id, one[0].text) == ("n", "")
        assert index.search_vectors(block, k=1)[1] == one
        assert index.get("n").text is None
        with pytest.raises(errors.InvalidInput, match="vectors of an unknown model"):
            index.search("text")


def test_a_float16_and_a_float32_matrix_in_one_call(index: weft.Index) -> None:
    index.add_vectors([unit(dtype=np.float16), unit(4)], ids=["h", "f"])
    assert index.search_vectors(unit(4), k=1)[0].id == "f"


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3"])
def test_k_is_a_count(index: weft.Index, k: object) -> None:
    with pytest.raises(errors.InvalidInput, match="k is"):
        index.search("wind", k)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["nprobe", "ndocs"])
def test_what_is_probed_is_a_count(index: weft.Index, name: str) -> None:
    for value in (0, -1, True, 2.0):
        with pytest.raises(errors.InvalidInput, match=f"{name} is"):
            index.search("wind", **{name: value})  # type: ignore[call-overload]


def test_a_count_beyond_all_is_all(index: weft.Index) -> None:
    everything = index.search("wind", k=100)
    assert index.search("wind", k=10**30) == everything
    assert index.search("wind", k=100, nprobe=10**30, ndocs=10**30) == everything


def test_what_is_no_text_is_in_no_index(index: weft.Index) -> None:
    half = "\ud800"
    assert half not in index
    with pytest.raises(errors.DocumentNotFound):
        index.get(half)
    with pytest.raises(errors.InvalidInput, match=r"ids\[0\] has half a surrogate pair"):
        index.delete(half)
    for mode in ("semantic", "keyword", "hybrid"):
        with pytest.raises(errors.InvalidInput, match="query has half a surrogate pair"):
            index.search(half, mode=mode)  # type: ignore[call-overload]


@pytest.mark.parametrize("threads", [10**6, 10**30, 0, -1, True])
def test_a_number_of_threads_that_nobody_has_is_refused(tmp_path: Path, threads: int) -> None:
    with pytest.raises(errors.InvalidInput, match="threads is .*, expected 1 to 1024"):
        weft.open(tmp_path / "new.weft", create=True, threads=threads)
    assert not (tmp_path / "new.weft").exists()


@pytest.mark.parametrize(
    ("query", "name"), [("", "query"), ([" "], r"query\[0\]"), (["a", 3], r"query\[1\]")]
)
def test_a_query_has_something_in_it(index: weft.Index, query: object, name: str) -> None:
    with pytest.raises(errors.InvalidInput, match=name):
        index.search(query)  # type: ignore[call-overload]


def test_an_unknown_group_is_named(index: weft.Index) -> None:
    with pytest.raises(errors.InvalidInput, match="group is 'title'"):
        index.search("wind", group="title")  # type: ignore[call-overload]


def test_a_foreign_encoder_serves(tmp_path: Path) -> None:
    path = tmp_path / "f.weft"
    with weft.open(path, create=True, encoder=Plain()) as index:
        index.add(TEXTS.values(), ids=TEXTS.keys())
        index.add([LONG], ids=["long"])
        assert index.search("the wind", k=1)[0].id == "c"
        assert len(index.get("long").passages) == 1, "it cannot split, so it gets the text whole"
        explanation = index.explain("wind", "c")
        assert explanation.matches[0].query_token == "#0"
        assert explanation.highlights() == ()
    with weft.open(path) as index, pytest.raises(errors.ModelNotFound, match=r"hashing\.Plain.*encoder="):
        index.search("wind")


def test_an_encoder_may_return_one_block(tmp_path: Path) -> None:
    class Block:
        def encode_query(self, texts: list[str]) -> np.ndarray:
            return np.stack([np.stack([vector(text.split()[0])]) for text in texts])

        encode_document = encode_query

    with weft.open(tmp_path / "b.weft", create=True, encoder=Block()) as index:
        index.add(["red", "green"], ids=["r", "g"])
        assert index.search("green", k=1)[0].id == "g"


def test_an_encoder_with_wrong_results_is_named(tmp_path: Path) -> None:
    class Wrong:
        def encode_query(self, texts: list[str]) -> list[np.ndarray]:
            return [unit()] * (len(texts) + 1)

        encode_document = encode_query

    with weft.open(tmp_path / "w.weft", create=True, encoder=Wrong()) as index:
        with pytest.raises(errors.InvalidInput, match="encode_document's result has 3 matrices for 2 texts"):
            index.add(["a", "b"])
        assert len(index) == 0


def test_what_is_no_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="encoder is a str"):
        weft.open(tmp_path / "n.weft", create=True, encoder="model")
    with pytest.raises(errors.InvalidInput, match="model and encoder"):
        weft.open(tmp_path / "n.weft", create=True, encoder=Plain(), model="x")
    assert not (tmp_path / "n.weft").exists()


def test_another_model_is_refused_and_both_are_named(index: weft.Index) -> None:
    with pytest.raises(errors.EncoderMismatch, match=r"hashing.*other"):
        weft.open(index.path, encoder=Hashing("other"))


def test_the_model_is_remembered(index: weft.Index, bundled: None) -> None:
    with weft.open(index.path) as again:
        assert again.search("the wind", k=1)[0].id == "c"
        assert again.info()["encoder"]["name"] == "hashing"
    with (
        weft.open(index.path, model="other") as wrong,
        pytest.raises(errors.EncoderMismatch, match=r"hashing.*other"),
    ):
        wrong.search("the wind")


def test_a_model_directory_is_remembered(
    tmp_path: Path, bundled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Local(Hashing):
        def describe(self) -> dict[str, object]:
            return {"name": "local", "dim": DIM, "fingerprint": "local"}

    monkeypatch.setattr("weft.encoding.open_encoder", lambda model, threads: Local())
    model = tmp_path / "model"
    model.mkdir()
    with weft.open(tmp_path / "i.weft", create=True, model=model) as index:
        index.add(["a loom"])
    with weft.open(tmp_path / "i.weft") as index:
        assert len(index.search("loom")) == 1
    model.rmdir()
    with (
        weft.open(tmp_path / "i.weft") as index,
        pytest.raises(errors.ModelNotFound, match=r"model.*is gone"),
    ):
        index.search("loom")


def test_reading_only(index: weft.Index, encoder: Hashing) -> None:
    with weft.open(index.path, read_only=True, encoder=encoder) as reader:
        assert reader.read_only
        assert reader.search("wind", k=1)[0].id == "c"
        with pytest.raises(errors.ReadOnlyIndex):
            reader.add(["more"])
        index.add(["wind wind"], ids=["d"])
        assert "d" in reader, "a reader picks up what was committed"


def test_two_writers_exclude_each_other(index: weft.Index, encoder: Hashing) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slowly() -> Iterator[str]:
        yield "one more text"
        inside.set()
        assert leave.wait(30)

    thread = threading.Thread(target=lambda: index.add(slowly(), ids=["slow"]))
    thread.start()
    assert inside.wait(30)
    with weft.open(index.path, encoder=encoder) as other, pytest.raises(errors.IndexLocked):
        other.add(["in between"])
    leave.set()
    thread.join()
    assert "slow" in index


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.weft"):
        weft.open(tmp_path / "nowhere.weft")


def test_a_closed_index_says_so(index: weft.Index) -> None:
    index.close()
    index.close()
    with pytest.raises(weft.WeftError, match="closed"):
        index.get("a")


def test_an_explanation_adds_up(index: weft.Index) -> None:
    index.add([LONG], ids=["long"], titles=["Weaving now"])
    for query, name in [("shuttle of the weft", "a"), ("word20 weaving word21", "long")]:
        explanation = index.explain(query, name)
        hit = next(hit for hit in index.search(query, k=20) if hit.id == name)
        assert explanation.score == pytest.approx(hit.score, abs=2e-2)
        assert sum(match.similarity for match in explanation.matches) == pytest.approx(
            explanation.score, abs=1e-3
        )
        assert explanation.passage == hit.passage
        for match in explanation.matches:
            if match.field == "text":
                assert explanation.text[match.start : match.end] == match.token
            elif match.field == "title":
                assert explanation.title is not None
                assert explanation.title[match.start : match.end] == match.token
            if match.query_start is not None:
                assert query[match.query_start : match.query_end] == match.query_token


def test_highlights_are_the_words_met(index: weft.Index) -> None:
    index.add(["Spinning and weaving, 1850 to 1900"], ids=["s"], titles=["Cotton"])
    explanation = index.explain("cotton weaving", "s")
    words = explanation.highlights(minimum=0.9)
    assert [explanation.text[word.start : word.end] for word in words] == ["weaving"]
    assert [word.weight for word in words] == [1.0]
    assert [(word.start, word.end) for word in explanation.highlights(0.9, field="title")] == [(0, 6)]
    table = str(explanation)
    assert "weaving" in table
    assert f"{explanation.score:.4f}" in table


def test_explaining_what_is_not_there(index: weft.Index) -> None:
    with pytest.raises(errors.DocumentNotFound):
        index.explain("wind", "nobody")
    with pytest.raises(errors.InvalidInput):
        index.explain("wind", "a", passage=5)
    with pytest.raises(errors.InvalidInput, match="query is empty"):
        index.explain(" ", "a")


def test_information_and_check(index: weft.Index) -> None:
    information = index.info()
    assert (information["documents"], information["passages"], information["dim"]) == (3, 3, DIM)
    assert sum(information["bytes"].values()) > 0
    assert index.check() == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.dictionaries(
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_survives(index: weft.Index, documents: dict[str, str]) -> None:
    index.add_vectors([unit()] * len(documents), ids=documents.keys(), texts=documents.values())
    for name, text in documents.items():
        assert index.get(name).text == text
        assert name in index
    index.delete(list(documents))
    assert not any(name in index for name in documents)


def test_reranking(encoder: Hashing) -> None:
    texts = ["nothing here", LONG, "a word30 alone"]
    hits = weft.rerank("word30", texts, encoder=encoder)
    assert {hit.index for hit in hits[:2]} == {1, 2}
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.text for hit in hits] == [texts[hit.index] for hit in hits]
    assert weft.rerank("word30", texts, encoder=encoder, k=1) == hits[:1]
    assert weft.rerank("word30", [], encoder=encoder) == []
    same = weft.rerank("loom", ["sea", "sea", "sea"], encoder=encoder)
    assert [hit.index for hit in same] == [0, 1, 2], "equal scores stay in the order given"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", ["a"]), "query is empty"),
        (("q", ["a", " "]), r"documents\[1\] is empty"),
        (("q", ["a", 1]), r"documents\[1\] is a int"),
        (("q", "a"), "documents is one str"),
    ],
)
def test_reranking_names_what_is_wrong(
    encoder: Hashing, arguments: tuple[str, list[str]], message: str
) -> None:
    with pytest.raises(errors.InvalidInput, match=message):
        weft.rerank(*arguments, encoder=encoder)


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_survive_pickling_and_read_well(name: str) -> None:
    error = getattr(errors, name)("it's broken, mend it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == "it's broken, mend it"


def test_results_survive_pickling_and_print_short(index: weft.Index) -> None:
    index.add(["long " * 200], ids=["l"], truncate=True)
    hit = index.search("long", k=1)[0]
    assert pickle.loads(pickle.dumps(hit)) == hit
    assert len(repr(hit)) < 150
    assert len(repr(index.get("l"))) < 150
    assert {hit} == {hit}, "hits can stand in sets although their metadata cannot"


def test_importing_weft_imports_next_to_nothing() -> None:
    heavy = {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "weft._core", "sqlite3"}
    code = f"import sys, weft; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in weft.__all__:
        assert getattr(weft, name) is not None
    assert callable(weft.rerank)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = weft.nothing  # type: ignore[attr-defined]
