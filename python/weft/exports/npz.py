"""Vectors as npz: what ``numpy.load`` opens, written array by array without holding one."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from weft.exports.vectors import Vectors

__all__ = ["write_npz"]


def write_npz(vectors: Vectors, path: Path) -> None:
    """Write ``vectors``, ``lengths``, ``documents`` and ``ids``.

    Parameters
    ----------
    vectors : Vectors
        What to write.
    path : Path
        Where to. ``vectors`` has a row per token, ``lengths`` and ``documents`` an element per passage (its
        tokens, and which of the ``ids`` it belongs to), ``ids`` one per document.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        shape = (vectors.tokens, vectors.dim)
        _write(archive, "vectors", "<f2", shape, (rows.tobytes() for rows in vectors.rows()))
        for name, numbers in (("lengths", vectors.lengths), ("documents", vectors.owners)):
            values = np.asarray(numbers, "<i4")
            _write(archive, name, "<i4", values.shape, [values.tobytes()])
        # Strings of one width, as numpy has them: the widest is looked for before.
        widest = np.dtype(f"<U{max(map(len, vectors.ids()))}")
        names = (np.asarray(name, widest).tobytes() for name in vectors.ids())
        _write(archive, "ids", widest.str, (vectors.documents,), names)


def _write(
    archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...], pieces: Iterable[bytes]
) -> None:
    header: dict[str, Any] = {"descr": kind, "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        npy.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(piece)
