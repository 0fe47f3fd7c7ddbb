"""Checks on token vectors that come from outside: the caller's own, or a foreign encoder's.

The engine checks what it is given, but it is given many matrices as one block and could not say
which of them is wrong. Here the error names the element: ``vectors[3]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import InvalidInput

__all__ = ["Matrix", "as_matrices", "as_matrix", "joined"]

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float16]


def as_matrix(value: Any, name: str) -> Matrix:
    """Check one matrix of token vectors.

    Parameters
    ----------
    value : array
        Two dimensions, tokens by dimension, float32 or float16; anything numpy can view as such.
    name : str
        What the error calls it.

    Returns
    -------
    numpy.ndarray
        C-contiguous; the same memory when it was so already.

    Raises
    ------
    InvalidInput
        For another dtype or shape, no rows, NaN, infinity, or a row of zeros.
    """
    if isinstance(value, (list, tuple, str, int, float)) or value is None:
        raise InvalidInput(
            f"{name} is a {type(value).__name__}: "
            "give a float32 or float16 array of shape (tokens, dimension)"
        )
    matrix = np.asarray(value)
    if matrix.dtype not in (np.float32, np.float16):
        raise InvalidInput(
            f"{name} has dtype {matrix.dtype}: float32 or float16 is needed, as from .astype(numpy.float32)"
        )
    if matrix.ndim != 2:
        raise InvalidInput(
            f"{name} has shape {matrix.shape}: two dimensions are needed, tokens and vector components"
        )
    if matrix.shape[0] == 0 or matrix.shape[1] == 0:
        raise InvalidInput(f"{name} has shape {matrix.shape}: at least one token vector is needed")
    matrix = np.ascontiguousarray(matrix)
    _check_rows(matrix, name)
    return matrix


def _check_rows(matrix: Matrix, name: str) -> None:
    # One pass over the data decides the good case: the square of a row is finite and not zero.
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float32)
    good = np.isfinite(squares) & (squares > 0.0)
    if bool(good.all()):
        return
    row = int(np.argmin(good))
    values = matrix[row]
    if np.isnan(values).any():
        problem = "contains NaN"
    elif np.isinf(values).any():
        problem = "contains infinity"
    elif not values.any():
        problem = "is all zeros, which has no direction"
    else:
        problem = "has a length that float32 cannot hold; normalise it first"
    raise InvalidInput(f"{name} row {row} {problem}")


def as_matrices(values: Any, name: str, *, count: int | None = None) -> list[Matrix]:
    """Check a list of matrices, or a three-dimensional array, which is the same with equal lengths.

    Parameters
    ----------
    values : iterable of arrays, or array of shape (items, tokens, dimension)
        Each as in `as_matrix`; all of one dimension.
    name : str
        What the error calls them.
    count : int, optional
        How many there must be.

    Returns
    -------
    list of numpy.ndarray
        One matrix per item.

    Raises
    ------
    InvalidInput
        As `as_matrix`, and for unequal dimensions or another number of items than `count`.
    """
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes, dict)):
        raise InvalidInput(f"{name} is a {type(values).__name__}: give a list of arrays")
    if getattr(values, "ndim", 3) == 2:
        raise InvalidInput(
            f"{name} is one matrix of shape {tuple(values.shape)}: "  # type: ignore[attr-defined]
            "give a list of matrices, one per document"
        )
    matrices = [as_matrix(value, f"{name}[{position}]") for position, value in enumerate(values)]
    for position, matrix in enumerate(matrices):
        check_dimension(matrix, matrices[0].shape[1], f"{name}[{position}]", f"{name}[0]")
    if count is not None and len(matrices) != count:
        raise InvalidInput(f"{name} has {len(matrices)} matrices for {count} texts")
    return matrices


def check_dimension(matrix: Matrix, dim: int, name: str, owner: str) -> None:
    """Raise `InvalidInput` unless the matrix has the dimension that its owner has."""
    if matrix.shape[1] != dim:
        raise InvalidInput(f"{name} has dimension {matrix.shape[1]}, but {owner} has {dim}")


def joined(matrices: list[Matrix]) -> Matrix:
    """All rows in one block, for a call into the engine: float16 only when every matrix is."""
    if len(matrices) == 1:
        return matrices[0]
    if all(matrix.dtype == np.float16 for matrix in matrices):
        return np.concatenate(matrices, dtype=np.float16)
    return np.concatenate(matrices, dtype=np.float32)
