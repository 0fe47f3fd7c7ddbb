"""Build the small fast-plaid goldens of the release that is installed.

    cd WORK && PYTHONPATH=<fast-plaid of one release> python .../tests/reference/indexes/fast_plaid_goldens.py

Run once for each of 1.4.7, 1.5.1, 1.6.0 and 1.7.0 (wheels for torch 2.11: `pip install --no-deps --target DIR
fast-plaid==1.4.7.2110`, and so on). The vectors are golden/shared's, so no model is needed. Releases up to 1.6
keep shards and a merged copy; 1.7 keeps the merged copy alone. Each release gets other states of an index, which together
are all that an importer meets; golden/README.md lists them.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import golden
import numpy as np
import torch
from fast_plaid import filtering, search
from fast_plaid.search import update as fast_plaid_update

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = version("fast-plaid")
FEW = 12
QUERIES = 20
SEARCH = {"top_k": 10, "n_full_scores": 4096, "n_ivf_probe": 8, "batch_size": 2000}


def documents() -> list[torch.Tensor]:
    """Return the first passages' vectors, each float32 [tokens, dim]."""
    vectors = torch.from_numpy(np.load(golden.SHARED / "vectors.npy").astype(np.float32))
    lengths = json.loads((golden.SHARED / "doclens.json").read_text())
    return list(vectors[: sum(lengths[:FEW])].split(lengths[:FEW]))


def metadata(first: int, last: int) -> list[dict[str, Any]]:
    """Return made-up fields of every type its SQLite schema has, some missing."""
    rows = golden.collection()
    return [
        {
            "pid": n,
            "title": rows[n][1] if n % 5 else None,
            "share": n / 8,
            "added": dt.date(2020, 1, 1 + n).isoformat(),
            "text": rows[n][0][:40],
            **({"odd": True} if n % 2 else {}),
        }
        for n in range(first, last)
    ]


def small(index: Any) -> list[int]:
    """Two bits and metadata; the raw vectors stay in embeddings.npy, in float16 because they are given so."""
    index.create([document.half() for document in documents()], nbits=2, metadata=metadata(0, FEW))
    return list(range(FEW))


def plain(index: Any, nbits: int) -> list[int]:
    """With metadata, without the raw vectors of small indexes."""
    index.create(documents(), nbits=nbits, metadata=metadata(0, FEW), start_from_scratch=0)
    return list(range(FEW))


def frozen(index: Any) -> list[int]:
    """Two bits without metadata, then frozen: the merged copy is all there is."""
    index.create(documents(), nbits=2, start_from_scratch=0)
    index.freeze()
    return list(range(FEW))


def buffered(index: Any) -> list[int]:
    """Nine documents, then three that are coded too and whose raw vectors stay in buffer.npy."""
    index.create(documents()[:9], nbits=2, metadata=metadata(0, 9), start_from_scratch=0)
    index.update(documents()[9:], metadata=metadata(9, FEW), start_from_scratch=0)
    return list(range(FEW))


def expanded(index: Any) -> list[int]:
    """Eight documents, two in the buffer, two more: the centroids grow. Then documents 2 and 10 are deleted."""
    index.create(documents()[:8], nbits=2, metadata=metadata(0, 8), start_from_scratch=0)
    index.update(documents()[8:10], metadata=metadata(8, 10), start_from_scratch=0)
    index.update(documents()[10:], metadata=metadata(10, FEW), start_from_scratch=0, buffer_size=4)
    index.delete([2, 10])
    return [n for n in range(FEW) if n not in {2, 10}]


def sharded(index: Any) -> list[int]:
    """Three shards, from which documents 0, 6 and 11 are deleted."""
    index.create(documents(), nbits=4, metadata=metadata(0, FEW), start_from_scratch=0, batch_size=5)
    index.delete([0, 6, 11])
    return [n for n in range(FEW) if n not in {0, 6, 11}]


def staged(index: Any) -> list[int]:
    """Two shards; an update died after the last shard was written and before it was folded into the merged copy."""
    index.create(documents()[:9], nbits=2, start_from_scratch=0, batch_size=5)
    own = fast_plaid_update.partial_reload
    fast_plaid_update.partial_reload = _die
    try:
        index.update(documents()[9:], start_from_scratch=0)
    except ProcessDeathError:
        return list(range(FEW))
    finally:
        fast_plaid_update.partial_reload = own
    raise SystemExit("the update was to die and did not")


class ProcessDeathError(Exception):
    """Stands for the process's end."""


def _die(**_: object) -> None:
    raise ProcessDeathError


STATES: dict[str, dict[str, Callable[[Any], list[int]]]] = {
    "1.4.7": {"2bit": small, "expanded": expanded},
    "1.5.1": {"4bit-sharded": sharded},
    "1.6.0": {"1bit": partial(plain, nbits=1), "buffered": buffered, "frozen": frozen},
    "1.7.0": {
        "1bit": partial(plain, nbits=1),
        "2bit": partial(plain, nbits=2),
        "4bit-sharded": sharded,
        "buffered": buffered,
        "expanded": expanded,
        "staged": staged,
    },
}


def keep(path: Path, made: str, passages: list[int]) -> None:
    """Search a copy of the index and keep the index and the answers."""
    copy = path.with_name(path.name + "-opened")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    opened = search.FastPlaid(str(copy), device="cpu")
    queries = torch.from_numpy(np.load(golden.SHARED / "queries.npy")[:QUERIES].astype(np.float32))
    results = opened.search(queries, show_progress=False, n_processes=1, **SEARCH)
    about = json.loads((path / "metadata.json").read_text())
    shards = range(about["num_chunks"])
    expected = {
        "versions": golden.versions("fast-plaid", "torch", "fastkmeans", "usearch", "numpy"),
        "made": made,
        "passages": passages,
        "nbits": about["nbits"],
        "dim": np.load(path / "centroids.npy").shape[1],
        "chunks": about["num_chunks"],
        "partitions": int(np.load(path / "centroids.npy").shape[0]),
        "doclens": [n for shard in shards for n in json.loads((path / f"doclens.{shard}.json").read_text())],
        "metadata": filtering.get(index=str(path)) if (path / "metadata.db").exists() else None,
        "searches": [
            {
                **SEARCH,
                "results": [[[passage, round(score, 6)] for passage, score in found] for found in results],
            }
        ],
    }
    golden.keep("fast-plaid", path.name, path, expected)


def main() -> None:
    """Build every state of this release."""
    release = RELEASE.rsplit(".", 1)[0]
    for name, build in STATES[release].items():
        path = Path(f"{release}-{name}")
        shutil.rmtree(path, ignore_errors=True)
        with search.FastPlaid(str(path), device="cpu") as index, torch.inference_mode():
            passages = build(index)
        (path / "plaid.lock").unlink(missing_ok=True)
        made = build.func if isinstance(build, partial) else build
        keep(path, str(made.__doc__), passages)


if __name__ == "__main__":
    main()
