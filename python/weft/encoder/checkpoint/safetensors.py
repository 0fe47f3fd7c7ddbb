"""Weights from safetensors files: a length, a header in JSON, a buffer without gaps; mapped, never executed.

The reader trusts nothing: sizes are checked before anything is mapped, and what does not fit is an error that
names the file. Source of the format: the README of the safetensors project.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Tensors"]

_LARGEST_HEADER = 100_000_000
"""Bytes, the format's own limit."""

_SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
"""Bytes of one element. A file may hold tensors of other types as long as nobody asks for them."""

_READ = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}


class Tensors:
    """The tensors of one or more safetensors files, by name.

    Parameters
    ----------
    paths : iterable of Path
        The files; no name may stand in two of them.

    Raises
    ------
    ModelError
        If a file is not what the format says.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self._entries: dict[str, tuple[Path, str, tuple[int, ...], int]] = {}
        for path in self.paths:
            try:
                entries = _read_header(path)
            except OSError as error:
                raise ModelError(f"{path}: cannot be read: {error}") from error
            for name, entry in entries.items():
                if name in self._entries:
                    raise ModelError(f"{path}: {name} is also in {self._entries[name][0].name}")
                self._entries[name] = (path, *entry)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """Return the names of all tensors."""
        return list(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor."""
        return self._entry(name)[2]

    def array(self, name: str) -> NDArray[np.float32]:
        """Read a tensor as float32.

        float16 and bfloat16 are widened, which changes no value; float32 stays a view of the mapped file.

        Raises
        ------
        ModelError
            If there is no such tensor, or it holds no floating-point numbers.
        """
        path, kind, shape, at = self._entry(name)
        if kind not in _READ:
            raise ModelError(f"{path}: {name} has the type {kind}, expected one of {sorted(_READ)}")
        count = math.prod(shape)
        if count == 0:
            return np.zeros(shape, np.float32)
        mapped: NDArray[Any] = np.memmap(path, np.dtype(_READ[kind]), "r", at, (count,))
        if kind == "BF16":
            # The upper half of a float32.
            return (mapped.astype(np.uint32) << 16).view(np.float32).reshape(shape)
        return np.asarray(mapped, dtype=np.float32).reshape(shape)

    def _entry(self, name: str) -> tuple[Path, str, tuple[int, ...], int]:
        try:
            return self._entries[name]
        except KeyError:
            where = ", ".join(str(path) for path in self.paths)
            raise ModelError(f"{where}: there is no tensor {name}") from None


def _read_header(path: Path) -> dict[str, tuple[str, tuple[int, ...], int]]:
    """Return type, shape and place in the file of every tensor."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise ModelError(f"{path}: no safetensors file: a header of {length} bytes in a file of {size}")
        try:
            header = json.loads(file.read(length), object_pairs_hook=_once)
        # RecursionError: brackets within brackets, which no writer makes.
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path}: the header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise ModelError(f"{path}: the header is no JSON object")
    header.pop("__metadata__", None)
    found = {name: _checked(path, name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, start, stop) in sorted(found.items(), key=lambda item: item[1][2:]):
        if start != end:
            raise ModelError(f"{path}: {name} begins at {start} of the buffer, expected {end}")
        end = stop
    if end != size - 8 - length:
        raise ModelError(f"{path}: the tensors take {end} bytes, the buffer has {size - 8 - length}")
    return {name: (kind, shape, 8 + length + start) for name, (kind, shape, start, _) in found.items()}


def _checked(path: Path, name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    try:
        kind, shape, (start, stop) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise ModelError(f"{path}: the entry of {name} lacks dtype, shape or data_offsets") from None
    if not isinstance(kind, str) or kind not in _SIZES:
        raise ModelError(f"{path}: {name} has the unknown type {kind!r}")
    numbers = (*shape, start, stop)
    if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in numbers):
        raise ModelError(f"{path}: the entry of {name} has a size that is no whole number from 0 on")
    if stop - start != math.prod(shape) * _SIZES[kind]:
        raise ModelError(f"{path}: {name} is {kind} {list(shape)} and has {stop - start} bytes")
    return kind, shape, start, stop


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content
