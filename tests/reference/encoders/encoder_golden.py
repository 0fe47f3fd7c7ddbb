"""Golden files of one library on one checkpoint: what the network was given, what it kept, what came out.

One `.npz` each, arrays only: for `query` and `document` the token ids and the attention of all texts end to end
(`*_ids`, `*_attention`), which of these positions have a vector (`*_kept`), how many positions each text has
(`*_lengths`) and the vectors (`*_vectors`, float32; not there where a golden is of a vocabulary alone). `about` is
JSON: versions and options. Padding of a batch is not part of it: positions that are neither attended to nor kept are
cut off behind.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import numpy as np
from checkpoints import ROOT
from texts import TEXTS


@dataclass
class Encoded:
    """One text: ids, attention and kept are of one length, vectors has a row per kept position."""

    ids: np.ndarray
    attention: np.ndarray
    kept: np.ndarray
    vectors: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.ids, self.attention = np.asarray(self.ids, np.int32), np.asarray(self.attention, np.uint8)
        self.kept = np.asarray(self.kept, np.uint8)
        used = np.flatnonzero(self.attention | self.kept)
        end = int(used[-1]) + 1
        self.ids, self.attention, self.kept = self.ids[:end], self.attention[:end], self.kept[:end]
        if self.vectors is None:
            return
        self.vectors = np.asarray(self.vectors, np.float32)
        if len(self.vectors) != self.kept.sum():
            raise ValueError(f"{len(self.vectors)} vectors for {self.kept.sum()} kept positions")
        norms = np.linalg.norm(self.vectors, axis=1)
        if np.abs(norms - 1).max(initial=0) > 1e-5:
            raise ValueError("vectors are not of length one")


def pack(kinds: dict[str, list[Encoded]]) -> dict[str, np.ndarray]:
    """Return the arrays of a golden file."""
    arrays = {}
    for kind, texts in kinds.items():
        arrays[f"{kind}_lengths"] = np.array([len(text.ids) for text in texts], np.int32)
        for name in ("ids", "attention", "kept", "vectors"):
            parts = [part for text in texts if (part := getattr(text, name)) is not None]
            if parts:
                arrays[f"{kind}_{name}"] = np.concatenate(parts)
    return arrays


def write(
    library: str,
    checkpoint: str,
    packages: tuple[str, ...],
    kinds: dict[str, list[Encoded]],
    *,
    folder: str = "encoders",
    **options: object,
) -> None:
    """Write the golden file `golden/LIBRARY/FOLDER/CHECKPOINT.npz`."""
    about = {
        "library": library,
        "checkpoint": checkpoint,
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "options": options,
    }
    path = ROOT / "golden" / library / folder / f"{checkpoint}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, about=np.array(json.dumps(about, sort_keys=True)), **pack(kinds))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


@dataclass(frozen=True)
class Golden:
    """One text of a golden file, as lists; `kept` are places."""

    text: str
    ids: list[int]
    attention: list[int]
    kept: list[int]
    vectors: np.ndarray


NOTHING = np.empty((0, 0), np.float32)
"""The vectors of a golden that has none."""


@cache
def read(library: str, checkpoint: str, kind: str, folder: str = "encoders") -> list[Golden]:
    """Read what a library made of the texts, as queries or as passages."""
    with np.load(ROOT / "golden" / library / folder / f"{checkpoint}.npz") as file:
        ends = np.cumsum(file[f"{kind}_lengths"])[:-1]
        ids, attention, kept = (
            np.split(file[f"{kind}_{name}"], ends) for name in ("ids", "attention", "kept")
        )
        counts = [int(row.sum()) for row in kept]
        vectors = file[f"{kind}_vectors"] if f"{kind}_vectors" in file else np.empty((sum(counts), 0))
    rows = np.split(vectors, np.cumsum(counts)[:-1])
    return [
        Golden(text, i.tolist(), a.tolist(), np.flatnonzero(k).tolist(), v)
        for text, i, a, k, v in zip(TEXTS, ids, attention, kept, rows, strict=True)
    ]


def names() -> list[tuple[str, str]]:
    """Return library and checkpoint of every golden file with vectors."""
    return sorted((path.parent.parent.name, path.stem) for path in ROOT.glob("golden/*/encoders/*.npz"))


def versions(library: str, checkpoint: str) -> dict[str, str]:
    """Return the versions that a golden file was made with."""
    with np.load(ROOT / "golden" / library / "encoders" / f"{checkpoint}.npz") as file:
        found: dict[str, str] = json.loads(str(file["about"]))["versions"]
    return found
