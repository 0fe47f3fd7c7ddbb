"""Where lines come from: a file, a compressed file, or standard input."""

from __future__ import annotations

import gzip
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from weft.errors import InvalidInput
from weft.inputs.record import malformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["STANDARD_INPUT", "Source"]

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Attributes
    ----------
    path : Path or None
        The file; None for standard input.
    shown : str
        What messages call it.
    name : str or None
        What ids are made of; None for standard input, whose next lines are other lines.
    kind : str
        The suffix that says how to read it, in lower case, without ``.gz``.
    found : bool
        Whether a folder was searched for it, rather than somebody naming it.
    """

    path: Path | None
    shown: str
    name: str | None
    kind: str
    found: bool = False

    def open(self) -> BinaryIO:
        """Open for reading bytes, decompressing on the way.

        Raises
        ------
        InvalidInput
            It cannot be opened.
        """
        if self.path is None:
            return sys.stdin.buffer
        try:
            if self.path.suffix.lower() == ".gz":
                return cast("BinaryIO", gzip.open(self.path, "rb"))
            return self.path.open("rb")
        except OSError as error:
            raise InvalidInput(f"{self.shown}: cannot be opened: {error.strerror}") from error

    def lines(self) -> Iterator[tuple[int, str]]:
        r"""Decode line by line.

        Only ``\n`` and ``\r\n`` end a line; a text may hold other separators of Unicode.

        Yields
        ------
        tuple of int and str
            Number, from 1, and the line without its end.

        Raises
        ------
        InvalidInput
            A line is not UTF-8, or the compressed file is damaged.
        """
        number = 0
        try:
            with self.open() as file:
                for number, raw in enumerate(file, start=1):
                    yield number, self._decoded(raw, number)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise malformed(self.shown, number + 1, f"the compressed file is damaged: {error}") from error
        except OSError as error:
            raise malformed(self.shown, number + 1, f"cannot be read: {error.strerror or error}") from error

    def _decoded(self, raw: bytes, number: int) -> str:
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        try:
            line = raw.decode(encoding)
        except UnicodeDecodeError as error:
            raise malformed(
                self.shown,
                number,
                f"byte {error.start + 1} of the line is not UTF-8: convert the file to UTF-8",
            ) from error
        return line.removesuffix("\n").removesuffix("\r")
