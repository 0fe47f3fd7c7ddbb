"""Inverted lists as colbert-ai keeps them: for each centroid the passages that have it, ascending, each once.

They may be larger than memory, so they are counted while passages are written, and put in place in a mapped
file when all are. colbert-ai itself leaves zeros behind the lists, which its own updater then stumbles over;
here are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from weft.exports.plaid.tensor_file import TensorFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["InvertedLists"]

_TOKENS = 1 << 20  # Put in place at a time.
_COPIED = 1 << 22


class InvertedLists:
    """Counts first, then writes.

    Parameters
    ----------
    centroids : int
        How many there are.
    """

    def __init__(self, centroids: int) -> None:
        self._lengths: npt.NDArray[np.int64] = np.zeros(centroids, np.int64)

    def count(self, lengths: npt.NDArray[np.int64], codes: npt.NDArray[Any]) -> None:
        """Count the centroids of some passages, each once a passage."""
        _, centroids = _pairs(lengths, codes, 0)
        numbers, counts = np.unique(centroids, return_counts=True)
        self._lengths[numbers] += counts

    def write(
        self,
        path: Path,
        chunks: Iterable[tuple[npt.NDArray[np.int64], npt.NDArray[Any]]],
        report: Callable[[int], None],
    ) -> None:
        """Write the lists of what was counted.

        Parameters
        ----------
        path : Path
            The file; another one beside it serves meanwhile.
        chunks : iterable of (lengths, codes)
            All passages once more, in order.
        report : callable
            Told how many passages are done.
        """
        scratch = path.with_suffix(".part")
        total = int(self._lengths.sum())
        try:
            placed = np.memmap(scratch, "<i4", "w+", shape=(total,))
            cursor = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._lengths)[:-1]])
            done = 0
            for lengths, codes in chunks:
                for first, end in _slices(lengths):
                    at, stop = int(lengths[:first].sum()), int(lengths[:end].sum())
                    self._place(placed, cursor, lengths[first:end], codes[at:stop], done + first)
                    report(done + end)
                done += len(lengths)
            with TensorFile(path) as file:
                file.begin("i4")
                for at in range(0, total, _COPIED):
                    file.write(placed[at : at + _COPIED])
                file.begin("i8")
                file.write(self._lengths)
            del placed
        finally:
            scratch.unlink(missing_ok=True)

    @staticmethod
    def _place(
        placed: npt.NDArray[np.int32],
        cursor: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        codes: npt.NDArray[Any],
        first: int,
    ) -> None:
        owners, centroids = _pairs(lengths, codes, first)
        # By centroid, and by passage within, which is the order in which they came.
        order = np.argsort(centroids, kind="stable")
        owners, centroids = owners[order], centroids[order]
        numbers, starts, counts = np.unique(centroids, return_index=True, return_counts=True)
        rank = np.arange(len(centroids)) - np.repeat(starts, counts)
        placed[cursor[centroids] + rank] = owners
        cursor[numbers] += counts


def _pairs(
    lengths: npt.NDArray[np.int64], codes: npt.NDArray[Any], first: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give passages and centroids, every pair once, by passage."""
    owners = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    # A code has at most 24 bits.
    both = np.unique((owners << 24) | codes.astype(np.int64))
    return (both >> 24) + first, both & 0xFFFFFF


def _slices(lengths: npt.NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    """Cut passages into runs of a bounded number of tokens."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        before = int(ends[first - 1]) if first else 0
        end = max(first + 1, int(np.searchsorted(ends, before + _TOKENS, "right")))
        yield first, end
        first = end
