"""Importing vectors that are coded already, and giving codes back: nothing is quantised again, and the index is like any other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from engine import clustered, pairs, put, queries, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from weft import _core, errors

FIELDS = ("ids", "texts", "titles", "metadata", "spans", "lengths", "codes", "residuals")


def pack(buckets, nbits):
    """Bucket numbers to ColBERT's bytes (colbert-plaid.md 3.6): each bucket's bits, the lowest first, most significant bit first."""
    bits = (buckets[..., None] >> np.arange(nbits)) & 1
    return np.packbits(bits.reshape(len(buckets), -1).astype(np.uint8), axis=1)


def decode(foreign, codes, buckets):
    """Decoded vectors by the definition: float32 of shape (tokens, dim)."""
    vectors = foreign["centroids"].astype(np.float32)[codes] + foreign["weights"][buckets]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def codebook(rng, dim, nbits, count=50, kind=np.float16):
    """A random codebook as another library has it."""
    width = 0.6 / dim**0.5
    edges = np.sort(rng.normal(0, width, 2 ** (nbits + 1) - 1)).astype(np.float32)
    return {
        "nbits": nbits,
        "centroids": unit(rng.standard_normal((count, dim))).astype(kind),
        "cutoffs": edges[1::2].copy(),
        "weights": edges[0::2].copy(),
    }


def foreign(rng, lengths, dim, nbits, **settings):
    """A codebook and random coded tokens: codebook, codes, buckets."""
    made = codebook(rng, dim, nbits, **settings)
    tokens = sum(lengths)
    codes = rng.integers(len(made["centroids"]), size=tokens, dtype=np.int32)
    return made, codes, rng.integers(2**nbits, size=(tokens, dim))


def take(path, made, codes, buckets, lengths, *, threads=2, step=None, **columns):
    """Import documents d0, d1, ... of one passage each, in calls of `step` documents."""
    importer = _core.Importer.create(path, threads=threads, **made)
    count, packed = len(lengths), pack(buckets, made["nbits"])
    ends = np.cumsum([0, *lengths])
    for first in range(0, count, step or count):
        last = min(count, first + (step or count))
        rows = slice(ends[first], ends[last])
        n = last - first
        call = {
            "ids": [f"d{i}" for i in range(first, last)],
            "texts": [f"text number{i}" for i in range(first, last)],
            "titles": [None] * n,
            "metadata": [json.dumps({"n": i}) for i in range(first, last)],
            "spans": [[]] * n,
            "lengths": list(lengths[first:last]),
            "codes": codes[rows],
            "residuals": packed[rows],
            **columns,
        }
        importer.add(*(call[field] for field in FIELDS))
    done = importer.commit()
    assert done == {"added": count, "replaced": 0, "deleted": 0, "updated": 0, "generation": 1}
    return _core.Index.open(path, threads=threads)


def given_back(index, ids):
    """Lengths, codes and residuals as arrays."""
    lengths, codes, residuals = index.codes(ids)
    codes = np.frombuffer(codes, np.uint32)
    return lengths, codes, np.frombuffer(residuals, np.uint8).reshape(len(codes), -1)


def vectors_of(index, document, passage=0):
    values, tokens, dim = index.vectors(document, passage)
    return np.frombuffer(values, np.float32).reshape(tokens, dim)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    nbits=st.sampled_from([1, 2, 4, 8]),
    dim=st.sampled_from([8, 48, 64, 96, 128, 256]),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    kind=st.sampled_from([np.float16, np.float32]),
    step=st.integers(1, 12),
)
def test_what_comes_in_comes_out(tmp_path_factory, seed, nbits, dim, lengths, kind, step):
    rng = np.random.default_rng(seed)
    made, codes, buckets = foreign(rng, lengths, dim, nbits, kind=kind)
    path = tmp_path_factory.mktemp("import") / "i"
    index = take(path, made, codes, buckets, lengths, step=step)
    ids = [f"d{i}" for i in range(len(lengths))]
    back = given_back(index, ids)
    assert back[0] == [[n] for n in lengths]
    assert (back[1] == codes).all()
    assert (back[2] == pack(buckets, nbits)).all()
    kept = index.codebook()
    assert (kept["dim"], kept["nbits"], kept["codec"], kept["exact"]) == (
        dim,
        nbits,
        "plaid",
        np.dtype(kind).name,
    )
    for part in ("centroids", "cutoffs", "weights"):
        assert (np.frombuffer(kept[part], np.float32) == made[part].astype(np.float32).ravel()).all(), part
    found = np.concatenate([vectors_of(index, id) for id in ids])
    assert np.abs(found - decode(made, codes, buckets)).max() <= 1e-6
    assert index.check() == []
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """An import of clustered vectors: codes are the nearest centroids, and residuals those of the vectors."""
    rng = np.random.default_rng(5)
    lengths, dim, nbits = [20] * 1500, 48, 4
    vectors = clustered(rng, sum(lengths), dim)
    made = codebook(rng, dim, nbits, kind=np.float32)
    made["centroids"] = clustered(np.random.default_rng(5), 900, dim, noise=0.2)
    codes, buckets = code(made, vectors)
    path = tmp_path_factory.mktemp("real") / "i"
    take(path, made, codes, buckets, lengths)
    return path, made, vectors.reshape(1500, 20, dim), codes, buckets


def code(made, vectors):
    """Code vectors as colbert-ai does (colbert-plaid.md 3.5)."""
    centroids = made["centroids"].astype(np.float32)
    codes = (vectors @ centroids.T).argmax(axis=1).astype(np.int32)
    return codes, np.searchsorted(made["cutoffs"], vectors - centroids[codes], side="left")


def copied(real, tmp_path):
    return _core.Index.open(shutil.copytree(real[0], tmp_path / "copy" / "i"), threads=2)


def test_an_import_is_searched_like_any_index(real):
    path, made, vectors, codes, buckets = real
    index = _core.Index.open(path)
    asked = queries(vectors)
    documents = decode(made, codes, buckets).reshape(vectors.shape)
    for query, exact, staged in zip(
        asked, index.search(asked, 10, exact=True), index.search(asked, 10, nprobe=32), strict=True
    ):
        scores = np.einsum("qd,ntd->nqt", query, documents).max(axis=2).sum(axis=1)
        assert [hit[0] for hit in exact] == [f"d{i}" for i in np.argsort(-scores, kind="stable")[:10]]
        assert [hit[1] for hit in exact] == pytest.approx(np.sort(scores)[::-1][:10], abs=2e-5)
        assert len({hit[0] for hit in exact} & {hit[0] for hit in staged}) >= 9
    assert index.search([], 1, words=["number77"], mode="keyword")[0][0][0] == "d77"
    assert index.select(json.dumps({"n": {"lt": 3}}), None, 9) == ["d0", "d1", "d2"]
    info = index.info()
    assert (info["codec"], info["nbits"], info["format_version"]) == ("plaid", 4, _core.FORMAT_VERSION)
    assert info["segments"][0]["kind"] == "coded"


def test_any_number_of_threads_writes_the_same(real, tmp_path):
    path, made, _, codes, buckets = real
    # Only the identifier of the index differs.
    take(tmp_path / "one", made, codes, buckets, [20] * 1500, threads=1, step=100)
    sizes = [sorted((p.name, p.stat().st_size) for p in i.glob("*.weft")) for i in (path, tmp_path / "one")]
    assert sizes[0] == sizes[1]
    for name, _ in sizes[0]:
        first, second = (i.joinpath(name).read_bytes() for i in (path, tmp_path / "one"))
        assert first[64:] == second[64:], name


def test_an_import_lives_on(real, tmp_path):
    _, made, vectors, codes, buckets = real
    index = copied(real, tmp_path)
    asked = queries(vectors)
    index.delete([f"d{i}" for i in range(0, 1500, 2)])
    put(index, ["d1"], [20], vectors[7])
    assert index.info()["segments"][-1]["kind"] == "float16"
    # What waits as float16 is coded for an export, as colbert-ai would code it.
    lengths, found, residuals = given_back(index, ["d1", "d3"])
    wanted = code(made, vectors[7].astype(np.float16).astype(np.float32))
    assert lengths == [[20], [20]]
    assert (found[:20] == wanted[0]).all()
    assert (residuals[:20] == pack(wanted[1], 4)).all()
    assert (found[20:] == codes[60:80]).all()
    assert (residuals[20:] == pack(buckets[60:80], 4)).all()
    before = pairs(index.search(asked, 10, exact=True))
    index.compact()
    assert pairs(index.search(asked, 10, exact=True)) == before
    assert index.check() == []
    # More of it, and a new topic: the codebook grows, and what was imported keeps its codes and its float32 centroids.
    more = clustered(np.random.default_rng(9), 1000 * 20, 48)
    put(index, [f"m{i}" for i in range(1000)], [20] * 1000, more)
    grown = index.codebook()
    assert grown["exact"] == "float32"
    assert len(grown["centroids"]) > 900 * 48 * 4
    assert grown["centroids"][: 900 * 48 * 4] == made["centroids"].tobytes()
    assert np.abs(vectors_of(index, "d3") - decode(made, codes[60:80], buckets[60:80])).max() <= 1e-6
    assert given_back(index, ["d3"])[1].tolist() == codes[60:80].tolist()
    assert {s["kind"] for s in index.info()["segments"]} == {"coded"}
    writer = index.begin()
    assert writer.update(["d3"], [json.dumps({"n": -1})]) == 1
    writer.commit()
    assert index.select(json.dumps({"n": -1}), None, 9) == ["d3"]
    assert index.check() == []
    report = _core.repair(index.path, tmp_path / "repaired")
    assert (report["lost"], report["damage"]) == ([], [])
    again = _core.Index.open(tmp_path / "repaired")
    assert again.check() == []
    assert again.codebook() == grown
    assert pairs(again.search(asked, 10, exact=True)) == pairs(index.search(asked, 10, exact=True))


def test_passages_titles_and_the_encoder(tmp_path):
    rng = np.random.default_rng(1)
    made, codes, buckets = foreign(rng, [3, 4, 5], 16, 2)
    importer = _core.Importer.create(tmp_path / "i", **made)
    description = json.dumps({"fingerprint": "abc"})
    with pytest.raises(errors.InvalidInput, match="fingerprint"):
        importer.set_encoder("{}")
    importer.set_encoder(description)
    ids = importer.add(
        ["a", None],
        ["two passages", None],
        ["title", None],
        ['{"x": 1}', None],
        [[(0, 3), (4, 12)], []],
        [3, 4, 5],
        codes.astype(np.uint32),
        pack(buckets, 2),
    )
    importer.commit()
    index = _core.Index.open(tmp_path / "i")
    assert index.encoder() == description
    assert index.get(ids) == [
        ("a", "two passages", "title", '{"x": 1}', [(0, 3), (4, 12)]),
        (ids[1], None, None, None, [(0, 0)]),
    ]
    assert index.codes(ids)[0] == [[3, 4], [5]]
    assert np.abs(vectors_of(index, "a", 1) - decode(made, codes[3:7], buckets[3:7])).max() <= 1e-6


def test_ids_that_are_not_there_and_indexes_without_codes(real, tmp_path):
    index = copied(real, tmp_path)
    index.delete(["d5"])
    with pytest.raises(errors.DocumentNotFound, match="d5"):
        index.codes(["d4", "d5"])
    small = _core.Index.open(tmp_path / "small", create=True)
    put(small, ["a"], [2], np.eye(2, 16, dtype=np.float32))
    assert small.codebook() is None
    with pytest.raises(errors.InvalidInput, match="has no codebook: .* float16"):
        small.codes(["a"])


@pytest.fixture
def call():
    rng = np.random.default_rng(3)
    made, codes, buckets = foreign(rng, [2, 3], 16, 2, count=20)
    columns = {
        "ids": ["a", "b"],
        "texts": ["one", "two"],
        "titles": [None, None],
        "metadata": [None, None],
        "spans": [[], []],
        "lengths": [2, 3],
        "codes": codes,
        "residuals": pack(buckets, 2),
    }
    return made, columns


def bad(values, at, value):
    out = np.array(values)
    out[at] = value
    return out


CREATE = {
    "nbits 3": (lambda made: {"nbits": 3}, "nbits is 3"),
    "dim": (lambda made: {"centroids": np.ones((4, 12), np.float32)}, "dimension 12"),
    "no centroids": (
        lambda made: {"centroids": np.ones((0, 16), np.float32)},
        "centroids has 0 numbers: it must have 1 to 16777216 rows of 16",
    ),
    "one dimension": (lambda made: {"centroids": np.ones(16, np.float32)}, "centroids has shape"),
    "float64": (lambda made: {"centroids": np.ones((4, 16))}, "centroids has items of format 'd'"),
    "nan": (
        lambda made: {"centroids": bad(made["centroids"], (3, 2), np.nan)},
        "row 3 of centroids has a component that is NaN",
    ),
    "infinite": (
        lambda made: {"centroids": bad(made["centroids"], (4, 2), np.inf)},
        "row 4 of centroids has a component that is inf",
    ),
    "cutoffs": (
        lambda made: {"cutoffs": made["cutoffs"][:2]},
        "cutoffs has 2 numbers: at nbits 2 it must have 3",
    ),
    "weights": (
        lambda made: {"weights": made["weights"][:2]},
        "weights has 2 numbers: at nbits 2 it must have 4",
    ),
    "descending": (
        lambda made: {"cutoffs": np.array([0, 2, 1], np.float32)},
        r"cutoffs\[1\] is 2 and .* must ascend",
    ),
    "weights of nan": (lambda made: {"weights": bad(made["weights"], 1, np.nan)}, r"weights\[1\] is NaN"),
    "cutoffs of nan": (lambda made: {"cutoffs": bad(made["cutoffs"], 2, np.nan)}, r"cutoffs\[2\] is NaN"),
    "threads": (lambda made: {"threads": 0}, "threads is 0"),
}


@pytest.mark.parametrize("case", CREATE)
def test_codebooks_that_cannot_be_used(case, call, tmp_path):
    change, words = CREATE[case]
    with pytest.raises(errors.InvalidInput, match=words):
        _core.Importer.create(tmp_path / "i", **{**call[0], **change(call[0])})
    assert list(tmp_path.iterdir()) == []


ADD = {
    "a code too large": (
        lambda c: {"codes": bad(c["codes"], 3, 20)},
        r'codes\[3\], of token 1 of passage 0 of document "b", is 20: there are 20 centroids',
    ),
    "a negative code": (lambda c: {"codes": bad(c["codes"], 3, -1)}, r"codes\[3\] is -1"),
    "codes of int64": (lambda c: {"codes": c["codes"].astype(np.int64)}, "convert it to int32 or uint32"),
    "codes of two dimensions": (lambda c: {"codes": c["codes"][None]}, "codes has shape"),
    "too few codes": (
        lambda c: {"codes": c["codes"][:4], "residuals": c["residuals"][:4]},
        "codes has 4 entries, lengths add up to 5",
    ),
    "too few residuals": (lambda c: {"residuals": c["residuals"][:4]}, "residuals has 4 rows, codes has 5"),
    "narrow residuals": (
        lambda c: {"residuals": np.ascontiguousarray(c["residuals"][:, :3])},
        "residuals has rows of 3 bytes: 16 dimensions of 2 bits are 4",
    ),
    "signed residuals": (lambda c: {"residuals": c["residuals"].view(np.int8)}, "convert it to uint8"),
    "strided residuals": (lambda c: {"residuals": c["residuals"][:, ::-1]}, "not C-contiguous"),
    "an id twice": (lambda c: {"ids": ["a", "a"]}, r'ids\[1\] is "a", and ids\[0\] is the same'),
    "a known id": (
        lambda c: {"ids": ["x", "b"]},
        r'ids\[0\] is "x", and a document of an earlier call has it',
    ),
    "an empty id": (lambda c: {"ids": ["", "b"]}, r"ids\[0\] is empty"),
    "no tokens": (lambda c: {"lengths": [0, 5]}, 'passage 0 of document "a" has no tokens'),
    "lengths": (lambda c: {"lengths": [5]}, "2 passages, but the numbers of tokens of 1"),
    "metadata": (lambda c: {"metadata": ["[]", None]}, "metadata that are no JSON object"),
    "spans": (lambda c: {"spans": [[(0, 9)], []]}, "its text has 3 characters"),
    "texts": (lambda c: {"texts": ["one"]}, "texts has 1 entries, ids has 2"),
}


@pytest.mark.parametrize("case", ADD)
def test_documents_that_cannot_be_taken(case, call, tmp_path):
    made, columns = call
    change, words = ADD[case]
    importer = _core.Importer.create(tmp_path / "i", **made)
    first = {**columns, "ids": ["x", "y"]}
    importer.add(*(first[field] for field in FIELDS))
    wrong = {**columns, **change(columns)}
    with pytest.raises(errors.InvalidInput, match=words):
        importer.add(*(wrong[field] for field in FIELDS))
    # Nothing of the call was staged, and the importer goes on.
    importer.add(*(columns[field] for field in FIELDS))
    importer.commit()
    index = _core.Index.open(tmp_path / "i")
    assert index.ids(None, 9) == ["x", "y", "a", "b"]
    assert index.check() == []


def test_nothing_is_there_before_the_commit_and_nothing_is_left_without_one(call, tmp_path):
    made, columns = call
    path = tmp_path / "i"
    rows = [columns[field] for field in FIELDS]
    importer = _core.Importer.create(path, **made)
    importer.add(*rows)
    with pytest.raises(errors.IndexNotFound):
        _core.Index.open(path)
    with pytest.raises(errors.IndexExists, match="another process is writing there"):
        _core.Importer.create(path, **made)
    importer.abort()
    assert list(tmp_path.iterdir()) == []
    for act in (lambda: importer.add(*rows), importer.commit):
        with pytest.raises(errors.InvalidInput, match="committed or aborted already"):
            act()
    importer = _core.Importer.create(path, **made)
    del importer
    assert list(tmp_path.iterdir()) == []
    importer = _core.Importer.create(path, **made)
    with pytest.raises(errors.InvalidInput, match="at least one document"):
        importer.commit()
    assert list(tmp_path.iterdir()) == []

    def stop(stage, done, total):
        if stage == "write":
            raise KeyboardInterrupt

    importer = _core.Importer.create(path, **made)
    importer.add(*rows)
    with pytest.raises(KeyboardInterrupt):
        importer.commit(stop)
    assert list(tmp_path.iterdir()) == []
    # An empty directory is no obstacle; anything else is.
    path.mkdir()
    importer = _core.Importer.create(path, **made)
    importer.add(*rows)
    importer.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["i"]
    with pytest.raises(errors.IndexExists, match="choose another place"):
        _core.Importer.create(path, **made)


PROGRAM = """
import os, resource, signal, sys
import numpy as np
from test_engine_import import FIELDS, foreign, pack
from weft import _core

