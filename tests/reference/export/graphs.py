"""Exported graphs against the vectors that the checkpoints' own libraries made of the same ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from weft.encoder.session import EncoderSession

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "golden" / "optimum"
BATCH = 8


def libraries(checkpoint: str) -> list[tuple[str, str]]:
    """Return (library, golden) of every golden made with these weights, variants of the settings among them."""
    found = [(path.parents[1].name, path.stem) for path in ROOT.glob("golden/*/encoders/*.npz")]
    return sorted(pair for pair in found if pair[1].partition("+")[0] == checkpoint)


def largest_difference(graph: Path, library: str, name: str) -> float:
    """Run a golden's ids in batches of unequal lengths, return the largest difference of a kept component."""
    session, largest = EncoderSession(graph, threads=1), 0.0
    with np.load(ROOT / "golden" / library / "encoders" / f"{name}.npz") as file:
        for kind in ("query", "document"):
            ends = np.cumsum(file[f"{kind}_lengths"])[:-1]
            ids, attention, kept = (
                np.split(file[f"{kind}_{part}"], ends) for part in ("ids", "attention", "kept")
            )
            rows = np.split(file[f"{kind}_vectors"], np.cumsum([int(row.sum()) for row in kept])[:-1])
            for start in range(0, len(ids), BATCH):
                batch = range(start, min(start + BATCH, len(ids)))
                vectors = session.run(
                    _padded([ids[i] for i in batch]), _padded([attention[i] for i in batch])
                )
                for line, i in enumerate(batch):
                    found = vectors[line, : len(ids[i])][kept[i].astype(bool)]
                    largest = max(largest, float(np.abs(found - rows[i]).max(initial=0.0)))
    return largest


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for line, row in enumerate(rows):
        padded[line, : len(row)] = row
    return padded
