"""The command line: what it prints where, what it makes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import weft
from conftest import TEXTS
from hashing import Hashing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

    Run = Callable[..., Outcome]

LINES = [json.dumps({"id": name, "title": "Cloth", "text": text, "n": 1}) for name, text in TEXTS.items()]
SEPARATE = [sys.executable, "-m", "weft"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.fixture
def made(tmp_path: Path, corpus: Path, run: Run) -> Path:
    path = tmp_path / "made.weft"
    assert run("index", path, corpus).status == 0
    return path


def separately(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own, where no hashing encoder can be put in."""
    command = [*SEPARATE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload]


def test_index_makes_an_index_and_says_so_on_stderr(tmp_path: Path, corpus: Path, run: Run) -> None:
    outcome = run("index", tmp_path / "new.weft", corpus)
    assert (outcome.status, outcome.out) == (0, "")
    assert re.search(r"added 3 documents in .* now has 3 documents in 3 passages", outcome.err)
    with weft.open(tmp_path / "new.weft") as index:
        document = index.get("a")
    assert (document.text, document.title, document.metadata) == (TEXTS["a"], "Cloth", {"n": 1})


def test_indexing_again_replaces(made: Path, corpus: Path, run: Run) -> None:
    outcome = run("index", made, corpus)
    assert "added 3 documents, 3 of them replaced" in outcome.err
    assert json.loads(run("info", made, "--json").out)["documents"] == 3


def test_quiet_says_nothing(made: Path, corpus: Path, run: Run) -> None:
    outcome = run("index", "-q", made, corpus)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")


def test_what_a_folder_holds_besides_is_counted(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "one.md").write_text("# Looms\n\nThey weave.")
    (folder / "two.txt").write_text(" ")
    (folder / "three.png").write_bytes(b"\x89")
    outcome = run("index", tmp_path / "n.weft", folder)
    assert "passed over 1 files of other kinds" in outcome.err
    assert "passed over 1 files that are empty" in outcome.err
    assert run("get", tmp_path / "n.weft", "one.md").out == "one.md\nLooms\n# Looms\n\nThey weave.\n"


@pytest.mark.parametrize("exists", [True, False])
def test_a_bad_line_leaves_everything_as_it_was(tmp_path: Path, made: Path, run: Run, exists: bool) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "new", "text": "fine"}\n' * 1 + '{"id": "x", "text": }\n')
    path = made if exists else tmp_path / "other.weft"
    outcome = run("index", path, bad)
    assert outcome.status == 1
    assert outcome.err.startswith(f"weft: {bad}:2: not JSON at character 21")
    assert outcome.err.count("\n") == 1
    if exists:
        with weft.open(made) as index:
            assert list(index) == ["a", "b", "c"]
    else:
        assert not path.exists()


def test_a_model_that_cannot_be_opened_leaves_no_empty_index(tmp_path: Path, corpus: Path) -> None:
    outcome = separately("index", tmp_path / "new.weft", corpus, "--model", tmp_path / "nowhere")
    assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1)
    assert "no such directory" in outcome.stderr
    assert not (tmp_path / "new.weft").exists()


def test_a_name_of_megabytes_is_shown_in_part(made: Path, run: Run) -> None:
    outcome = run("get", made, "x" * 100_000)
    assert outcome.status == 1
    assert len(outcome.err) < 3000
    assert outcome.err.startswith("weft: no document has the id 'xxx")
    assert outcome.err.endswith(f"in {made}\n")


def test_bytes_that_are_no_text_are_an_error_like_others(made: Path) -> None:
    for command in (("get",), ("delete",), ("search",), ("search", "--mode", "keyword")):
        outcome = separately(command[0], made, "\udcff", *command[1:])
        assert outcome.returncode == 1, command
        assert outcome.stderr.count("\n") == 1
        assert "unexpected" not in outcome.stderr


