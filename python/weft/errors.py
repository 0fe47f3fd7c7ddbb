"""Everything Weft raises on purpose.

One base, `WeftError`, and below it one class per thing a caller can act on. Each class also derives
from the builtin that fits, so that ``except FileNotFoundError`` or ``except ValueError`` works as
it does elsewhere. A message is one line: what is wrong, where, and what to do about it.

This file is pure Python and imports nothing: the engine raises these classes too.
"""

# ruff: noqa: N818  the names say what is wrong, as the builtins' do not always say "Error" either

from __future__ import annotations

__all__ = [
    "CorruptIndex",
    "DocumentNotFound",
    "EncoderMismatch",
    "IncompatibleIndex",
    "IndexExists",
    "IndexLocked",
    "IndexNotFound",
    "InvalidFilter",
    "InvalidInput",
    "MissingExtra",
    "ModelError",
    "ModelNotFound",
    "ReadOnlyIndex",
    "UnreadableSource",
    "WeftError",
]


class WeftError(Exception):
    """Base of every error that Weft raises on purpose."""


class IndexNotFound(WeftError, FileNotFoundError):
    """There is no index at this path."""


class IndexExists(WeftError, FileExistsError):
    """Something else stands where an index was to be created."""


class IndexLocked(WeftError, TimeoutError):
    """Another writer holds the index, and the lock did not come free in time."""


class CorruptIndex(WeftError, OSError):
    """A file of the index is damaged; the message names the file and the section."""


class IncompatibleIndex(WeftError, ValueError):
    """The index was written in a format that this version does not read."""


class InvalidInput(WeftError, ValueError):
    """An argument or an input file does not have the form it must have."""


class InvalidFilter(InvalidInput):
    """A filter says something that the filter language does not know."""


class UnreadableSource(InvalidInput):
    """An index of another library that cannot be read, or contradicts itself; the message names the file."""


class DocumentNotFound(WeftError, KeyError):
    """No document has this id."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which would put the message in quotation marks.
        return str(self.args[0]) if self.args else ""


class ReadOnlyIndex(WeftError, PermissionError):
    """The index was opened for reading, or lies where nothing can be written."""


class EncoderMismatch(WeftError, ValueError):
    """The index was made with one model and is now used with another."""


class ModelError(WeftError, RuntimeError):
    """A model was found but cannot be used."""


class ModelNotFound(ModelError, FileNotFoundError):
    """The model is neither a directory, nor in the hub cache, nor installed."""


class MissingExtra(WeftError, ImportError):
    """A package that only one part of Weft needs is not installed; the message names the extra."""
