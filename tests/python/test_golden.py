"""Golden indexes: every format version that is read at all is read as on its first day; damaged twins are refused in known words."""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from engine import clustered, pairs, put, unit
from weft import _core, errors

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.append(str(GOLDEN))
make = importlib.import_module("make")

INDEXES = sorted(path.parent for path in GOLDEN.glob("v*/*/index"))
CODED = GOLDEN / f"v{_core.FORMAT_VERSION}" / "coded"


def close(found, wanted):
    """Equal, scores up to the last bits of a float32."""
    if isinstance(wanted, float):
        return found == pytest.approx(wanted, rel=1e-6)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    return found == wanted


@pytest.mark.parametrize("golden", INDEXES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_golden_index(golden, tmp_path):
    path = shutil.copytree(golden / "index", tmp_path / "i")
    wanted = json.loads((golden / "expected.json").read_text())
    found = json.loads(json.dumps(make.expected(path)))
    for part in ("documents", "info", "segments"):
        assert found[part] == wanted[part]
    for name, lists in wanted["hits"].items():
        assert close(found["hits"][name], lists), name
    index = _core.Index.open(path)
    assert index.check() == []
    put(index, ["new"], [2], unit(np.eye(2, make.DIM)), texts=["a new document"])
    assert index.check() == []
    assert index.search([], 5, words=["new"], mode="keyword")[0][0][0] == "new"
    assert sum(p.stat().st_size for p in golden.rglob("*")) < 150_000


def test_this_version_has_golden_indexes():
    assert {path.name for path in INDEXES if path.parent.name == f"v{_core.FORMAT_VERSION}"} == {
        "coded",
        "float",
        "imported",
    }


def version_of(file):
    if file.suffix == ".weft":
        return struct.unpack_from("<I", file.read_bytes(), 8)[0]
    connection = sqlite3.connect(file)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


@pytest.mark.parametrize("golden", INDEXES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_index_stays_in_the_version_it_was_made_in(golden, tmp_path):
    """What is added to an index of an older version can be read by the builds that know only that."""
    path = shutil.copytree(golden / "index", tmp_path / "i")
    index = _core.Index.open(path, train_tokens=1)
    put(
        index,
        [f"n{i}" for i in range(900)],
        [20] * 900,
        clustered(np.random.default_rng(1), 18_000, make.DIM),
    )
    index.compact()
    assert index.check() == []
    assert {s["kind"] for s in index.info()["segments"]} == {"coded"}
    index.close()
    wanted = int(golden.parent.name[1:])
    files = [p for p in path.iterdir() if p.suffix in (".weft", ".sqlite")]
    assert len(files) >= 3
    assert {version_of(file) for file in files} == {wanted}
    _core.repair(path, tmp_path / "repaired")
    assert version_of(tmp_path / "repaired" / "catalog.sqlite") == _core.FORMAT_VERSION
    repaired = _core.Index.open(tmp_path / "repaired")
    assert repaired.check() == []
    assert pairs(repaired.search([np.eye(2, make.DIM, dtype=np.float32)], 9)) == pairs(
        _core.Index.open(path).search([np.eye(2, make.DIM, dtype=np.float32)], 9)
    )


def test_a_file_of_another_version_than_its_index(tmp_path):
    path = shutil.copytree(CODED / "index", tmp_path / "i")
    versioned(2)(next(path.glob("codebook-*")))
    with pytest.raises(errors.CorruptIndex, match="belongs to another index or version"):
        _core.Index.open(path)


def flipped(at):
    def change(file):
        data = bytearray(file.read_bytes())
        data[at] ^= 1
        file.write_bytes(data)

    return change


def flip_in_the_footer(file):
    data = file.read_bytes()
    (footer,) = struct.unpack_from("<Q", data, len(data) - 64)
    flipped(footer + 9)(file)


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def versioned(number):
    def change(file):
        data = file.read_bytes()
        head = data[:8] + struct.pack("<I", number) + data[12:60]
        file.write_bytes(head + struct.pack("<I", zlib.crc32(head)) + data[64:])

    return change


def version_of_the_catalogue(file):
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def of_another(file):
    shutil.copy(next((GOLDEN / f"v{_core.FORMAT_VERSION}" / "float" / "index").glob("segment-*")), file)


END = "; restore it from a copy or rebuild the index"
TWINS = {
    "a flipped byte of the magic": (
        "segment",
        flipped(0),
        "is damaged in header: the first bytes are not those of a weft file" + END,
    ),
    "a flipped byte of the header": ("segment", flipped(17), "is damaged in header: wrong checksum" + END),
    "a flipped byte of a section": (
        "segment",
        flipped(64),
        "is damaged in section 5: wrong checksum of bytes 64 to 1432" + END,
    ),
    "a flipped byte of a gap": (
        "segment",
        flipped(-70),
        "is damaged in a gap between sections: bytes 4448 to 4480 are not zero" + END,
    ),
    "a flipped byte of the footer": (
        "segment",
        flip_in_the_footer,
        "is damaged in footer: wrong checksum" + END,
    ),
    "a flipped byte of the trailer": ("segment", flipped(-1), "is damaged in trailer: wrong checksum" + END),
    "a cut": ("segment", cut, "is damaged in length: {less} bytes, the catalogue says {bytes}" + END),
    "a missing segment": (
        "segment",
        Path.unlink,
        "is damaged in its entirety: the catalogue names it, and there is no such file" + END,
    ),
    "a missing codebook": (
        "codebook",
        Path.unlink,
        "is damaged in its entirety: the catalogue names it, and there is no such file" + END,
    ),
    "a flipped byte of the codebook": (
        "codebook",
        flipped(64),
        "is damaged in section 1: wrong checksum of bytes 64 to 128" + END,
    ),
    "a segment of a later version": (
        "segment",
        versioned(99),
        "has format version 99, this version of weft reads {version}: upgrade weft",
    ),
    "a catalogue of a later version": (
        "catalog",
        version_of_the_catalogue,
        "has format version 99, this version of weft reads {version}: upgrade weft",
    ),
    "a catalogue that is none": (
        "catalog",
        lambda file: file.write_bytes(b"text" * 2000),
        "is damaged in the catalogue: file is not a database" + END,
    ),
    "a segment of another index": (
        "segment",
        of_another,
        "is damaged in length: {less} bytes, the catalogue says {bytes}" + END,
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_damaged_twin(twin, tmp_path):
    kind, change, words = TWINS[twin]
    path = shutil.copytree(CODED / "index", tmp_path / "i")
    file = max(path.glob(f"{kind}*"), key=lambda p: p.stat().st_size)
    size = file.stat().st_size
    change(file)
    less = file.stat().st_size if file.exists() else 0
    with pytest.raises((errors.CorruptIndex, errors.IncompatibleIndex)) as raised:
        _core.Index.open(path)
    known = {"bytes": size, "less": less, "version": _core.FORMAT_VERSION}
    assert str(raised.value) == f"'{file}' " + words.format(**known)
