"""Indexes in the layouts of fast-plaid and next-plaid, made of a golden of colbert-ai: the arrays mean the same."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
from importing import GOLDEN
from weft.imports.torch_file import read_tensor, read_tensors

CHUNKS = GOLDEN / "colbert-ai" / "chunks" / "index"
COUNT = 3


def lengths():
    return [json.loads((CHUNKS / f"doclens.{chunk}.json").read_text()) for chunk in range(COUNT)]


def codes(chunk):
    return np.asarray(read_tensor(CHUNKS / f"{chunk}.codes.pt"))


def residuals(chunk):
    return np.asarray(read_tensor(CHUNKS / f"{chunk}.residuals.pt"))


def tch(path, array):
    """Write as libtorch does: blanks are missing, and the byte order stands before one-byte types too."""
    shape = "(" + ",".join(map(str, array.shape)) + ",)"
    body = f"{{'descr': '<{array.dtype.kind}{array.dtype.itemsize}', 'fortran_order': False, 'shape': {shape}, }}"
    header = body + " " * (-(len(body) + 11) % 16) + "\n"
    path.write_bytes(
        b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header.encode() + array.tobytes()
    )


def merged(path, arrays, padding):
    """Write the copy of all chunks, with the rows of padding at its end."""
    whole = np.concatenate(arrays)
    np.save(path, np.concatenate([whole, np.zeros((padding, *whole.shape[1:]), whole.dtype)]))


def tables(directory, kind):
    directory.mkdir(parents=True, exist_ok=True)
    cutoffs, weights = read_tensors(CHUNKS / "buckets.pt")
    np.save(directory / "centroids.npy", np.asarray(read_tensor(CHUNKS / "centroids.pt"), kind))
    np.save(directory / "bucket_cutoffs.npy", np.asarray(cutoffs, np.float32))
    np.save(directory / "bucket_weights.npy", np.asarray(weights, np.float32))
    np.save(directory / "avg_residual.npy", np.zeros(32, np.float32))
    for chunk, of_chunk in enumerate(lengths()):
        (directory / f"doclens.{chunk}.json").write_text(json.dumps(of_chunk))


def metadata(directory, **more):
    tokens = sum(map(sum, lengths()))
    values = {"num_chunks": COUNT, "nbits": 2, "num_partitions": 256, "num_embeddings": tokens} | more
    (directory / "metadata.json").write_text(json.dumps(values))


def next_plaid(directory, **more):
    tables(directory, np.float32)
    for chunk in range(COUNT):
        np.save(directory / f"{chunk}.codes.npy", codes(chunk).astype(np.int64))
        np.save(directory / f"{chunk}.residuals.npy", residuals(chunk))
    metadata(directory, num_documents=18, embedding_dim=32, next_plaid_compatible=True, **more)
    return directory


def fast_plaid(directory, layout):
    """Layouts: chunks (1.4, before it was opened), both (1.4 to 1.6), merged (1.7), frozen (1.5, 1.6)."""
    tables(directory, np.float16)
    for name, read, kind in (("codes", codes, np.int64), ("residuals", residuals, np.uint8)):
        arrays = [read(chunk).astype(kind) for chunk in range(COUNT)]
        if layout in ("chunks", "both"):
            for chunk, array in enumerate(arrays):
                tch(directory / f"{chunk}.{name}.npy", array)
        if layout != "chunks":
            merged(directory / f"merged_{name}.npy", arrays, 2)
        if layout in ("both", "merged"):
            manifest = {
                f"{chunk}.{name}.npy": {"rows": len(array), "mtime": None, "merged": True}
                for chunk, array in enumerate(arrays)
            }
            (directory / f"merged_{name}.manifest.json").write_text(json.dumps(manifest))
    metadata(directory, num_documents=18, compress_only=False)
    return directory


def database(path, columns, rows, content=None, version=0):
    """A metadata database; with `content`, these columns stand in a table of their own, as in next-plaid's second layout."""
    thin = [name for name in columns if name not in (content or ())]
    with closing(sqlite3.connect(path)) as base:
        if content is None:
            base.execute(f"CREATE TABLE METADATA (_subset_ INTEGER PRIMARY KEY, {', '.join(thin)})")
        else:
            base.execute(f"CREATE TABLE METADATA ({', '.join(['_subset_', '_content_id_', *thin])})")
            base.execute(f"CREATE TABLE METADATA_CONTENT ({', '.join(['_content_id_', *content])})")
        for at, row in enumerate(rows):
            small = [row.get(name) for name in thin]
            if content is None:
                base.execute(f"INSERT INTO METADATA VALUES (?{', ?' * len(small)})", [at, *small])
                continue
            # Contents keep their numbers when documents before them are deleted.
            base.execute(f"INSERT INTO METADATA VALUES (?, ?{', ?' * len(small)})", [at, at + 100, *small])
            large = [row.get(name) for name in content]
            base.execute(f"INSERT INTO METADATA_CONTENT VALUES (?{', ?' * len(large)})", [at + 100, *large])
        base.execute(f"PRAGMA user_version = {version}")
        base.commit()
