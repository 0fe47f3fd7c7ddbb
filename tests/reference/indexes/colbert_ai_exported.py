"""Let colbert-ai search an index that Weft exported: python tests/reference/indexes/colbert_ai_exported.py OUT EXPORTED --nbits 2

Run in colbert-ai's environment. OUT is what colbert_ai_large.py wrote; EXPORTED comes of it in Weft's environment:

    weft import OUT/2bit/index 2bit.weft --collection OUT/collection.tsv && weft export-plaid 2bit.weft EXPORTED

Prints how many positions are those that colbert-ai gave for its own index with the same parameters, and the largest difference of a score.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import colbert_ai
import numpy as np
from colbert import Searcher


def main() -> None:
    """Search both parameter sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("exported", type=Path)
    parser.add_argument("--nbits", type=int, default=2)
    given = parser.parse_args()
    about = json.loads((given.out / f"{given.nbits}bit" / "golden.json").read_text())
    queries = np.load(given.out / "queries.npy")
    exported = given.exported.resolve()
    for wanted in about["searches"]:
        parameters = {key: value for key, value in wanted.items() if key != "results"}
        opened = Searcher(index=exported.name, index_root=str(exported.parent), verbose=0)
        results = colbert_ai.search(opened, queries, **parameters)["results"]
        pairs = [
            (ours, theirs)
            for found, whole in zip(results, wanted["results"], strict=True)
            for ours, theirs in zip(found, whole, strict=True)
        ]
        largest = max(abs(ours[1] - theirs[1]) for ours, theirs in pairs if ours[0] == theirs[0])
        same = sum(ours[0] == theirs[0] for ours, theirs in pairs)
        print(f"k = {wanted['k']}: {same} of {len(pairs)} positions, scores {largest:.1e}")


if __name__ == "__main__":
    main()
