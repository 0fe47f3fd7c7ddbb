"""What a reader gives of a foreign index: its codebook, and its coded tokens, chunk after chunk.

Codes and residuals are views of mapped files. What is in memory is the lengths of the passages, eight bytes
each, and the block that is being read.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.imports.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["Chunk", "Codebook", "Coded"]

_MOST_CENTROIDS = 1 << 24  # What a code can name in Weft's files.
_WIDEST = 1024


@dataclass(frozen=True, slots=True)
class Codebook:
    """Centroids and residual tables, checked.

    Attributes
    ----------
    centroids : array
        float16 or float32, centroids by dimension: as exact as the library that made them reads them.
    cutoffs, weights : array
        float32: ``2**nbits - 1`` and ``2**nbits`` numbers, ascending.
    """

    centroids: npt.NDArray[Any]
    cutoffs: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return int(self.centroids.shape[1])

    @property
    def nbits(self) -> int:
        """Bits of a component's residual."""
        return len(self.weights).bit_length() - 1

    @property
    def row(self) -> int:
        """Bytes of a token's residual."""
        return self.dim * self.nbits // 8

    @classmethod
    def checked(
        cls,
        centroids: npt.NDArray[Any],
        cutoffs: npt.NDArray[Any],
        weights: npt.NDArray[Any],
        *,
        file: Path,
        tables: tuple[Path, Path],
    ) -> Codebook:
        """Check what was read.

        Parameters
        ----------
        centroids, cutoffs, weights : array
            As in the files.
        file : Path
            Where the centroids are from.
        tables : tuple of Path and Path
            Where cut-offs and weights are from.

        Raises
        ------
        UnreadableSource
            Shapes, types or values are none of a codebook.
        """
        if centroids.ndim != 2 or centroids.dtype.kind != "f" or 0 in centroids.shape:
            raise refused(
                file,
                f"has shape {centroids.shape} and type {centroids.dtype}: centroids by dimension are needed",
            )
        count, dim = centroids.shape
        if dim % 8 or dim > _WIDEST:
            raise refused(file, f"has dimension {dim}: multiples of 8 up to {_WIDEST} can be taken over")
        if count > _MOST_CENTROIDS:
            raise refused(file, f"has {count:,} centroids: {_MOST_CENTROIDS:,} can be taken over")
        exact = np.float16 if centroids.dtype.itemsize == 2 else np.float32
        kept = np.ascontiguousarray(centroids, exact)
        if not np.isfinite(kept).all():
            raise refused(file, "has a centroid that is not finite")
        low, high = (_table(values, path) for values, path in zip((cutoffs, weights), tables, strict=True))
        if len(high) not in (2, 4, 16, 256) or len(low) != len(high) - 1:
            raise refused(
                tables[1],
                f"has {len(high)} weights, and {tables[0].name} {len(low)} cut-offs: 1, 2, 4 or 8 bits have "
                "2, 4, 16 or 256 weights, and cut-offs between them",
            )
        if (np.diff(low) < 0).any():
            raise refused(tables[0], "has cut-offs that do not ascend")
        return cls(kept, low, high)


def _table(values: npt.NDArray[Any], path: Path) -> npt.NDArray[np.float32]:
    if values.ndim != 1 or values.dtype.kind != "f":
        raise refused(path, f"has shape {values.shape} and type {values.dtype}: a row of floats is needed")
    kept = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(kept).all():
        raise refused(path, "has a number that is not finite")
    return kept


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some passages' tokens, as their files have them.

    Attributes
    ----------
    lengths : array of int64
        Tokens of each passage; 0 where the passage was removed.
    codes : array of integers
        One per token.
    residuals : array of uint8
        Tokens by bytes of a residual.
    files : tuple of Path and Path and Path
        Where the three are from.
    """

    lengths: npt.NDArray[np.int64]
    codes: npt.NDArray[Any]
    residuals: npt.NDArray[Any]
    files: tuple[Path, Path, Path]

    def check(self, codebook: Codebook) -> None:
        """Compare the sizes with one another and with the codebook.

        Raises
        ------
        UnreadableSource
            They disagree.
        """
        lengths, codes, residuals = self.files
        tokens = int(self.lengths.sum())
        if self.codes.ndim != 1 or self.codes.dtype.kind not in "iu":
            raise refused(
                codes,
                f"has shape {self.codes.shape} and type {self.codes.dtype}: a row of integers is needed",
            )
        if len(self.codes) != tokens:
            raise refused(
                codes, f"has {len(self.codes):,} codes, and {lengths.name} counts {tokens:,} tokens"
            )
        if self.residuals.dtype != np.uint8 or self.residuals.shape != (tokens, codebook.row):
            raise refused(
                residuals,
                f"has shape {self.residuals.shape} and type {self.residuals.dtype}: {tokens:,} tokens of "
                f"dimension {codebook.dim} at {codebook.nbits} bits have shape {(tokens, codebook.row)} and "
                "type uint8",
            )


class Coded:
    """The tokens of all passages of a foreign index, read by passage.

    Parameters
    ----------
    codebook : Codebook
        What codes and residuals refer to.
    chunks : sequence of Chunk
        In their order; checked here.

    Attributes
    ----------
    lengths : array of int64
        Tokens of every passage.
    """

    def __init__(self, codebook: Codebook, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            chunk.check(codebook)
        self.codebook = codebook
        self._chunks = list(chunks)
        self.lengths: npt.NDArray[np.int64] = np.concatenate(
            [np.zeros(0, np.int64), *(chunk.lengths for chunk in chunks)]
        )
        self._ends = np.cumsum(self.lengths)
        self._starts = [0, *accumulate(len(chunk.codes) for chunk in chunks)]

    @property
    def passages(self) -> int:
        """How many passages there are, removed ones included."""
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return self._starts[-1]

    def read(self, first: int, end: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
        """Read codes and residuals of the passages from `first` to before `end`.

        Raises
        ------
        UnreadableSource
            A code names no centroid.
        """
        at = int(self._ends[first] - self.lengths[first]) if first < end else 0
        stop = int(self._ends[end - 1]) if first < end else 0
        codes, residuals = [np.zeros(0, np.uint32)], [np.zeros((0, self.codebook.row), np.uint8)]
        while at < stop:
            number = bisect_right(self._starts, at) - 1
            begin, chunk = self._starts[number], self._chunks[number]
            here = slice(at - begin, min(stop - begin, len(chunk.codes)))
            codes.append(self._checked(chunk, chunk.codes[here]))
            residuals.append(np.asarray(chunk.residuals[here]))
            at = begin + here.stop
        return np.concatenate(codes), np.concatenate(residuals)

    def _checked(self, chunk: Chunk, codes: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
        count = len(self.codebook.centroids)
        low, high = int(codes.min()), int(codes.max())
        if low < 0 or high >= count:
            raise refused(
                chunk.files[1], f"has the code {low if low < 0 else high}, and there are {count:,} centroids"
            )
        return codes.astype(np.uint32)
