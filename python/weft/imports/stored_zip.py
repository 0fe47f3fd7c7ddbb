"""Zip archives whose entries are stored as they are: where each one lies in the file.

torch writes such archives. Places come from the central directory, as torch itself finds them, and are
compared with the entries' own headers and with one another before anything is read.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from weft.errors import UnreadableSource
from weft.imports.refusal import refused, require_file

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    import numpy.typing as npt

__all__ = ["Entry", "entry_bytes", "read_small", "stored_entries"]

_MOST_ENTRIES = 256  # torch writes four to eight besides the storages, and these archives hold one or two.
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_BLOCK = 1 << 24

# What zipfile raises for archives that are none, or are odd, besides its own error.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where its bytes begin in the file, how many they are, and their CRC-32."""

    name: str
    start: int
    size: int
    crc: int


def stored_entries(path: Path) -> dict[str, Entry]:
    """Find the entries of an archive.

    Raises
    ------
    UnreadableSource
        It is no zip archive, an entry is compressed or encrypted, reaches beyond the file, or lies over
        another one.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            if file.read(1) == b"\x80":
                raise refused(
                    path,
                    "was saved by a torch older than 1.6 and is a bare pickle, which is not read: load and "
                    "save it again with a newer torch",
                )
            with zipfile.ZipFile(file) as archive:
                listed = archive.infolist()
            if len(listed) > _MOST_ENTRIES:
                raise refused(path, f"has {len(listed):,} entries: tensors alone have no need of so many")
            entries = [_located(path, file, info) for info in listed]
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    except UnreadableSource:
        raise
    except _ZIP_ERRORS as error:
        raise refused(path, f"is not a whole zip archive, as torch writes them: {error}") from error
    _check_apart(path, entries)
    return {entry.name: entry for entry in entries}


def _located(path: Path, file: BinaryIO, info: zipfile.ZipInfo) -> Entry:
    name = info.filename
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise refused(path, f"the entry {name!r} is compressed: torch stores entries as they are")
    if info.flag_bits & 1:
        raise refused(path, f"the entry {name!r} is encrypted")
    file.seek(info.header_offset)
    raw = file.read(_LOCAL_HEADER.size)
    if len(raw) != _LOCAL_HEADER.size:
        raise refused(path, f"the entry {name!r} begins beyond the end of the file")
    header = _LOCAL_HEADER.unpack(raw)
    if header[0] != b"PK\x03\x04" or header[3] != zipfile.ZIP_STORED:
        raise refused(path, f"the entry {name!r} has no header of its own where the directory says")
    start = info.header_offset + _LOCAL_HEADER.size + header[9] + header[10]
    end = file.seek(0, 2)
    if start + info.file_size > end:
        raise refused(path, f"the entry {name!r} reaches beyond the end of the file")
    return Entry(name, start, info.file_size, info.CRC)


def _check_apart(path: Path, entries: list[Entry]) -> None:
    if len({entry.name for entry in entries}) != len(entries):
        raise refused(path, "two entries have one name")
    ordered = sorted(entries, key=lambda entry: (entry.start, entry.size))
    for one, two in pairwise(ordered):
        if one.start + one.size > two.start:
            raise refused(path, f"the entries {one.name!r} and {two.name!r} lie over one another")


def entry_bytes(path: Path, entry: Entry) -> npt.NDArray[np.uint8]:
    """Map the bytes of an entry and compare their checksum; they are read from disk as they are used.

    Raises
    ------
    UnreadableSource
        The checksum is another one, or the file cannot be mapped.
    """
    if entry.size == 0:
        return np.zeros(0, np.uint8)
    try:
        mapped = np.memmap(path, np.uint8, "r", entry.start, (entry.size,))
    except (OSError, ValueError) as error:
        raise refused(path, f"cannot be mapped: {error}") from error
    crc = 0
    for at in range(0, entry.size, _BLOCK):
        crc = zlib.crc32(mapped[at : at + _BLOCK].data, crc)
    if crc != entry.crc:
        raise refused(path, f"the entry {entry.name!r} is damaged: its checksum is another one")
    return mapped


def read_small(path: Path, entry: Entry, most: int) -> bytes:
    """Read an entry that is small.

    Raises
    ------
    UnreadableSource
        It has more than `most` bytes, or is damaged.
    """
    if entry.size > most:
        raise refused(path, f"the entry {entry.name!r} has {entry.size:,} bytes, and {most:,} would be many")
    return entry_bytes(path, entry).tobytes()
