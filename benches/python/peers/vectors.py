"""The prepared vectors that every engine of one run is given: a folder of `.npy` files that any environment with numpy reads.

`documents.npy` float16 [tokens, dim] and `lengths.npy` int64 [passages]; `queries.npy` float32 [tokens, dim] and
`query_lengths.npy`; `token_ids.npy` int32 [tokens], the vocabulary's id of every document token, which TACHIOM wants at
build; `about.json`. Ground truth lies beside them once `truth.py` made it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Vectors:
    """Passages and queries as matrices; documents stay on the disk until they are asked for."""

    folder: Path
    about: dict[str, Any]
    documents: np.ndarray
    lengths: np.ndarray
    queries: list[np.ndarray]
    token_ids: np.ndarray | None

    @staticmethod
    def read(folder: Path) -> Vectors:
        """Open a prepared folder and check that its files belong together."""
        about = json.loads((folder / "about.json").read_text())
        documents = np.load(folder / "documents.npy", mmap_mode="r")
        lengths = np.load(folder / "lengths.npy")
        tokens = np.load(folder / "queries.npy")
        query_lengths = np.load(folder / "query_lengths.npy")
        ids = folder / "token_ids.npy"
        token_ids = np.load(ids) if ids.exists() else None
        if len(documents) != lengths.sum() or len(tokens) != query_lengths.sum():
            raise ValueError(f"{folder}: the lengths do not add up to the vectors; prepare the folder again")
        if token_ids is not None and len(token_ids) != len(documents):
            raise ValueError(
                f"{folder}: {len(token_ids)} token ids for {len(documents)} tokens; prepare the folder again"
            )
        queries = np.split(tokens, np.cumsum(query_lengths)[:-1])
        return Vectors(folder, about, documents, lengths, queries, token_ids)

    @property
    def dim(self) -> int:
        return int(self.documents.shape[1])

    @property
    def starts(self) -> np.ndarray:
        """Where every passage begins."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]])

    def passages(self, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Yield passages as float32 [tokens, dim], each a copy of its own."""
        starts = self.starts
        for number in range(first, len(self.lengths) if last is None else min(last, len(self.lengths))):
            start = starts[number]
            yield self.documents[start : start + self.lengths[number]].astype(np.float32)


def write(
    folder: Path,
    documents: list[np.ndarray],
    queries: list[np.ndarray],
    token_ids: list[list[int]] | None,
    about: dict[str, Any],
) -> None:
    """Write a prepared folder; `about.json` last, so that a torn one is not taken for whole."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "documents.npy", np.concatenate(documents).astype(np.float16))
    np.save(folder / "lengths.npy", np.array([len(m) for m in documents], np.int64))
    np.save(folder / "queries.npy", np.concatenate(queries).astype(np.float32))
    np.save(folder / "query_lengths.npy", np.array([len(m) for m in queries], np.int64))
    if token_ids is not None:
        np.save(folder / "token_ids.npy", np.concatenate([np.array(i, np.int32) for i in token_ids]))
    for stale in folder.glob("truth*"):
        stale.unlink()
    (folder / "about.json").write_text(json.dumps(about, indent=1))
