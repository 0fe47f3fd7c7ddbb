"""Files of ``torch.save`` that hold tensors, read without torch and without running anything of them.

A ``.pt`` file is a zip archive: ``NAME/data.pkl``, a pickle that describes the tensors, and ``NAME/data/0``,
``NAME/data/1`` and so on, their bytes. Layout and the names a tensor's pickle has: those of
``torch/_utils.py`` and ``torch/serialization.py`` of torch 2. Everything else is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.imports.plain_pickle import Buildable, read_pickle
from weft.imports.refusal import refused
from weft.imports.stored_zip import Entry, entry_bytes, read_small, stored_entries

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["read_tensor", "read_tensors"]

_MOST_PICKLE = 1 << 20  # A tensor's description has some hundred bytes.
_MOST_DIMENSIONS = 8
_MOST_ELEMENTS = 1 << 48

_STORAGES = {
    "torch.HalfStorage": "f2",
    "torch.FloatStorage": "f4",
    "torch.BFloat16Storage": "bfloat16",
    "torch.ByteStorage": "u1",
    "torch.IntStorage": "i4",
    "torch.LongStorage": "i8",
}


class _Kind(Buildable):
    """A storage class: it may be named and not called."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    @property
    def width(self) -> int:
        return 2 if self.kind == "bfloat16" else np.dtype(self.kind).itemsize


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: _Kind
    entry: Entry
    numel: int


@dataclass(frozen=True, slots=True)
class _Described:
    """A tensor as the pickle describes it: a piece of a storage and its shape."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]

    @property
    def numel(self) -> int:
        return math.prod(self.shape)


def read_tensor(path: Path) -> npt.NDArray[Any]:
    """Read a file that holds one tensor.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    array
        Of the tensor's shape. Its bytes stay in the file, which is mapped, except for bfloat16, which numpy
        does not have and which becomes float32.

    Raises
    ------
    UnreadableSource
        The file cannot be read, is damaged, or holds anything but one tensor.
    """
    tensors = read_tensors(path)
    if len(tensors) != 1:
        raise refused(path, f"holds {len(tensors)} tensors where one belongs")
    return tensors[0]


def read_tensors(path: Path) -> tuple[npt.NDArray[Any], ...]:
    """Read a file that holds one tensor or a tuple of them; otherwise as `read_tensor`."""
    entries = stored_entries(path)
    prefix, pickle = _described_by(path, entries)
    order = _byte_order(path, entries.get(f"{prefix}byteorder"))
    names: dict[str, Buildable] = {name: _Kind(kind) for name, kind in _STORAGES.items()}
    names["torch._utils._rebuild_tensor_v2"] = Buildable(partial(_tensor, path))
    names["collections.OrderedDict"] = Buildable(partial(_no_hooks, path))
    value = read_pickle(
        read_small(path, pickle, _MOST_PICKLE), path, names, partial(_storage, path, entries, prefix)
    )
    tensors = value if type(value) is tuple else (value,)
    if not tensors or not all(isinstance(one, _Described) for one in tensors):
        raise refused(path, "holds something else than tensors, which is not read")
    return tuple(_array(path, one, order) for one in tensors)


def _described_by(path: Path, entries: dict[str, Entry]) -> tuple[str, Entry]:
    # The folder has the name of the file as it was saved, which may have been renamed since.
    found = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        raise refused(path, "has no data.pkl in it: torch.save did not write this archive")
    return found[0].removesuffix("data.pkl"), entries[found[0]]


def _byte_order(path: Path, entry: Entry | None) -> str:
    """Give numpy's sign of the byte order; torch before 2.1 did not say it, and ran on little-endian."""
    said = b"little" if entry is None else read_small(path, entry, 16)
    orders = {b"little": "<", b"big": ">"}
    if said not in orders:
        raise refused(path, f"its byte order is {said!r}: little and big are known")
    return orders[said]


def _storage(path: Path, entries: dict[str, Entry], prefix: str, key: Any) -> _Storage:
    """Find what a persistent id names: ('storage', class, key, device, numel).

    The device is where the tensor was, such as ``cuda:0``; the bytes are the same wherever they go.
    """
    if not (type(key) is tuple and len(key) == 5 and key[0] == "storage"):
        raise refused(path, "refers to something that is no storage")
    _, kind, name, device, numel = key
    if not (isinstance(kind, _Kind) and type(name) is type(device) is str and type(numel) is int):
        raise refused(path, "a storage is not described as torch does")
    entry = entries.get(f"{prefix}data/{name}")
    if entry is None:
        raise refused(path, f"the storage {name[:80]!r} is not in it")
    if numel < 0 or numel * kind.width != entry.size:
        raise refused(
            path,
            f"the storage {name!r} has {entry.size:,} bytes, and its description says {kind.width} for each "
            f"of {str(numel)[:30]} elements",
        )
    return _Storage(kind, entry, numel)


def _no_hooks(path: Path, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:
        raise refused(path, "an OrderedDict has contents: a tensor's is empty")
    return {}


def _tensor(path: Path, arguments: tuple[Any, ...]) -> _Described:
    """Check storage, offset, shape, strides, whether it wants gradients, hooks."""
    if len(arguments) != 6 or not isinstance(arguments[0], _Storage) or arguments[5] != {}:
        raise refused(path, "a tensor is not described as torch does")
    storage, offset, shape, strides = arguments[:4]
    whole = (offset, *shape, *strides) if type(shape) is type(strides) is tuple else (None,)
    if not all(type(number) is int and 0 <= number < _MOST_ELEMENTS for number in whole):
        raise refused(path, "a tensor has an offset, a shape or strides that are none")
    if len(shape) != len(strides) or len(shape) > _MOST_DIMENSIONS:
        raise refused(path, f"a tensor has {len(shape)} dimensions and {len(strides)} strides")
    if math.prod(size or 1 for size in shape) >= _MOST_ELEMENTS:
        raise refused(path, f"a tensor has the shape {shape}, which is beyond all measure")
    described = _Described(storage, offset, shape)
    if described.numel > 0 and not _in_order(shape, strides):
        raise refused(path, "a tensor is not contiguous: save tensor.contiguous() again")
    if offset + described.numel > storage.numel:
        raise refused(
            path,
            f"a tensor of shape {shape} from {offset} on reaches beyond its storage of {storage.numel:,}",
        )
    return described


def _in_order(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        # A dimension of one element has a stride that nobody follows.
        if size != 1 and stride != step:
            return False
        step *= size
    return True


def _array(path: Path, tensor: _Described, order: str) -> npt.NDArray[Any]:
    kind = tensor.storage.kind
    raw = entry_bytes(path, tensor.storage.entry)
    piece = raw[tensor.offset * kind.width : (tensor.offset + tensor.numel) * kind.width]
    if kind.kind == "bfloat16":
        # The upper half of a float32.
        return (piece.view(f"{order}u2").astype("u4") << 16).view("f4").reshape(tensor.shape)
    return piece.view(f"{order}{kind.kind}").reshape(tensor.shape)