def test_standard_input_is_all_or_nothing_too(made: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Stdin:
        buffer = io.BytesIO(b'{"id": "new", "text": "fine"}\nno\n')

    monkeypatch.setattr("sys.stdin", Stdin)
    outcome = run("index", made, "-")
    assert outcome.status == 1
    assert outcome.err.startswith("weft: standard input:2: not JSON")
    Stdin.buffer = io.BytesIO(b'{"id": "new", "text": "fine"}\n')
    assert run("get", made, "new").status == 1
    assert run("index", made, "-").status == 0
    assert run("get", made, "new").status == 0


def test_no_documents_is_an_error(tmp_path: Path, run: Run) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    outcome = run("index", tmp_path / "n.weft", tmp_path / "none.jsonl")
    assert (outcome.status, "there are no documents in it" in outcome.err) == (1, True)


def test_search_prints_hits_with_marks(made: Path, run: Run) -> None:
    outcome = run("search", made, "the shuttle", "-k", "2")
    lines = outcome.out.splitlines()
    assert re.fullmatch(r" 1 +3\.00\d  a  Cloth", lines[0])
    assert lines[1] == "    «the» «shuttle» carries the weft"
    assert sum(line[:2].strip().isdigit() for line in lines) == 2
    assert outcome.err == ""
    assert "\x1b" not in outcome.out


def test_search_explains(made: Path, run: Run) -> None:
    outcome = run("search", made, "shuttle", "-k", "1", "--explain")
    assert re.search(
        r"shuttle +1\.000\d  shuttle  text 4-11|shuttle +0\.99\d\d  shuttle  text 4-11", outcome.out
    )
    values = json.loads(run("search", made, "shuttle", "-k", "1", "--explain", "--json").out)[0]
    assert values["matches"][1]["token"] == "shuttle"
    assert values["highlights"] == [{"start": 4, "end": 11, "weight": 1.0}]


def test_search_as_json(made: Path, run: Run) -> None:
    hits = json.loads(run("search", made, "wind", "--json").out)
    lines = [json.loads(line) for line in run("search", made, "wind", "--jsonl").out.splitlines()]
    assert hits == lines
    assert (hits[0]["id"], hits[0]["rank"], hits[0]["metadata"]) == ("c", 1, {"n": 1})
    assert len(hits) == 3


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.jsonl"
    rows = [{"_id": f"q{n}", "text": text} for n, text in enumerate(["shuttle", "wind sail", "threads"])]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_run_is_valid_and_in_full(tmp_path: Path, made: Path, queries: Path, run: Run) -> None:
    target = tmp_path / "run.txt"
    outcome = run("search", made, "--queries", queries, "--trec", target, "-k", "2")
    assert (outcome.status, outcome.out) == (0, "")
    rows = [line.split(" ") for line in target.read_text().splitlines()]
    assert [(row[0], row[1], row[3], row[5]) for row in rows] == [
        (f"q{query}", "Q0", str(rank), "weft") for query in range(3) for rank in (1, 2)
    ]
    assert [row[2] for row in rows[::2]] == ["a", "c", "b"]
    with weft.open(made, encoder=Hashing()) as index:
        assert float(rows[0][4]) == index.search("shuttle")[0].score, "the score is written in full"
    assert [path.name for path in tmp_path.glob("*.part")] == []
    assert run("search", made, "--queries", queries, "--trec", "-", "-k", "2").out == target.read_text()


def test_a_run_names_a_document_once(tmp_path: Path, queries: Path, run: Run) -> None:
    (tmp_path / "l.tsv").write_text("long\t" + "shuttle and wind " * 20 + "\n")
    assert run("index", tmp_path / "l.weft", tmp_path / "l.tsv").status == 0
    out = run("search", tmp_path / "l.weft", "--queries", queries, "--trec", "-").out
    assert [line.split()[2] for line in out.splitlines()] == ["long"] * 3


def test_ids_with_blanks_are_refused_in_a_run(tmp_path: Path, queries: Path, run: Run) -> None:
    (tmp_path / "b.tsv").write_text("two words\tshuttle\n")
    assert run("index", tmp_path / "b.weft", tmp_path / "b.tsv").status == 0
    target = tmp_path / "run.txt"
    outcome = run("search", tmp_path / "b.weft", "--queries", queries, "--trec", target)
    assert outcome.status == 1
    assert "document id for query q0: 'two words' cannot stand in a run file" in outcome.err
    assert not target.exists(), "no half of a run is left"
    assert list(tmp_path.glob("*.part")) == []


def test_a_run_into_a_device_leaves_the_device(made: Path, queries: Path, run: Run) -> None:
    if os.name != "posix":
        pytest.skip("devices are files on POSIX only")
    assert run("search", made, "--queries", queries, "--trec", os.devnull).status == 0
    assert not os.path.isfile(os.devnull)


def test_queries_of_a_file_in_every_form(made: Path, queries: Path, run: Run) -> None:
    answers = json.loads(run("search", made, "--queries", queries, "--json").out)
    assert [answer["query_id"] for answer in answers] == ["q0", "q1", "q2"]
    rows = [json.loads(row) for row in run("search", made, "--queries", queries, "--jsonl").out.splitlines()]
    assert [{**hit, "query_id": one["query_id"]} for one in answers for hit in one["hits"]] == rows
    assert "q1  wind sail" in run("search", made, "--queries", queries, "-k", "1").out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["search", "x.weft"],
        ["search", "x.weft", "query", "--queries", "f.tsv"],
        ["search", "x.weft", "query", "--trec", "r"],
        ["search", "x.weft", "query", "-k", "0"],
        ["search", "x.weft", "query", "--json", "--jsonl"],
        ["index", "x.weft"],
        ["index", "x.weft", "a.tsv", "--nbits", "3"],
        ["delete", "x.weft", "a", "--lock-timeout", "nan"],
        ["delete", "x.weft"],
        ["delete", "x.weft", "a", "--filter", '{"a": 1}'],
        ["delete", "x.weft", "--filter", "{}"],
        ["delete", "x.weft", "--filter", "year=2020"],
        ["delete", "x.weft", "--filter", "[]"],
        ["get", "x.weft"],
        ["get", "x.weft", "a", "--nonsense"],
        ["update", "x.weft", "--set", "a=1"],
        ["update", "x.weft", "a"],
        ["update", "x.weft", "a", "--set", "lang=en"],
        ["update", "x.weft", "a", "--set", "=1"],
        ["export", "x.weft"],
        ["export", "x.weft", "out.parquet"],
        ["search", "x.weft", "query", "--mode", "bm25"],
        ["search", "x.weft", "query", "--weights", "1,2"],
        ["search", "x.weft", "query", "--mode", "hybrid", "--weights", "1"],
        ["search", "x.weft", "query", "--mode", "keyword", "--explain"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: weft")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "q"],
        ["get", "a"],
        ["info"],
        ["check"],
        ["delete", "a"],
        ["update", "a", "--set", "n=1"],
        ["compact"],
        ["export", "-"],
    ],
)
def test_a_missing_index_is_3(tmp_path: Path, run: Run, arguments: list[str]) -> None:
    outcome = run(arguments[0], tmp_path / "nowhere.weft", *arguments[1:])
    assert (outcome.status, outcome.out) == (3, "")
    assert re.fullmatch(r"weft: .*nowhere\.weft.*\n", outcome.err)


