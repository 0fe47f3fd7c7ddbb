"""Damage is found: a changed file gives an error or a finding of `check`, never another answer."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import zlib

import numpy as np
import pytest
from engine import build, pairs, queries
from weft import _core, errors

ERRORS = (errors.CorruptIndex, errors.IncompatibleIndex, OSError)


@pytest.fixture(scope="module", params=[(30, 10), (1640, 40)], ids=["float", "coded"])
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "i"
    index, vectors = build(path, *request.param)
    asked = queries(vectors, 2)
    ids = [f"d{i}" for i in range(request.param[0])]
    expected = answers(index, asked, ids)
    index.close()
    return path, asked, ids, expected


def answers(index, asked, ids):
    return pairs(index.search(asked, 5)), pairs(index.search(asked, 5, exact=True)), index.get(ids)


def silent(path, whole):
    """Whether nothing was reported about an index; a wrong answer fails the test."""
    _, asked, ids, expected = whole
    try:
        index = _core.Index.open(path)
        found = answers(index, asked, ids)
        problems = index.check()
    except ERRORS:
        return False
    assert problems or found == expected
    return not problems


@contextlib.contextmanager
def changed(file, data):
    old = file.read_bytes()
    file.write_bytes(data)
    try:
        yield
    finally:
        file.write_bytes(old)


def flipped(data, at, bit):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def copied(whole, tmp_path):
    return shutil.copytree(whole[0], tmp_path / "i")


def test_bits_of_the_files(whole, tmp_path):
    path = copied(whole, tmp_path)
    rng = np.random.default_rng(4)
    for file in sorted(path.glob("*.weft")):
        data = file.read_bytes()
        edges = [*range(64), *range(len(data) - 192, len(data))]
        for at in [*edges, *rng.integers(len(data), size=60)]:
            with changed(file, flipped(data, at, rng.integers(8))):
                assert not silent(path, whole), f"{file.name} at {at}"
        for length in (0, 1, 63, 64, 128, len(data) // 2, len(data) - 64, len(data) - 1):
            with changed(file, data[:length]):
                assert not silent(path, whole), f"{file.name} cut to {length}"
    assert silent(path, whole)


def test_missing_files_and_another_version(whole, tmp_path):
    path = copied(whole, tmp_path)
    for file in sorted(path.glob("*.weft")):
        data = file.read_bytes()
        head = data[:8] + struct.pack("<I", 99) + data[12:60]
        with (
            changed(file, head + struct.pack("<I", zlib.crc32(head)) + data[64:]),
            pytest.raises(errors.IncompatibleIndex, match="version 99"),
        ):
            _core.Index.open(path)
        file.unlink()
        assert not silent(path, whole)
        file.write_bytes(data)


def test_files_of_another_index(whole, tmp_path):
    path = copied(whole, tmp_path)
    count = len(whole[2])
    build(tmp_path / "other", count, 10 if count == 30 else 40)
    for file in sorted(path.glob("*.weft")):
        with changed(file, (tmp_path / "other" / file.name).read_bytes()):
            assert not silent(path, whole)


def test_bytes_of_the_catalogue(tmp_path):
    build(tmp_path / "whole", 30, 10)[0].close()
    index = _core.Index.open(tmp_path / "whole")
    asked, ids = [np.eye(4, 48, dtype=np.float32)], [f"d{i}" for i in range(30)]
    whole = None, asked, ids, answers(index, asked, ids)
    index.close()
    del index
    data = (tmp_path / "whole" / "catalog.sqlite").read_bytes()
    rng = np.random.default_rng(6)
    used = np.flatnonzero(np.frombuffer(data, np.uint8))
    for number, at in enumerate([*rng.choice(used, 120), *rng.integers(len(data), size=30)]):
        path = shutil.copytree(tmp_path / "whole", tmp_path / str(number))
        (path / "catalog.sqlite").write_bytes(flipped(data, at, rng.integers(8)))
        silent(path, whole)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DELETE FROM field_values WHERE document = 1", "the value of 'a' of document \"d1\" is missing"),
        ("UPDATE field_values SET passages = 2 WHERE document = 1", "the value of 'a' of document"),
        ("INSERT INTO field_values SELECT field, 0, value, 2, 1 FROM field_values LIMIT 1", "it has 4 rows"),
        ("DELETE FROM keywords_docsize WHERE id = 1", "the words of passage 1 are not those of its text"),
        (
            "INSERT INTO keywords_docsize SELECT 9, sz, origin FROM keywords_docsize LIMIT 1",
            "passage 9 are not",
        ),
        (
            "DELETE FROM keywords_data; INSERT INTO keywords_data SELECT * FROM other.keywords_data",
            "passage 2 are not",
        ),
        ("UPDATE keywords_docsize SET sz = x'0102' WHERE id = 0", "the words of passage 0 are not"),
    ],
)
def test_derived_tables_are_compared_with_the_documents(tmp_path, change, problem):
    rows, metadata = np.eye(3, 8, dtype=np.float32), [f'{{"a": {i}}}' for i in range(3)]
    for name, last in (("other", "text 3"), ("i", "text 2")):
        index = _core.Index.open(tmp_path / name, create=True)
        writer = index.begin()
        texts = ["text 0", "text 1", last]
        writer.add(["d0", "d1", "d2"], texts, [None] * 3, metadata, [[]] * 3, [1] * 3, rows)
        writer.commit()
    assert index.check() == []
    index.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "i" / "catalog.sqlite")) as catalogue:
        catalogue.execute("ATTACH ? AS other", [str(tmp_path / "other" / "catalog.sqlite")])
        catalogue.executescript(change)
    reader = _core.Index.open(tmp_path / "i", read_only=True)
    for _ in range(2):
        assert problem in reader.check()[-1]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM passages WHERE docno = 5", "passage 5 stands in a segment but not here"),
        ("DELETE FROM documents WHERE document = 5", "document 5 has passages but no row"),
        ("UPDATE documents SET text = 'other' WHERE document = 5", 'wrong checksum of document "d5"'),
        ("UPDATE passages SET start = 1 WHERE docno = 5", "wrong checksum of passage 5"),
        (
            "INSERT INTO passages SELECT 99, 99, 0, 0, 0, 1, 0",
            "passage 99 of the catalogue stands in no segment",
        ),
        ("INSERT INTO deletions VALUES (5, 1)", "passage 5 of the catalogue stands in no segment"),
        (
            "INSERT INTO deletions VALUES (5, 1)",
            "30 documents in the catalogue, of 29 the first passage stands",
        ),
        ("DELETE FROM field_values WHERE document = 5", "d5"),
        ("DROP INDEX deletions_by_generation", None),
    ],
)
def test_check_says_what_is_wrong_with_rows(tmp_path, statement, words):
    build(tmp_path / "i", 30, 4)[0].close()
    index = _core.Index.open(tmp_path / "i")
    writer = index.begin()
    writer.update(["d5"], ['{"a": 1}'])
    writer.commit()
    index.close()
    with sqlite3.connect(tmp_path / "i" / "catalog.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    problems = _core.Index.open(tmp_path / "i").check()
    if words is None:
        assert problems == []
    else:
        assert any(words in problem for problem in problems), problems
        assert len(problems) < 6
