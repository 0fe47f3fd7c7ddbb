"""Run both columns of the guide's page for people who move in, and compare what they found.

    python tests/reference/moving_in/run.py CHECKPOINT PyLate=ENV/bin/python colbert-ai=ENV/bin/python ...

Weft is the one of the calling environment; CHECKPOINT is a Stanford checkpoint with weights in safetensors. Both sides build their own index, with
codebooks of their own, so that lists agree but for near ties: the first hit must be the same, and 8 of 10.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import page
import weft

HERE = Path(__file__).parent
ALIKE = 0.8
"""Share of a list that both sides must have in common."""


def right(library: str, checkpoint: str, folder: str) -> dict[str, list[int]]:
    """Run Weft's column and return what `left.found` returns of the other."""
    space = page.names(folder, checkpoint)
    if library == "fast-plaid":
        encoder = weft.Encoder.open(checkpoint)
        space["Q"] = encoder.encode_query([space["QUERY"]])
        space["D"] = encoder.encode_document(space["TEXTS"], truncate=True)
        named = {f"d{number}": matrix for number, matrix in enumerate(space["D"])}
        np.savez(Path(folder) / "vectors.npz", q=space["Q"][0], **named)
    page.run(library, 1, space)
    return found(library, space)


def found(library: str, space: dict[str, Any]) -> dict[str, list[int]]:
    """Return the rankings that Weft's column ended with, as positions in TEXTS."""
    ids = {name: number for number, name in enumerate(space["IDS"])}

    def positions(hits: list[weft.Hit]) -> list[int]:
        return [ids[hit.id] for hit in hits]

    result = {"search": positions(space["hits"] if "hits" in space else space["found"][0])}
    if library == "colbert-ai":
        # A hit has the text of its passage, a part of what was added.
        best = [number for number, text in enumerate(space["TEXTS"]) if space["best"] in text]
        result |= {"several": positions(space["several"][0]), "best": best}
    if library == "fast-plaid":
        result["filtered"] = positions(space["filtered"][0])
    else:
        result["query tokens"] = [len(space["Q"][0])] if "Q" in space else []
        result["passage tokens"] = [len(matrix) for matrix in space.get("D", [])]
        result["rerank"] = [hit.index for hit in space.get("reranked", [])]
    return result


def differences(wanted: dict[str, list[int]], got: dict[str, list[int]]) -> list[str]:
    """Say where both sides differ by more than their codebooks explain."""
    wrong = []
    for name, left in wanted.items():
        ours = got[name]
        if name.endswith("tokens"):
            same = left == ours
        else:
            same = left[0] == ours[0] and len(set(left) & set(ours[: len(left)])) >= ALIKE * len(left)
        if not same:
            wrong.append(f"{name}: {left} on the left, {ours} on the right")
    return wrong


def main(checkpoint: str, environments: list[str]) -> int:
    """Run every named library; the status is the number of those that disagree."""
    failed = 0
    for environment in environments:
        library, _, python = environment.partition("=")
        with tempfile.TemporaryDirectory() as folder:
            got = right(library, checkpoint, folder)
            # What colbert-ai compiles at its first search needs ninja, which lies beside its python.
            path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
            offline = {"PATH": path, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
            done = subprocess.run(
                [python, HERE / "left.py", library, checkpoint, folder],
                env=os.environ | offline,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        wrong = differences(json.loads(done.stdout.splitlines()[-1]), got)
        failed += bool(wrong)
        print(f"{library}: {len(page.rows(library))} rows, {'; '.join(wrong) or 'both sides agree'}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
