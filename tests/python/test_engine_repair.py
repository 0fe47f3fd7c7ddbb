"""Repair: what is whole goes to a new index unchanged, what is lost is named, the damaged index stays as it is."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from engine import build, pairs, put, queries
from weft import _core, errors

COUNT = 1640


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An index of a coded segment, of an uncompressed one with several passages a document, and of deletions."""
    path = tmp_path_factory.mktemp("whole") / "i"
    index, vectors = build(path, COUNT, 40)
    put(
        index,
        ["late", "e\u00e9"],
        [3, 4, 5],
        vectors[0, :12],
        texts=["two passages \U0001f600", "one"],
        spans=[[(0, 3), (4, 14)], []],
    )
    index.delete(["d3", "d900"])
    index.close()
    asked = queries(vectors, 3)
    return path, asked, contents(path), answers(path, asked)


def contents(path):
    """All documents, and the bytes of their vectors."""
    index = _core.Index.open(path)
    ids = index.ids(None, 10_000)
    found = {}
    for document in index.get(ids):
        vectors = [index.vectors(document[0], n)[0] for n in range(len(document[4]))]
        found[document[0]] = (document, vectors)
    return found


def answers(path, asked):
    index = _core.Index.open(path)
    return pairs(index.search(asked, 10)), pairs(index.search(asked, 10, exact=True))


def files(path):
    return {p.name: p.read_bytes() for p in path.iterdir() if not p.name.endswith("-shm")}


def repaired(path, before):
    """Repair an index; what was kept is what it was, and what was not is named."""
    left = files(path)
    target = path.with_name("repaired")
    shutil.rmtree(target, ignore_errors=True)
    report = _core.repair(path, target)
    assert files(path) == left
    index = _core.Index.open(target)
    assert index.check() == []
    kept = contents(target)
    assert len(kept) == report["documents"]
    assert kept.items() <= before.items()
    lost = {id for id, *_ in report["lost"]}
    if None not in lost:
        assert lost >= before.keys() - kept.keys()
    put(index, ["added after"], [2], np.eye(2, 48, dtype=np.float32), texts=["words"])
    assert index.check() == []
    return report, kept


def damaged(whole, tmp_path, name):
    path = shutil.copytree(whole[0], tmp_path / "i")
    return path, path / name


def name_of(path, kind):
    info = _core.Index.open(path).info()
    if kind == "codebook":
        return f"codebook-{info['codebooks'][0]['number']}.weft"
    return next(f"segment-{s['number']}.weft" for s in info["segments"] if s["kind"] == kind)


def test_a_sound_index_stays_what_it_is(whole, tmp_path):
    path = shutil.copytree(whole[0], tmp_path / "i")
    report, kept = repaired(path, whole[2])
    assert report["lost"] == []
    assert report["damage"] == []
    assert report["texts"] is None
    assert kept == whole[2]
    _core.repair(path, tmp_path / "again")
    assert answers(tmp_path / "again", whole[1]) == whole[3]


def test_a_flipped_byte_costs_a_block(whole, tmp_path):
    path, file = damaged(whole, tmp_path, name_of(whole[0], "coded"))
    data = bytearray(file.read_bytes())
    rng = np.random.default_rng(3)
    costs = []
    for at in [10, *rng.integers(len(data) - 4096, size=6)]:
        data[at] ^= 4
        file.write_bytes(data)
        report, _ = repaired(path, whole[2])
        data[at] ^= 4
        costs.append(len(report["lost"]))
        assert len(report["lost"]) < 900
        assert all(whole_text and "segment" in reason for _, _, reason, whole_text in report["lost"])
    assert costs[0] == 0, "the header is not needed"
    assert max(costs) > 50, "some block held vectors"


def test_texts_of_lost_documents_are_kept(whole, tmp_path):
    path, file = damaged(whole, tmp_path, name_of(whole[0], "codebook"))
    file.write_bytes(file.read_bytes()[:-100])
    report, kept = repaired(path, whole[2])
    assert kept.keys() == {"late", "e\u00e9"}
    assert len(report["lost"]) == COUNT - 2
    assert any("codebook" in line for line in report["damage"])
    lines = [json.loads(line) for line in report["texts"].read_text().splitlines()]
    assert {(line["id"], line["text"]) for line in lines} == {
        (id, document[1]) for id, (document, _) in whole[2].items() if id not in kept
    }


@pytest.mark.parametrize("kind", ["coded", "float16"])
def test_a_missing_file(whole, tmp_path, kind):
    path, file = damaged(whole, tmp_path, name_of(whole[0], kind))
    file.unlink()
    report, kept = repaired(path, whole[2])
    assert report["damage"] == [f"'{file}' is missing"]
    assert len(kept) == (2 if kind == "coded" else COUNT - 2)


def test_files_that_no_commit_named_are_not_taken(whole, tmp_path):
    path, file = damaged(whole, tmp_path, "segment-77.weft")
    file.write_bytes((path / name_of(path, "coded")).read_bytes())
    report, kept = repaired(path, whole[2])
    assert (report["damage"], kept) == ([], whole[2])


def test_a_damaged_catalogue(whole, tmp_path):
    """One page after the other is overwritten: each time either most is kept, or SQLite reads nothing and the error says so."""
    index, _ = build(tmp_path / "small", 300, 4)
    index.delete(["d7"])
    index.close()
    before = contents(tmp_path / "small")
    data = (tmp_path / "small" / "catalog.sqlite").read_bytes()
    kept_in_all, said = [], []
    for page in range(len(data) // 4096):
        path = shutil.copytree(tmp_path / "small", tmp_path / f"page{page}")
        spoiled = data[: page * 4096] + bytes([0xA5]) * 4096 + data[(page + 1) * 4096 :]
        (path / "catalog.sqlite").write_bytes(spoiled)
        try:
            _, kept = repaired(path, before)
            kept_in_all.append(len(kept))
            shutil.rmtree(tmp_path / "repaired")
        except errors.CorruptIndex as error:
            said.append(str(error))
            assert not (tmp_path / "repaired").exists()
        shutil.rmtree(path)
    assert len(said) == 1, "only the first page, with the schema, is needed"
    assert all("catalog.sqlite" in line and ".unfinished" not in line for line in said)
    assert np.median(kept_in_all) > 290


def test_only_an_index_and_only_to_a_new_place(whole, tmp_path):
    with pytest.raises(errors.IndexNotFound):
        _core.repair(tmp_path / "nothing", tmp_path / "new")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(errors.IndexExists, match="choose another place"):
        _core.repair(whole[0], tmp_path / "taken")

    def stop(stage, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _core.repair(whole[0], tmp_path / "new", stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken"]
