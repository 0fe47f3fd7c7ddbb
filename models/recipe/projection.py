"""The map from hidden states to the vectors that are stored: principal axes, without a mean.

MaxSim is made of dot products, and the axes of largest second moment keep the dot products of the sample as
well as any linear map of that width can. Centring and whitening were tried and lost; see README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def principal_axes(states: Iterable[NDArray[np.float32]], dim: int) -> tuple[NDArray[np.float32], float]:
    """Return the projection and the share of the second moment that it keeps.

    Parameters
    ----------
    states : iterable of float32 [tokens, hidden]
        Hidden states of sample text.
    dim : int
        Axes to keep.

    Returns
    -------
    float32 [hidden, dim], float
        Orthonormal columns, the largest first, each with its largest component positive so that the
        result does not hang on the linear algebra library's choice of sign; and the share kept.
    """
    moment: NDArray[np.float64] | None = None
    for block in states:
        wide = block.astype(np.float64)
        moment = wide.T @ wide if moment is None else moment + wide.T @ wide
    if moment is None:
        raise ValueError("no sample text")
    values, vectors = np.linalg.eigh(moment)
    axes = vectors[:, ::-1][:, :dim]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(dim)])
    kept = float(values[::-1][:dim].sum() / values.sum())
    return axes.astype(np.float32), kept
