"""The codec `plaid` against colbert-ai 0.2.22: its codebooks code its vectors to its codes, and decode them to its vectors.

The indexes are colbert-ai's own (tests/reference/golden/README.md says how they were made). Its files are torch's zip
containers; the storages in them are read as raw numbers, whose type and shape are known here.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from weft import _core

GOLDEN = Path(__file__).parents[1] / "reference" / "golden"
SHARED = GOLDEN / "shared"

# Sums of 32 products of numbers up to one, added in another order in float32.
ROUNDING = 32 * 2.0**-24


def storage(path, kind, number=0):
    """One storage of a `.pt` file."""
    with zipfile.ZipFile(path) as file:
        (name,) = (name for name in file.namelist() if name.endswith(f"/data/{number}"))
        return np.frombuffer(file.read(name), kind)


@dataclass
class Made:
    """What colbert-ai made of the shared passages at some number of bits."""

    nbits: int
    lengths: list[int]
    codebook: dict[str, np.ndarray]
    codes: np.ndarray
    residuals: np.ndarray
    decoded: np.ndarray
    searches: list[dict]

    @classmethod
    def read(cls, nbits):
        folder = GOLDEN / "colbert-ai" / f"{nbits}bit"
        told = json.loads((folder / "golden.json").read_text())
        dim, files = told["dim"], folder / "index"
        return cls(
            nbits=nbits,
            lengths=told["doclens"],
            codebook={
                "centroids": storage(files / "centroids.pt", "<f2").reshape(-1, dim),
                "cutoffs": storage(files / "buckets.pt", "<f4", 0),
                "weights": storage(files / "buckets.pt", "<f4", 1),
            },
            codes=storage(files / "0.codes.pt", "<i4"),
            residuals=storage(files / "0.residuals.pt", "u1").reshape(-1, dim * nbits // 8),
            decoded=np.load(folder / "decoded.npy"),
            searches=told["searches"],
        )


@pytest.fixture(scope="module", params=[1, 2, 4])
def made(request):
    return Made.read(request.param)


@pytest.fixture(scope="module")
def index(made, tmp_path_factory):
    """Passages c0, c1, ... as colbert-ai coded them."""
    path = tmp_path_factory.mktemp("reference") / "i"
    importer = _core.Importer.create(path, nbits=made.nbits, threads=2, **made.codebook)
    count = len(made.lengths)
    nothing = [None] * count
    ids = [f"c{n}" for n in range(count)]
    importer.add(ids, nothing, nothing, nothing, [[]] * count, made.lengths, made.codes, made.residuals)
    importer.commit()
    opened = _core.Index.open(path, threads=2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def vectors():
    """The shared passages' vectors, as colbert-ai's encoder made them and as its codec was given them."""
    return np.load(SHARED / "vectors.npy")


def given_back(index, prefix, count):
    lengths, codes, residuals = index.codes([f"{prefix}{n}" for n in range(count)])
    codes = np.frombuffer(codes, np.uint32)
    return lengths, codes, np.frombuffer(residuals, np.uint8).reshape(len(codes), -1)


def test_codes_and_residuals_are_taken_over_as_they_are(made, index):
    lengths, codes, residuals = given_back(index, "c", len(made.lengths))
    assert lengths == [[length] for length in made.lengths]
    assert (codes == made.codes).all()
    assert (residuals == made.residuals).all()
    assert index.check() == []


def test_vectors_decode_as_colbert_decodes_them(made, index):
    found = []
    for n in range(len(made.lengths)):
        values, tokens, dim = index.vectors(f"c{n}", 0)
        found.append(np.frombuffer(values, np.float32).reshape(tokens, dim))
        if sum(map(len, found)) == len(made.decoded):
            break
    assert np.abs(np.concatenate(found) - made.decoded).max() <= 1e-6


def test_vectors_are_coded_as_colbert_codes_them(made, index, vectors):
    count = len(made.lengths)
    nothing = [None] * count
    writer = index.begin()
    ids = [f"v{n}" for n in range(count)]
    writer.add(ids, nothing, nothing, nothing, [[]] * count, made.lengths, vectors)
    writer.commit()
    lengths, codes, residuals = given_back(index, "v", count)
    assert lengths == [[length] for length in made.lengths]

    scores = vectors.astype(np.float64) @ made.codebook["centroids"].astype(np.float64).T
    second, first = np.partition(scores, -2)[:, -2:].T
    clear = first - second > ROUNDING
    assert clear.mean() > 0.99
    assert (codes == made.codes)[clear].all()
    same = codes == made.codes
    assert (residuals == made.residuals)[same].all()
