"""Chunks of coded passages as colbert-ai numbers them: codes, residuals, lengths, and what each holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from weft.exports.plaid.tensor_file import TensorFile

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

__all__ = ["CHUNK", "Chunks"]

CHUNK = 25_000
"""Passages of a chunk: what colbert-ai 0.2.22 takes (``Collection.get_chunksize``)."""


class Chunks:
    """Writes one chunk after the other, as passages come.

    Parameters
    ----------
    directory : Path
        Where to.
    row : int
        Bytes of a token's residual.

    Attributes
    ----------
    count, passages, tokens : int
        What is written.
    """

    def __init__(self, directory: Path, row: int) -> None:
        self._directory = directory
        self._row = row
        self._codes: TensorFile | None = None
        self._residuals: TensorFile | None = None
        self._lengths: list[int] = []
        self.count = 0
        self.passages = 0
        self.tokens = 0

    def add(
        self, lengths: npt.NDArray[np.int64], codes: npt.NDArray[Any], residuals: npt.NDArray[np.uint8]
    ) -> None:
        """Write passages, in as many chunks as they need."""
        while len(lengths):
            if self._codes is None:
                self._begin()
            here = lengths[: CHUNK - len(self._lengths)]
            tokens = int(here.sum())
            assert self._codes is not None
            assert self._residuals is not None
            self._codes.write(codes[:tokens])
            self._residuals.write(residuals[:tokens])
            self._lengths += here.tolist()
            lengths, codes, residuals = lengths[len(here) :], codes[tokens:], residuals[tokens:]
            if len(self._lengths) == CHUNK:
                self._end()

    def close(self) -> None:
        """End the last chunk."""
        if self._codes is not None:
            self._end()

    def abandon(self) -> None:
        """Let go of the files, after an error: what is in them is removed by who began it."""
        for file in (self._codes, self._residuals):
            if file is not None:
                file.abandon()

    def _begin(self) -> None:
        self._codes = TensorFile(self._directory / f"{self.count}.codes.pt")
        self._codes.begin("i4")
        self._residuals = TensorFile(self._directory / f"{self.count}.residuals.pt")
        self._residuals.begin("u1", (self._row,))

    def _end(self) -> None:
        assert self._codes is not None
        assert self._residuals is not None
        self._codes.close()
        self._residuals.close()
        self._codes = self._residuals = None
        tokens = sum(self._lengths)
        (self._directory / f"doclens.{self.count}.json").write_text(
            json.dumps(self._lengths), encoding="utf-8"
        )
        told = {
            "passage_offset": self.passages,
            "num_passages": len(self._lengths),
            "num_embeddings": tokens,
            "embedding_offset": self.tokens,
        }
        (self._directory / f"{self.count}.metadata.json").write_text(json.dumps(told), encoding="utf-8")
        self.count += 1
        self.passages += len(self._lengths)
        self.tokens += tokens
        self._lengths = []
