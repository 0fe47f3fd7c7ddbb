"""Writing: what a commit changes, what an abandoned one must not, and who may write."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from engine import build, clustered, pairs, put
from weft import _core, errors


def rows(count, seed=5):
    return clustered(np.random.default_rng(seed), count)


def names(path):
    return {p.name for p in path.iterdir() if p.suffix in (".weft", ".tmp")}


def test_the_same_id_replaces(tmp_path):
    index, _ = build(tmp_path / "i", 5, 4)
    put(index, ["d1", "d1"], [4, 4], rows(8), texts=["first", "second"])
    assert len(index) == 5
    assert index.get(["d1"])[0][1] == "second"
    np.testing.assert_allclose(
        np.frombuffer(index.vectors("d1", 0)[0], np.float32), rows(8)[4:].ravel(), atol=1e-3
    )
    assert index.check() == []


def test_ids_are_made_paged_and_deleted(tmp_path):
    index, _ = build(tmp_path / "i", 5, 4)
    made = put(index, [None] * 20, [1] * 20, rows(20))
    assert len(set(made)) == 20
    expected = [f"d{i}" for i in range(5)] + made
    assert index.ids(None, 7) == expected[:7]
    assert index.ids(expected[6], 100) == expected[7:]
    assert index.delete(["unknown", "d0"]) == 1
    assert index.delete(["unknown", "d0"]) == 0
    assert index.get(["d0"]) == [None]


def test_passages_are_slices_in_code_points(tmp_path):
    index = _core.Index.open(tmp_path / "i", create=True)
    text, spans = "a\u00e9\U0001f600b\U0001d11ec", [(0, 3), (2, 5), (5, 6)]
    vectors = rows(6)
    put(index, ["x"], [2, 2, 2], vectors, texts=[text], spans=[spans])
    assert index.get(["x"]) == [("x", text, None, None, spans)]
    for number, (start, end) in enumerate(spans):
        hit = index.search([vectors[2 * number : 2 * number + 2]], 1)[0][0]
        assert hit[3:8] == (number, 3, start, end, text[start:end])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("stage", ["train", "encode", "write", None])
def test_what_is_not_committed_never_was(tmp_path, error, stage):
    index, vectors = build(tmp_path / "i", 5, 4)
    query = [vectors[0]]
    before = names(tmp_path / "i"), index.generation, pairs(index.search(query, 5))
    writer = index.begin()
    none = [None] * 1650
    writer.add(none, none, none, none, [[]] * 1650, [40] * 1650, rows(66_000))

    def fail(at, done, total):
        if at == stage:
            raise error("stop")

    if stage is None:
        writer.abort()
    else:
        with pytest.raises(error, match="stop"):
            writer.commit(fail)
    del writer
    assert (names(tmp_path / "i"), index.generation, pairs(index.search(query, 5))) == before
    assert index.check() == []


def test_one_writer_and_no_writing_readers(tmp_path):
    index, _ = build(tmp_path / "i", 5, 4)
    writer = index.begin()
    with pytest.raises(errors.IndexLocked, match="another writer"):
        _core.Index.open(tmp_path / "i").begin()
    writer.abort()
    reader = _core.Index.open(tmp_path / "i", read_only=True)
    with pytest.raises(errors.ReadOnlyIndex, match="reading only"):
        reader.begin()


def test_readers_see_commits(tmp_path):
    index, _ = build(tmp_path / "i", 5, 4)
    reader = _core.Index.open(tmp_path / "i", read_only=True)
    program = (
        "import sys; from weft import _core; i = _core.Index.open(sys.argv[1], read_only=True); print(len(i), flush=True)\n"
        "sys.stdin.readline(); print(len(i), flush=True)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, index.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "5\n"
        put(index, ["x"], [4], rows(4))
        assert len(reader) == 6
        assert child.communicate("\n")[0] == "6\n"


def test_many_small_commits_leave_few_segments(tmp_path):
    index, _ = build(tmp_path / "i", 1640, 40)
    for number in range(40):
        put(index, [f"x{number}"], [20], rows(20, number))
    assert len(index.info()["segments"]) <= 12
    assert len(index) == 1680
    assert index.check() == []


def test_threads_do_not_change_the_files(tmp_path):
    for threads in (1, 2):
        build(tmp_path / str(threads), 1640, 40, threads=threads)
    assert names(tmp_path / "1") == names(tmp_path / "2")
    for name in names(tmp_path / "1"):
        one, two = ((tmp_path / n / name).read_bytes()[64:] for n in "12")
        assert one == two