def test_a_damaged_index_is_3(made: Path, run: Run) -> None:
    (made / "catalog.sqlite").write_bytes(b"not a catalogue at all" * 300)
    for suffix in ("-wal", "-shm"):
        (made / f"catalog.sqlite{suffix}").unlink(missing_ok=True)
    outcome = run("search", made, "shuttle")
    assert (outcome.status, outcome.out) == (3, "")
    assert "catalog.sqlite" in outcome.err


def test_check_finds_a_flipped_byte(made: Path, run: Run) -> None:
    assert run("check", made).status == 0
    segment = next(made.glob("segment-*.weft"))
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    outcome = run("check", made)
    assert outcome.status == 1
    assert segment.name in outcome.out
    assert outcome.err == f"weft: 1 problems in {made}\n"


def test_a_locked_index_is_4(made: Path, corpus: Path, run: Run) -> None:
    with weft.open(made, encoder=Hashing()) as index:

        def busy(stage: str, done: int, total: int | None) -> None:
            if stage == "encode":
                outcomes.append(run("index", made, corpus))
                outcomes.append(run("delete", made, "a"))

        outcomes: list[Outcome] = []
        index.add(["one text more"], progress=busy)
    assert [outcome.status for outcome in outcomes] == [4, 4]
    assert all(outcome.err.startswith("weft: ") for outcome in outcomes)


def test_another_model_is_an_error(made: Path, run: Run) -> None:
    outcome = run("search", made, "shuttle", "--model", "other")
    assert outcome.status == 1
    assert re.search("hashing.*other", outcome.err)


