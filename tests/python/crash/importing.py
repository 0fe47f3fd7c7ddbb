"""The program that runs under the shim and imports: it reads trials from stdin, runs each in a child and says how it ended."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from engine import pairs, unit
from program import MODES, in_child, shim, watch
from weft import _core, errors

COUNT, LENGTH, DIM = 40, 6, 16


def take(path):
    """Import documents in two calls."""
    rng = np.random.default_rng(1)
    edges = np.sort(rng.normal(0, 0.2, 7)).astype(np.float32)
    importer = _core.Importer.create(
        path,
        nbits=2,
        centroids=unit(rng.standard_normal((30, DIM))),
        cutoffs=edges[1::2].copy(),
        weights=edges[0::2].copy(),
        threads=1,
    )
    none = [None] * (COUNT // 2)
    for first in (0, COUNT // 2):
        ids = [f"d{first + i}" for i in range(COUNT // 2)]
        codes = rng.integers(30, size=COUNT // 2 * LENGTH, dtype=np.int32)
        residuals = rng.integers(256, size=(len(codes), DIM // 4), dtype=np.uint8)
        importer.add(ids, ids, none, none, [[]] * len(ids), [LENGTH] * len(ids), codes, residuals)
    importer.commit()


def attempt(path, trial):
    """In the child: import, and say what happened and how many changes that took."""
    watch(path.parent)
    shim.crash_arm(MODES.get(trial["mode"], 0), trial["moment"], trial.get("errno", 0))
    try:
        take(path)
    except OSError as error:
        return {"outcome": f"{type(error).__name__}: {error}", "calls": shim.crash_calls()}
    return {"outcome": "done", "calls": shim.crash_calls()}


def look(path):
    """What is at the path: nothing, or everything."""
    try:
        index = _core.Index.open(path, threads=1)
    except errors.IndexNotFound:
        return None
    answers = pairs(index.search([np.eye(2, DIM, dtype=np.float32)], 9, exact=True))
    return {"ids": index.ids(None, 99), "answers": answers, "problems": index.check()}


def main(root):
    for line in sys.stdin:
        trial = json.loads(line)
        work = root / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        status, result = in_child(attempt, work / "i", trial)
        result = result or {"outcome": f"status {status}"}
        result["left"] = sorted(p.name for p in work.iterdir())
        _, result["found"] = in_child(look, work / "i")
        # Whatever happened, it can be imported as soon as what a dead process left is removed.
        shutil.rmtree(work / "i.unfinished", ignore_errors=True)
        if result["found"] is None:
            in_child(take, work / "i")
            _, result["again"] = in_child(look, work / "i")
        print(json.dumps({**trial, **result}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
