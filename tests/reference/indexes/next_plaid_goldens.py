"""Build the small next-plaid goldens.

    cargo build --release --locked --manifest-path tests/reference/indexes/next-plaid/Cargo.toml --target-dir WORK/target
    cd WORK && python .../tests/reference/indexes/next_plaid_goldens.py WORK/target/release/next-plaid-goldens 1.8.5

For 1.5.1, in a copy of the folder: `cargo update next-plaid --precise 1.5.1`, `cargo build --release --no-default-features`. Of that
release only what differs is kept: no inverse norms, and an earlier table of metadata.

The program, in Rust because next-plaid is a Rust library, builds and searches; this script gives it golden/shared's vectors
and made-up metadata, and keeps what it leaves. Needs numpy only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import golden
import numpy as np

FEW = 12
QUERIES = 10
NEWEST = "1.8.5"
EARLIER = ("2bit",)


def metadata() -> list[dict[str, object]]:
    """Return fields of every JSON type, some missing, a key that it keeps apart from the others (`file`) among them."""
    rows = golden.collection()[:FEW]
    return [
        {
            "pid": n,
            "title": title if n % 5 else None,
            "file": f"page-{n}.html",
            "share": n / 8,
            "odd": n % 2 == 1,
            "text": text[:40],
            **({"tags": ["a", n], "of": {"part": n % 3}} if n % 4 == 0 else {}),
        }
        for n, (text, title) in enumerate(rows)
    ]


def give() -> list[str]:
    """Write the program's input and return its arguments."""
    vectors = np.load(golden.SHARED / "vectors.npy").astype(np.float32)
    lengths = json.loads((golden.SHARED / "doclens.json").read_text())[:FEW]
    np.save("vectors.npy", vectors[: sum(lengths)])
    np.save("queries.npy", np.load(golden.SHARED / "queries.npy")[:QUERIES].astype(np.float32))
    Path("doclens.json").write_text(json.dumps(lengths))
    Path("metadata.json").write_text(json.dumps(metadata()))
    return ["vectors.npy", "doclens.json", "metadata.json", "queries.npy", "built"]


def main() -> None:
    """Build and keep every state."""
    shutil.rmtree("built", ignore_errors=True)
    subprocess.run([str(Path(sys.argv[1]).resolve()), *give()], check=True)
    release = sys.argv[2]
    for about in sorted(Path("built").glob("*.json")):
        told = json.loads(about.read_text())
        path = about.with_suffix("")
        if release != NEWEST and path.name not in EARLIER:
            continue
        said = json.loads((path / "metadata.json").read_text())
        shards = range(said["num_chunks"])
        centroids = np.load(path / "centroids.npy")
        expected = {
            "versions": {"next-plaid": release},
            "made": told["made"],
            "passages": told["passages"],
            "nbits": said["nbits"],
            "dim": centroids.shape[1],
            "chunks": said["num_chunks"],
            "partitions": centroids.shape[0],
            "doclens": [
                n for shard in shards for n in json.loads((path / f"doclens.{shard}.json").read_text())
            ],
            "metadata": told["metadata"],
            "searches": told["searches"],
        }
        for left in ("-wal", "-shm"):  # of a reader that ended without closing: the first is empty
            beside = path / f"metadata.db{left}"
            if left == "-wal" and beside.exists() and beside.stat().st_size:
                raise SystemExit(f"{beside} has what metadata.db lacks")
            beside.unlink(missing_ok=True)
        kept = golden.keep(
            "next-plaid", path.name if release == NEWEST else f"{release}-{path.name}", path, expected
        )
        if told["decoded"] is not None:
            np.save(kept / "decoded.npy", np.array(told["decoded"], np.float32))


if __name__ == "__main__":
    main()
