"""Vectors as safetensors: a length, a header in JSON, and the bytes of the tensors.

The header stands first, so all sizes are known before the first vector is read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from weft.exports.vectors import Vectors

__all__ = ["write_safetensors"]


def write_safetensors(vectors: Vectors, path: Path) -> None:
    """Write ``vectors``, ``lengths``, ``documents`` and ``ids``.

    Parameters
    ----------
    vectors : Vectors
        What to write.
    path : Path
        Where to. As in npz, but ``ids``, since tensors hold no strings, are the bytes of their UTF-8 with a
        line end between.
    """
    # An id has no line end in it.
    letters = sum(len(name.encode()) + 1 for name in vectors.ids()) - 1
    shapes = {
        "vectors": ("F16", [vectors.tokens, vectors.dim], 2 * vectors.tokens * vectors.dim),
        "lengths": ("I32", [vectors.passages], 4 * vectors.passages),
        "documents": ("I32", [vectors.passages], 4 * vectors.passages),
        "ids": ("U8", [letters], letters),
    }
    header: dict[str, object] = {"__metadata__": {"format": "weft", "ids": "UTF-8, separated by line ends"}}
    at = 0
    for name, (kind, shape, size) in shapes.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    # Blanks up to a multiple of 8, so that the vectors lie as a processor wants them.
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for rows in vectors.rows():
            file.write(rows.tobytes())
        for numbers in (vectors.lengths, vectors.owners):
            file.write(np.asarray(numbers, "<i4").tobytes())
        for position, name in enumerate(vectors.ids()):
            file.write((b"\n" if position else b"") + name.encode())
