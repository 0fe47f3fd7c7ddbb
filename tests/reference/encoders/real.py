"""Encode real questions and passages with one library: ``real.py LIBRARY CHECKPOINT COLLECTION OUTPUT``.

LIBRARY is colbert-ai, pylate or sentence-transformers, whose environment runs the script; CHECKPOINT is what
`../indexes/checkpoint.py` writes; COLLECTION is a BEIR folder, of which the first 200 queries and passages are taken.
`real_compare.py` then holds Weft against what is written to OUTPUT.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

import encoder_golden
import numpy as np

COUNT = 200


def texts(collection: Path) -> dict[str, list[str]]:
    """Return the first queries and passages."""
    found = {}
    for kind, name in (("query", "queries.jsonl"), ("document", "corpus.jsonl")):
        with (collection / name).open(encoding="utf-8") as lines:
            found[kind] = [json.loads(line)["text"] for line in islice(lines, COUNT)]
    return found


def encode(
    library: str, checkpoint: str, given: dict[str, list[str]]
) -> dict[str, list[encoder_golden.Encoded]]:
    """Encode with a library."""
    if library == "colbert-ai":
        import run_colbert

        model = run_colbert.load(checkpoint)
        return {
            "query": run_colbert.queries(model, given["query"]),
            "document": run_colbert.documents(model, given["document"]),
        }
    if library == "pylate":
        import run_pylate

        model = run_pylate.models.ColBERT(checkpoint, device="cpu", local_files_only=True)
        return {kind: run_pylate.encode(model, given[kind], kind) for kind in given}
    if library == "sentence-transformers":
        import run_st6

        model = run_st6.MultiVectorEncoder(checkpoint, device="cpu", local_files_only=True)
        return {kind: run_st6.encode(model, given[kind], kind) for kind in given}
    raise SystemExit(f"{library} is not a library this script knows")


def main() -> None:
    """Write `OUTPUT/LIBRARY.npz`."""
    library, checkpoint, collection, output = sys.argv[1:]
    kinds = encode(library, checkpoint, texts(Path(collection)))
    Path(output).mkdir(parents=True, exist_ok=True)
    np.savez(Path(output) / f"{library}.npz", **encoder_golden.pack(kinds))


if __name__ == "__main__":
    main()
