"""Files of one array as ``numpy.save``, ndarray and libtorch write them, mapped and not read.

The header is a Python literal. It is matched against the one form that all writers of arrays of numbers use,
not evaluated, and an array of objects, which would be a pickle, is not opened.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.imports.refusal import refused, require_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["object_count", "read_array"]

_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 4096
_KINDS = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
_DESCRIPTION = re.compile(r"'descr': *'([<>|=]?)([a-zA-Z]\d{0,2})'")
_ORDER = re.compile(r"'fortran_order': *(True|False)")
_SHAPE = re.compile(r"'shape': *\(([\d, ]*)\)")


def read_array(path: Path) -> npt.NDArray[Any]:
    """Map an array of numbers.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    array
        Its bytes stay in the file until they are used.

    Raises
    ------
    UnreadableSource
        It cannot be read, is no such file, is shorter than it says, or holds objects.
    """
    order, kind, fortran, shape, start = _header(path)
    if kind == "O":
        raise refused(
            path, "holds Python objects in a pickle, which is not read, since such a file may run code"
        )
    if kind not in _KINDS:
        raise refused(path, f"holds elements of type {kind!r}: numbers are needed")
    dtype = np.dtype(f"{order}{kind}")
    count = math.prod(shape)
    needed = start + count * dtype.itemsize
    if path.stat().st_size < needed:
        raise refused(path, f"has {path.stat().st_size:,} bytes, and its shape {shape} needs {needed:,}")
    if count == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def object_count(path: Path) -> int:
    """Count the elements of an array without reading them, of one with objects too."""
    shape = _header(path)[3]
    return shape[0] if shape else 1


def _header(path: Path) -> tuple[str, str, bool, tuple[int, ...], int]:
    require_file(path)
    try:
        with path.open("rb") as file:
            lead = file.read(8)
            if len(lead) != 8 or lead[:6] != _MAGIC or lead[6] not in (1, 2, 3):
                raise refused(path, "is no file of numpy.save")
            width = 2 if lead[6] == 1 else 4
            length = int.from_bytes(file.read(width), "little")
            text = file.read(min(length, _MOST_HEADER))
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    said = text.decode("latin-1")
    found = [pattern.search(said) for pattern in (_DESCRIPTION, _ORDER, _SHAPE)]
    if length > _MOST_HEADER or len(text) != length or None in found:
        raise refused(path, "its header is none that numpy.save writes for numbers")
    descr, order, shape = (one for one in found if one is not None)
    sizes = tuple(int(size) for size in shape[1].replace(" ", "").split(",") if size)
    if len(sizes) > 2 or any(size >= 1 << 48 for size in sizes):
        raise refused(path, f"its shape is ({shape[1][:80]}), which is none of an index's arrays")
    return descr[1] or "=", descr[2], order[1] == "True", sizes, 8 + width + length
