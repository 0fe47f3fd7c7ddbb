"""Run the left column of a table in the environment of its library and print what it found as JSON.

Called by run.py: ``python left.py LIBRARY CHECKPOINT FOLDER``.
"""

from __future__ import annotations

import json
import os
import sys

import page


def found(library: str, space: dict) -> dict[str, list[str]]:
    """Return the rankings a column ended with, as positions in TEXTS."""
    at = {text: number for number, text in enumerate(space["TEXTS"])}
    ids = {name: number for number, name in enumerate(space["IDS"])}
    if library == "colbert-ai":
        return {
            "search": [int(pid) for pid in space["pids"]],
            "several": [int(pid) for pid, _, _ in space["several"]["q1"]],
            "best": [at[space["best"]]],
            "query tokens": [len(space["Q"][0])],
            "passage tokens": [len(one) for one in space["D"]],
        }
    if library == "RAGatouille":
        return {
            "search": [ids[one["document_id"]] for one in space["results"]],
            "rerank": [at[one["content"]] for one in space["reranked"]],
        }
    if library == "PyLate":
        return {
            "search": [ids[one["id"]] for one in space["found"][0]],
            "rerank": [ids[one["id"]] for one in space["reranked"][0]],
            "query tokens": [len(space["Q"][0])],
            "passage tokens": [len(one) for one in space["D"]],
        }
    return {
        "search": [int(one[0]) for one in space["found"][0]],
        "filtered": [int(one[0]) for one in space["filtered"][0]],
    }


if __name__ == "__main__":
    library, checkpoint, folder = sys.argv[1:]
    os.chdir(folder)
    space = page.names(folder, checkpoint)
    if library == "fast-plaid":
        import numpy as np
        import torch

        with np.load(f"{folder}/vectors.npz") as file:
            space["Q"] = [torch.from_numpy(file["q"])]
            space["D"] = [torch.from_numpy(file[f"d{number}"]) for number in range(page.COUNT)]
    page.run(library, 0, space)
    print("\n" + json.dumps(found(library, space)))
