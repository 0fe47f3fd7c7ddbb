"""The command line for an index that lives: update, delete, filter, compact, check, export."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
import weft
from hashing import DIM, LIMIT, Hashing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

    Run = Callable[..., Outcome]

ROWS = [
    {"id": "loom", "title": "Craft", "text": "how to warp a loom", "year": 1990, "lang": "en"},
    {"id": "sail", "text": "sails of hemp and cotton", "year": 2005, "lang": "en"},
    {"id": "tuch", "text": "das Tuch der Weber", "year": 2011, "text_of": "x", "author": {"name": "Ada"}},
    {"id": "long", "text": " ".join(f"word{n}" for n in range(3 * LIMIT))},
    {
        "id": "odd",
        "text": 'tabs\tand\nlines \u2028 and quotes "',
        "metadata": {"text": "inner", "id": 7, "metadata": {"deep": [1.5]}},
    },
]


@pytest.fixture
def made(tmp_path: Path, run: Run) -> Path:
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    path = tmp_path / "made.weft"
    assert run("index", path, tmp_path / "corpus.jsonl").status == 0
    return path


def metadata(path: Path, name: str) -> object:
    with weft.open(path, read_only=True) as index:
        return index.get(name).metadata


def test_update_sets_and_unsets_keys(made: Path, run: Run) -> None:
    outcome = run(
        "update", made, "loom", "sail", "--set", "year=2024", 'lang="nl"', "--unset", "lang", "none"
    )
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "updated 2 of 2 documents\n")
    assert metadata(made, "loom") == {"year": 2024, "lang": "nl"}
    outcome = run("update", made, "--filter", '{"author.name": "Ada"}', "--set", 'tags=["a"]', "--replace")
    assert (outcome.status, outcome.err) == (0, "updated 1 documents\n")
    assert metadata(made, "tuch") == {"tags": ["a"]}
    outcome = run("update", made, "--set", "n=1", "--", "loom", "nobody")
    assert outcome.status == 1
    assert "updated 1 of 2 documents" in outcome.err
    assert "no document has the id 'nobody'" in outcome.err


def test_wrong_values_are_told_with_the_right_way(made: Path, run: Run) -> None:
    said = run("update", made, "loom", "--set", "lang=en").err
    assert "'en' is not JSON: a string stands in double quotes, as in 'lang=\"...\"'" in said
    said = run("delete", made, "--filter", '{"year": {"below": 2000}}')
    assert said.status == 1
    assert said.err.startswith("weft: filter['year'] has the unknown operator 'below': use eq, ne")


def test_delete_by_filter_and_what_it_would_do(made: Path, run: Run) -> None:
    condition = '{"year": {"lt": 2010}}'
    outcome = run("delete", made, "--filter", condition, "--dry-run")
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "would delete 2 documents\n")
    outcome = run("delete", made, "--dry-run", "tuch", "nobody")
    assert (outcome.status, outcome.err.splitlines()[0]) == (1, "would delete 1 of 2 documents")
    with weft.open(made) as index:
        assert len(index) == 5
    outcome = run("delete", made, "--filter", condition)
    assert (outcome.status, outcome.err) == (0, "deleted 2 documents\n")
    with weft.open(made) as index:
        assert list(index) == ["tuch", "long", "odd"]


def test_get_by_filter(made: Path, run: Run) -> None:
    lines = run("get", made, "--filter", '{"lang": "en"}', "--jsonl").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["loom", "sail"]
    assert run("get", made, "--filter", '{"lang": "en"}').out.count("hemp") == 1
    outcome = run("get", made, "--filter", '{"lang": "xx"}', "--json")
    assert (outcome.status, outcome.out) == (0, "[]\n")
    assert "no document matches" in outcome.err


def test_ids_may_stand_behind_options(made: Path, run: Run) -> None:
    assert len(json.loads(run("get", made, "loom", "--json", "sail").out)) == 2


def test_search_with_a_filter_and_by_words(made: Path, run: Run) -> None:
    hits = json.loads(run("search", made, "loom", "--filter", '{"lang": "en"}', "--json").out)
    assert [hit["id"] for hit in hits] == ["loom", "sail"]
    hits = json.loads(run("search", made, "looms", "--mode", "keyword", "--json").out)
    assert [(hit["id"], hit["parts"]["keyword"]["rank"]) for hit in hits] == [("loom", 1)]
    shown = run("search", made, "a loom", "--mode", "hybrid", "--weights", "1,2", "--fusion", "rrf").out
    assert re.match(
        r" 1 +0\.04\d  loom  Craft  \[semantic 1, keyword 1\]\n    how to warp «a» «loom»\n", shown
    )
    outcome = run("search", made, "zebra", "--mode", "keyword")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == f"weft: nothing matches in {made}\n"


def test_a_search_by_words_loads_no_model(made: Path, run: Run) -> None:
    code = (
        "import sys\nfrom weft.cli import main\n"
        f"status = main(['search', {str(made)!r}, 'hemp', '--mode', 'keyword'])\n"
        "print(status, sorted({'onnxruntime', 'tokenizers', 'weft.encoder'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert re.match(r" 1 +\d\.\d{3}  sail$", lines[0])
    assert lines[1] == "    sails of «hemp» and cotton"
    assert lines[-1] == "0 []"


def test_a_run_by_words(tmp_path: Path, made: Path, run: Run) -> None:
    (tmp_path / "q.tsv").write_text("q1\thow to sail\n")
    outcome = run("search", made, "--queries", tmp_path / "q.tsv", "--trec", "-", "--mode", "keyword")
    assert [line.split()[2] for line in outcome.out.splitlines()] == ["loom", "sail"]


def test_compact_says_what_it_brought(made: Path, run: Run) -> None:
    run("delete", made, "long")
    outcome = run("compact", made)
    assert (outcome.status, outcome.out) == (0, "")
    said = re.search(r"([\d,]+) bytes in 1 segments before, ([\d,]+) in 1 now", outcome.err)
    assert said is not None
    before, after = (int(number.replace(",", "")) for number in said.groups())
    assert after < before
    assert run("check", made).status == 0


def test_info_names_parts_and_age(made: Path, run: Run) -> None:
    values = json.loads(run("info", made, "--json").out)
    assert {"documents", "passages", "tokens", "segments", "bytes", "cpu_tier"} <= values.keys()
    assert values["codebook_age"] is None
    assert "codebook_age: none\n" in run("info", made).out


def damaged(path: Path) -> str:
    segment = next(path.glob("segment-*.weft"))
    raw = bytearray(segment.read_bytes())
    raw[200] ^= 1
    segment.write_bytes(raw)
    return segment.name


def test_check_lists_what_is_lost_and_saves_the_rest(tmp_path: Path, made: Path, run: Run) -> None:
    outcome = run("check", made, "--repair", tmp_path / "none.weft")
    assert (outcome.status, outcome.out) == (0, "")
    assert "nothing to repair" in outcome.err
    assert not (tmp_path / "none.weft").exists()
    with weft.open(made) as index:
        before = {document.id: document for document in index.documents()}
    name = damaged(made)
    outcome = run("check", made, "--repair", tmp_path / "saved.weft")
    assert outcome.status == 1
    assert name in outcome.out
    assert re.search(r"saved \d documents in \d+ passages to .*saved\.weft; lost \d", outcome.err)
    assert run("check", tmp_path / "saved.weft").status == 0
    with weft.open(tmp_path / "saved.weft") as index:
        saved = list(index)
    lost = re.findall(r"^lost (\w+): .*; its text is whole$", outcome.out, re.MULTILINE)
    assert lost
    assert sorted(saved + lost) == sorted(str(row["id"]) for row in ROWS)
    texts = tmp_path / "saved.weft" / "lost.jsonl"
    assert str(texts) in outcome.err
    assert run("index", tmp_path / "saved.weft", texts).status == 0
    with weft.open(tmp_path / "saved.weft") as index:
        assert {document.id: document for document in index.documents()} == before
    outcome = run("check", made, "--repair", tmp_path / "saved.weft")
    assert (outcome.status, outcome.err.count("\n")) == (1, 2)


# Export


def test_documents_come_back_from_what_was_exported(tmp_path: Path, made: Path, run: Run) -> None:
    out = tmp_path / "out.jsonl"
    outcome = run("export", made, out)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", f"wrote 5 documents to {out}\n")
    assert run("export", made, "-").out == out.read_text()
    assert run("index", tmp_path / "again.weft", out).status == 0
    with weft.open(made) as first, weft.open(tmp_path / "again.weft") as second:
        assert list(first.documents()) == list(second.documents())
    assert len(out.read_text().split("\n")) == 6


def test_a_file_that_is_there_stays_unless_it_is_said(tmp_path: Path, made: Path, run: Run) -> None:
    for name in ("out.jsonl", "out.npz", "out.safetensors"):
        out = tmp_path / name
        out.write_text("mine")
        outcome = run("export", made, out)
        assert (outcome.status, out.read_text()) == (1, "mine")
        assert "is there already" in outcome.err
        assert run("export", made, out, "--force").status == 0
        assert out.stat().st_size > 100
    assert not list(tmp_path.glob("*.part"))
    assert run("export", made, tmp_path / "no" / "out.jsonl").status == 1


def load_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Read the format as its description says, not as our writer does."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    kinds = {"F16": np.float16, "I32": np.int32, "U8": np.uint8}
    assert header.pop("__metadata__")["format"] == "weft"
    tensors, at = {}, 0
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        assert start == at, "no holes"
        at = end
        values = np.frombuffer(raw[8 + length + start : 8 + length + end], kinds[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    assert 8 + length + at == len(raw)
    return tensors


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_vectors_are_written_as_they_are_searched(tmp_path: Path, made: Path, run: Run, kind: str) -> None:
    out = tmp_path / f"vectors.{kind}"
    outcome = run("export", made, out)
    assert outcome.status == 0
    assert re.search(r"wrote \d+ vectors of 7 passages to", outcome.err)
    if kind == "npz":
        stored = dict(np.load(out))
        ids = stored["ids"].tolist()
    else:
        stored = load_safetensors(out)
        ids = stored["ids"].tobytes().decode().split("\n")
    assert ids == [row["id"] for row in ROWS]
    assert (stored["vectors"].dtype, stored["vectors"].shape[1]) == (np.float16, DIM)
    assert len(stored["vectors"]) == stored["lengths"].sum()
    assert stored["documents"].tolist() == [0, 1, 2, 3, 3, 3, 4]
    pieces = np.split(stored["vectors"], np.cumsum(stored["lengths"])[:-1])
    expected = Hashing().encode_document(["Craft how to warp a loom"])[0]
    assert np.allclose(pieces[0].astype(np.float32), expected, atol=2e-3)
    with weft.open(tmp_path / "own.weft", create=True) as own, weft.open(made) as index:
        own.add_vectors(pieces, ids=[f"{position}" for position in range(len(pieces))])
        query = Hashing().encode_query(["word30"])[0]
        found = int(own.search_vectors(query, k=1)[0].id)
        assert ids[stored["documents"][found]] == index.search_vectors(query, k=1)[0].id == "long"


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_exporting_vectors_takes_little_memory(tmp_path: Path, run: Run, kind: str) -> None:
    out = tmp_path / f"out.{kind}"
    rng = np.random.default_rng(1)
    with weft.open(tmp_path / "big.weft", create=True) as index:
        index.add_vectors(rng.standard_normal((100, 128)).astype(np.float16) for _ in range(400))
    run("export", tmp_path / "big.weft", out)  # Modules are loaded now, and counted no more.
    tracemalloc.start()
    assert run("export", tmp_path / "big.weft", out, "--force").status == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert out.stat().st_size > 10_000_000
    assert peak < 1_000_000


def test_an_index_that_changes_meanwhile_is_not_half_written(tmp_path: Path, made: Path, run: Run) -> None:
    from weft.exports import Vectors, write_npz

    with weft.open(made, encoder=Hashing()) as index:

        def meddle(done: int) -> None:
            if done == 2:
                index.delete("odd")

        with pytest.raises(weft.WeftError, match="was changed while it was read"):
            write_npz(Vectors(index, meddle), tmp_path / "out.npz")


def test_what_has_no_text_is_told(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "v.weft"
    with weft.open(path, create=True) as index:
        outcome = run("export", path, tmp_path / "e.npz")
        assert (outcome.status, "is empty: there are no vectors" in outcome.err) == (1, True)
        assert not (tmp_path / "e.npz").exists()
        index.add_vectors([np.eye(8, dtype=np.float32)], ids=["v"])
    outcome = run("export", path, "-")
    assert (outcome.status, outcome.out) == (0, '{"id": "v"}\n')
    assert "1 documents have no text" in outcome.err
