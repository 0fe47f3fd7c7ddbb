"""Files that ``torch.load`` opens, written without torch: a zip archive with the tensors' bytes and a pickle.

The pickle is made of the few instructions that describe a tensor (torch 2, ``torch/_utils.py`` and
``torch/serialization.py``); no pickle of Python is involved. Bytes are written as they come, so that a tensor
may be larger than memory; each begins at a multiple of 64 in the file, as torch has it.
"""

from __future__ import annotations

import math
import struct
import zipfile
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

__all__ = ["TensorFile"]

_STORAGES = {
    "f2": "HalfStorage",
    "f4": "FloatStorage",
    "u1": "ByteStorage",
    "i4": "IntStorage",
    "i8": "LongStorage",
}
_ALIGNMENT = 64
_LOCAL_HEADER = 30
_SIZES = 20  # Of a local header's extra field that has sizes of 64 bits.
_PADDING = b"FB"  # The extra field in which torch puts what moves the bytes to their place.


class TensorFile:
    """A ``.pt`` file that is being written: one tensor, or a tuple of several.

    Parameters
    ----------
    path : Path
        The file.

    Examples
    --------
    >>> import pathlib, tempfile, numpy
    >>> from weft.imports.torch_file import read_tensor
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "rows.pt")
    ...     with TensorFile(path) as file:
    ...         file.begin("i4", (2,))
    ...         file.write(numpy.arange(4).reshape(2, 2))
    ...     read_tensor(path).tolist()
    [[0, 1], [2, 3]]
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self._folder = path.stem
        self._open: Any = None
        self._kind = np.dtype("u1")
        self._tensors: list[_Tensor] = []

    def begin(self, kind: str, row: Sequence[int] | None = ()) -> None:
        """Begin a tensor, and end the one before.

        Parameters
        ----------
        kind : {"f2", "f4", "u1", "i4", "i8"}
            Type of its elements.
        row : sequence of int, optional
            Shape of a row; None for a tensor without dimensions, of one element.
        """
        self._end()
        self._kind = np.dtype(f"<{kind}")
        self._tensors.append(_Tensor(_STORAGES[kind], row))
        self._open = self._entry(f"data/{len(self._tensors) - 1}")

    def write(self, rows: npt.NDArray[Any]) -> None:
        """Write rows of the tensor."""
        values = np.ascontiguousarray(rows, self._kind)
        self._open.write(values.reshape(-1).view(np.uint8).data)
        self._tensors[-1].elements += values.size

    def close(self) -> None:
        """Describe the tensors, and end the file."""
        self._end()
        for name, content in (
            ("data.pkl", _described(self._tensors)),
            ("byteorder", b"little"),
            ("version", b"3\n"),
        ):
            with self._entry(name) as entry:
                entry.write(content)
        self._archive.close()

    def abandon(self) -> None:
        """Let go of the file after an error: what is there is no whole file, and who failed removes it."""
        self._end()
        self._archive.close()

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _entry(self, name: str) -> Any:
        info = zipfile.ZipInfo(f"{self._folder}/{name}")
        start = self._archive.start_dir + _LOCAL_HEADER + len(info.filename.encode()) + _SIZES + 4
        fill = -start % _ALIGNMENT
        info.extra = _PADDING + struct.pack("<H", fill) + b"Z" * fill
        return self._archive.open(info, "w", force_zip64=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class _Tensor:
    """What a tensor's description needs."""

    def __init__(self, storage: str, row: Sequence[int] | None) -> None:
        self.storage = storage
        self.elements = 0
        self._row = row

    @property
    def shape(self) -> tuple[int, ...]:
        if self._row is None:
            return ()
        return (self.elements // max(1, math.prod(self._row)), *self._row)


def _described(tensors: Sequence[_Tensor]) -> bytes:
    """Write the pickle: one tensor, or a tuple of two or three."""
    pieces = [b"\x80\x02", *(_tensor(number, tensor) for number, tensor in enumerate(tensors))]
    if len(tensors) > 1:
        pieces.append((b"\x86", b"\x87")[len(tensors) - 2])
    return b"".join([*pieces, b"."])


def _tensor(number: int, tensor: _Tensor) -> bytes:
    shape = tensor.shape
    strides = tuple(math.prod(shape[at + 1 :]) for at in range(len(shape)))
    persistent = [_text("storage"), _name("torch", tensor.storage), _text(str(number)), _text("cpu")]
    storage = [b"(", *persistent, _integer(tensor.elements), b"tQ"]
    hooks = _name("collections", "OrderedDict") + b")R"
    arguments = [*storage, _integer(0), _tuple(shape), _tuple(strides), b"\x89", hooks]
    return b"".join([_name("torch._utils", "_rebuild_tensor_v2"), b"(", *arguments, b"tR"])


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _integer(value: int) -> bytes:
    if value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(8, "little")
    return b"\x8a" + bytes([len(raw)]) + raw


def _tuple(values: Sequence[int]) -> bytes:
    return b"".join([b"(", *(_integer(value) for value in values), b"t"])
