"""The bench of the peers runs on a small collection with Weft and numpy alone: protocol, checks, sweep, tables."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PEERS = Path(__file__).parents[2] / "benches" / "python" / "peers"
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read as Linux shows it"
)


@pytest.fixture
def peers(monkeypatch):
    """Import a module of the bench, which is a folder that is run, not a package."""
    monkeypatch.syspath_prepend(str(PEERS))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(PEERS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def unit(random, count):
    matrix = random.standard_normal((count, 16)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


@pytest.fixture
def prepared(peers, tmp_path):
    """80 passages and 6 queries in a prepared folder."""
    random = np.random.default_rng(3)
    documents = [unit(random, int(n)).astype(np.float16) for n in random.integers(2, 12, 80)]
    queries = [unit(random, int(n)) for n in random.integers(3, 8, 6)]
    about = {
        "source": "random",
        "passages": 80,
        "tokens": sum(map(len, documents)),
        "dim": 16,
        "model": "none",
    }
    folder = tmp_path / "vectors"
    peers("vectors").write(folder, documents, queries, [[7] * len(m) for m in documents], about)
    return folder


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(PEERS), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_run_measures_weft_beside_numpy(prepared, tmp_path):
    out = tmp_path / "out"
    engines = ["weft", "numpy_maxsim", "tachiom"]
    options = ["--here", "weft", "numpy_maxsim", "--environments", tmp_path, "--rounds", 2, "--threads", 1]
    done = command("run", prepared, "--out", out, "--engines", *engines, *options)
    assert done.returncode == 0, done.stderr
    run = json.loads((out / "results.json").read_text())
    assert [entry["engine"] for entry in run["entries"]] == ["weft", "numpy_maxsim"]
    weft, numpy = run["entries"]
    assert numpy["points"][0]["overlap@10"] == numpy["points"][0]["recall@100"] == 1
    assert numpy["points"][0]["score distance"] < 1e-4
    assert max(point["overlap@10"] for point in weft["points"]) > 0.8
    for entry in run["entries"]:
        assert entry["batch finds the same"] == {"1": 1.0}
        assert entry["build"]["memory"]["peak"] > 0
        assert entry["import"]["versions"]["numpy"] == np.__version__
        timed = [point for point in entry["points"] if point["timed"]]
        assert entry["points"][0]["timed"], "the defaults are always timed"
        for point in timed:
            assert [len(point["times"][key]["rounds"]) for key in ("1 single", "1 batch")] == [2, 2]
    assert [missing["what"] for missing in run["absent"]] == ["tachiom"]
    table = (out / "results.md").read_text()
    for part in (
        "### Building and size",
        "### Opening",
        "### One query at a time, 1 thread",
        "### Not there",
    ):
        assert part in table
    assert table.count("| numpy_maxsim | float32 | defaults | 1.000 | 1.000 |") == 2


def test_a_run_that_lacks_weft_fails(prepared, tmp_path):
    done = command(
        "run", prepared, "--out", tmp_path / "out", "--engines", "weft", "--environments", tmp_path
    )
    assert done.returncode == 1
    assert "no environment at" in done.stdout


def test_every_bit_width_is_built_where_it_is_asked_for(prepared, tmp_path):
    out = tmp_path / "out"
    options = ["--here", "weft", "numpy_maxsim", "--rounds", 1, "--threads", 1, "--all-builds", "weft"]
    done = command("run", prepared, "--out", out, "--engines", "weft", "numpy_maxsim", *options)
    assert done.returncode == 0, done.stderr
    entries = json.loads((out / "results.json").read_text())["entries"]
    built = [(entry["engine"], entry["build_name"]) for entry in entries]
    assert built == [("weft", "2 bits"), ("weft", "1 bit"), ("weft", "4 bits"), ("numpy_maxsim", "float32")]
    done = command("run", prepared, "--out", out, "--engines", "weft", "--all-builds", "plaid")
    assert done.returncode != 0
    assert "no engine 'plaid'" in done.stderr


def test_an_engine_that_fails_answers_with_its_traceback(peers, prepared, tmp_path):
    child = peers("child")
    weft = child.Child("weft", Path(sys.executable), 1, tmp_path / "log")
    try:
        weft.ask("import", 60)
        with pytest.raises(child.EngineError, match="IndexNotFound"):
            weft.ask("open", 60, path=str(tmp_path / "nothing"), threads=1)
        assert weft.ask("queries", 60, vectors=str(prepared)) == {"queries": 6}, "and it goes on"
    finally:
        weft.close()


def test_an_engine_that_dies_or_hangs_is_told_so(peers, tmp_path):
    child = peers("child")
    dead = child.Child("no_such_engine", Path(sys.executable), 1, tmp_path / "log")
    with pytest.raises(child.EngineError, match="ended with 1.*no_such_engine"):
        dead.ask("import", 60)
    dead.close()
    slow = child.Child("weft", Path(sys.executable), 1, tmp_path / "log")
    with pytest.raises(child.EngineError, match="no answer after 0 s"):
        slow.ask("import", 0)
    slow.close()


def test_a_folder_whose_lengths_do_not_add_up_is_refused(peers, prepared):
    np.save(prepared / "lengths.npy", np.array([1, 2], np.int64))
    with pytest.raises(ValueError, match="prepare the folder again"):
        peers("vectors").Vectors.read(prepared)


def test_truth_is_the_same_by_hand(peers, prepared):
    vectors = peers("vectors").Vectors.read(prepared)
    scores, about = peers("truth").truth(vectors)
    assert about["largest difference"] < 1e-4
    for query, row in zip(vectors.queries, scores, strict=True):
        expected = [(query @ passage.T).max(axis=1).sum() for passage in vectors.passages()]
        np.testing.assert_allclose(row, expected, atol=1e-4)


def test_overlap_counts_equals_and_checks_refuse_what_is_wrong(peers):
    figures = peers("figures")
    truth = np.array([[5.0, 4.0, 4.0, 1.0]], np.float32)
    assert figures.overlap(truth, [[0, 2]], 2) == 1, "passages 1 and 2 score alike"
    assert figures.overlap(truth, [[0, 3]], 2) == 0.5
    assert figures.overlap(truth, [[]], 2) == 0
    assert figures.check(truth, [[0, 1]], [[5.0, 4.0]], 2, True) == 0
    assert figures.check(truth, [[0, 1]], [[4.5, 4.0]], 2, False) == pytest.approx(0.25)
    for ids, scores, exact in [
        ([0, 0], [5.0, 5.0], False),
        ([0, 4], [5.0, 4.0], False),
        ([-1], [5.0], False),
        ([0, 1, 2], [5.0, 4.0, 4.0], False),
        ([1, 0], [4.0, 5.0], False),
        ([0, 1], [4.5, 4.0], True),
        ([0], [5.0], True),
    ]:
        with pytest.raises(figures.WrongAnswerError, match="query 0"):
            figures.check(truth, [ids], [scores], 2, exact)


def test_frontier_and_ratios(peers):
    figures = peers("figures")
    points = [(1.0, 0.5), (2.0, 0.9), (2.1, 0.8), (4.0, 0.7), (3.0, 0.9)]
    assert figures.frontier(points) == [0, 1, 2], (
        "what is within a tenth of the time stays, of equals the fastest"
    )
    own = [
        {"overlap@10": 0.8, "rounds": [1.0, 2.0]},
        {"overlap@10": 0.9, "rounds": [2.0, 2.0]},
        {"overlap@10": 0.95, "rounds": [9.0, 9.0]},
    ]
    assert figures.ratios({"overlap@10": 0.9, "rounds": [10.0, 30.0]}, own) == {
        "median": 10.0,
        "lowest": 5.0,
        "highest": 15.0,
    }
    assert figures.ratios({"overlap@10": 0.96, "rounds": [1.0, 1.0]}, own) is None
