"""Print how far Weft is from the golden files: ``parity.py``, where Weft is installed.

A row per library and checkpoint: texts compared (each as a query and as a passage), vectors, texts that differ on purpose
(`deviations.py`) and the largest difference of a component.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import checkpoints
import encoder_golden
import numpy as np
from deviations import KINDS, cuts, deviates
from weft import Encoder


def row(library: str, checkpoint: str, encoder: Encoder) -> str:
    """Return one row of the table."""
    texts = vectors = others = 0
    worst = 0.0
    for kind in KINDS:
        goldens = encoder_golden.read(library, checkpoint, kind)
        same = [one for one in goldens if not deviates(library, checkpoint, kind, one, encoder._tokeniser)]
        encode = encoder.encode_query if kind == "query" else encoder.encode_document
        found = encode([one.text for one in same], truncate=cuts(library, kind))
        worst = max(worst, *(float(np.abs(a - b.vectors).max()) for a, b in zip(found, same, strict=True)))
        texts, others = texts + len(same), others + len(goldens) - len(same)
        vectors += sum(map(len, found))
    version = encoder_golden.versions(library, checkpoint)[library]
    return f"| {library} {version} | `{checkpoint}` | {texts} | {vectors} | {others} | {worst:.1e} |"


def main() -> None:
    """Print the table."""
    print("| library | checkpoint | texts | vectors | differ on purpose | largest difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    with TemporaryDirectory() as folder:
        opened = {}
        for library, checkpoint in encoder_golden.names():
            if checkpoint not in opened:
                opened[checkpoint] = Encoder.open(checkpoints.copy(checkpoint, Path(folder) / checkpoint))
            print(row(library, checkpoint, opened[checkpoint]))


if __name__ == "__main__":
    main()
