"""Bad input is refused by name, in words that say what to do."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from engine import build, put
from weft import _core, errors

GOOD = np.eye(4, 16, dtype=np.float32)


def with_value(value):
    rows = GOOD.copy()
    rows[2, 3] = value
    return rows


@pytest.fixture
def index(tmp_path):
    return build(tmp_path / "i", 5, 4, 16)[0]


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (GOOD.astype(np.float64), "float32"),
        (GOOD.astype(np.int32), "float32"),
        (GOOD[0], "two dimensions"),
        (GOOD[None], "two dimensions"),
        (np.asfortranarray(GOOD), "C-contiguous"),
        ([[1.0]], "array"),
    ],
)
def test_arrays_of_the_wrong_form(index, vectors, words):
    with pytest.raises(errors.InvalidInput, match=words):
        index.search([vectors], 3)
    with pytest.raises(errors.InvalidInput, match=words):
        put(index, ["x"], [4], vectors)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(index, value):
    with pytest.raises(errors.InvalidInput, match="row 2"):
        index.search([with_value(value)], 3)
    with pytest.raises(errors.InvalidInput, match="row 2"):
        put(index, ["x"], [4], with_value(value))
    assert len(index) == 5


def test_a_row_of_zeros_has_no_direction(index):
    rows = GOOD.copy()
    rows[2] = 0
    with pytest.raises(errors.InvalidInput, match="row 2"):
        put(index, ["x"], [4], rows)


def test_dimensions(index, tmp_path):
    other = np.eye(4, 24, dtype=np.float32)
    with pytest.raises(errors.InvalidInput, match="24.*16"):
        index.search([other], 3)
    with pytest.raises(errors.InvalidInput, match="24.*16"):
        put(index, ["x"], [4], other)
    empty = _core.Index.open(tmp_path / "odd", create=True)
    with pytest.raises(errors.InvalidInput, match=r"50.*multiple of 8"):
        put(empty, ["x"], [4], np.eye(4, 50, dtype=np.float32))


def test_an_empty_passage_names_its_document(index):
    with pytest.raises(errors.InvalidInput, match='"x".*no tokens'):
        put(index, ["y", "x"], [4, 0], GOOD)


def test_arguments(index, tmp_path):
    with pytest.raises(errors.InvalidInput, match="k is 0"):
        index.search([GOOD], 0)
    with pytest.raises(errors.InvalidInput, match=r"nbits is 3.*1, 2, 4 or 8"):
        _core.Index.open(tmp_path / "n", create=True, nbits=3)
    with pytest.raises(errors.InvalidInput, match="'zip' is unknown.*plaid"):
        _core.Index.open(tmp_path / "n", create=True, codec="zip")
    assert not (tmp_path / "n").exists()
    index.close()
    with pytest.raises(errors.InvalidInput, match="closed"):
        index.search([GOOD], 1)


def test_paths_that_hold_no_index(tmp_path):
    with pytest.raises(errors.IndexNotFound, match="no index"):
        _core.Index.open(tmp_path / "missing")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other").write_text("x")
    (tmp_path / "file").write_text("x")
    for name in ("full", "file"):
        with pytest.raises(errors.IndexExists, match=name):
            _core.Index.open(tmp_path / name, create=True)
    assert (tmp_path / "full" / "other").read_text() == "x"
    assert (tmp_path / "file").read_text() == "x"


def test_a_foreign_database_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "catalog.sqlite") as database:
        database.execute("CREATE TABLE t (x)")
    database.close()
    before = (tmp_path / "catalog.sqlite").read_bytes()
    with pytest.raises(errors.IndexExists, match="not a weft index"):
        _core.Index.open(tmp_path)
    assert (tmp_path / "catalog.sqlite").read_bytes() == before