path, how = sys.argv[1:]

def die(stage, done, total):
    if stage == "write" and how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)

lengths = [50] * 2000
made, codes, buckets = foreign(np.random.default_rng(2), lengths, 64, 4)
if how == "full":
    # Every write beyond this size fails with EFBIG.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 21, 1 << 21))
importer = _core.Importer.create(path, **made)
none = [None] * 2000
try:
    importer.add(none, none, none, none, [[]] * 2000, lengths, codes, pack(buckets, 4))
    importer.commit(die)
except OSError:
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
@pytest.mark.parametrize(("how", "code"), [("kill", -signal.SIGKILL), ("full", 3)])
def test_an_import_that_dies(how, code, call, tmp_path):
    path = tmp_path / "i"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, how], env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    with pytest.raises(errors.IndexNotFound):
        _core.Index.open(path)
    left = [p.name for p in tmp_path.iterdir()]
    assert left == (["i.unfinished"] if how == "kill" else [])
    if left:
        with pytest.raises(errors.IndexExists, match="was interrupted; in that case remove it"):
            _core.Importer.create(path, **call[0])
        shutil.rmtree(tmp_path / "i.unfinished")
    importer = _core.Importer.create(path, **call[0])
    importer.add(*(call[1][field] for field in FIELDS))
    importer.commit()
    assert _core.Index.open(path).check() == []


def test_norms_far_from_one_cost_no_results(tmp_path):
    """Centroids of foreign indexes need not be of unit length: the stages in integers must bear it."""
    rng = np.random.default_rng(6)
    made, codes, buckets = foreign(rng, [12] * 400, 32, 4, count=200, kind=np.float32)
    made["centroids"] *= rng.uniform(0.1, 4, (200, 1)).astype(np.float32)
    made["centroids"][7] = 0
    index = take(tmp_path / "i", made, codes, buckets, [12] * 400)
    documents = decode(made, codes, buckets).reshape(400, 12, 32)
    asked = queries(documents, 12)
    exact, staged = (
        index.search(asked, 10, **how) for how in ({"exact": True}, {"nprobe": 200, "ndocs": 1600})
    )
    assert pairs(exact) == pairs(staged)
    assert index.check() == []