def test_get_in_every_form(made: Path, run: Run) -> None:
    assert run("get", made, "a", "b").out == (
        f'a\nCloth\n{{"n": 1}}\n{TEXTS["a"]}\n\nb\nCloth\n{{"n": 1}}\n{TEXTS["b"]}\n'
    )
    array = json.loads(run("get", made, "a", "b", "--json").out)
    rows = [json.loads(row) for row in run("get", made, "a", "b", "--jsonl").out.splitlines()]
    assert array == rows
    assert array[0]["passages"] == [[0, len(TEXTS["a"])]]
    outcome = run("get", made, "a", "nobody")
    assert (outcome.status, outcome.out) == (1, "")
    assert "no document has the id 'nobody'" in outcome.err


def test_delete_names_what_was_not_there(made: Path, run: Run) -> None:
    assert run("delete", made, "a").status == 0
    outcome = run("delete", made, "a", "b")
    assert outcome.status == 1
    assert "deleted 1 of 2 documents" in outcome.err
    assert "no document has the id 'a'" in outcome.err


def test_info_of_an_index(made: Path, run: Run) -> None:
    values = json.loads(run("info", made, "--json").out)
    assert (values["documents"], values["encoder"]["name"], values["dim"]) == (3, "hashing", 32)
    assert {"cpu_tier", "threads", "bytes", "bytes_per_token"} <= values.keys()
    assert "documents: 3\n" in run("info", made).out


def test_info_of_the_installation(run: Run) -> None:
    values = json.loads(run("info", "--json").out)
    assert values["weft"] == weft.__version__
    assert values["cpu_tier"] in values["cpu_tiers"]
    assert values["model"]["name"] == "hashing"


def test_debug_shows_the_traceback(tmp_path: Path, run: Run) -> None:
    with pytest.raises(weft.IndexNotFound):
        run("--debug", "check", tmp_path / "nowhere.weft")
    with pytest.raises(weft.IndexNotFound):
        run("check", tmp_path / "nowhere.weft", "--debug")


def test_an_interrupt_is_130(made: Path, corpus: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Hashing, texts: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Hashing, "encode_document", interrupted)
    outcome = run("index", made, corpus)
    assert outcome.status == 130
    assert "weft: interrupted" in outcome.err
    with weft.open(made) as index:
        assert len(index) == 3


def test_an_unexpected_error_is_one_line_too(made: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Hashing, texts: list[str]) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(Hashing, "encode_query", broken)
    outcome = run("search", made, "shuttle")
    assert outcome.status == 1
    assert outcome.err == (
        "weft: unexpected ZeroDivisionError: division by zero: run again with --debug and report it\n"
    )


def test_a_closed_pipe_is_no_error(made: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*SEPARATE, "get", str(made), "a"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_real_interrupt_ends_the_process_with_130(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("signals are sent otherwise on Windows")
    # Standard input that never comes: the process waits in `index` until it is told to stop.
    process = subprocess.Popen(
        [*SEPARATE, "index", str(tmp_path / "i.weft"), "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    # The list of imports tells when the reader has been reached, which no time would.
    for line in process.stderr:
        if "weft.inputs" in line and "weft.inputs." not in line:
            break
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "weft: interrupted" in said
    assert not (tmp_path / "i.weft").exists()


def test_data_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    with weft.open(tmp_path / "u.weft", create=True, encoder=Hashing()) as index:
        index.add(["Röntgen, ドラゴン"], ids=["ü"])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [*SEPARATE, "get", str(tmp_path / "u.weft"), "ü"]
    done = subprocess.run(command, capture_output=True, timeout=60, env=environment, check=True)
    assert done.stdout.decode() == "ü\nRöntgen, ドラゴン\n"


def test_help_and_version() -> None:
    assert separately("--version").stdout == f"weft {weft.__version__}\n"
    text = separately("--help").stdout
    commands = "demo index search get update delete info check compact export eval"
    for command in commands.split():
        assert command in text
        assert "--debug" in separately(command, "--help").stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom weft.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'weft._core', 'weft.index', 'dataclasses', 'tempfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_answers_within_100_ms_of_the_interpreter() -> None:
    resource = pytest.importorskip("resource")

    def took(*command: str) -> float:
        # Processor time, which on an idle machine is the time one waits and on a busy one still is.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare = min(took("-c", "pass") for _ in range(5))
    assert min(took("-m", "weft", "--help") for _ in range(5)) - bare < 0.1
    assert min(took("-m", "weft", "--version") for _ in range(5)) - bare < 0.1
