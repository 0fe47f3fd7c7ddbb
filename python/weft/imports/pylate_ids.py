"""The documents' ids of an index that PyLate made: which id stands for which passage of the index.

PyLate keeps two dicts beside the index, from id to passage and back: pickles, or, before its version 1.5,
SqliteDict databases with a pickle per value. A passage that the second does not name was removed. An id that
was added twice has two passages there; the first dict names the newer one, which is the one PyLate would
remove or replace, and which is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft.imports.plain_pickle import read_pickle
from weft.imports.refusal import refused
from weft.imports.sqlite_file import columns_of, opened

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

__all__ = ["read_pylate_ids"]

_FORTH = "documents_ids_to_plaid_ids"
_BACK = "plaid_ids_to_documents_ids"
_KINDS = (".pkl", ".sqlite")

NOT_NAMED = "passages without an id: PyLate's map does not name them, so they were removed"
REPLACED = "passages of an id that was added again: the newer one is kept"


def read_pylate_ids(directory: Path, passages: int, left_out: Counter[str]) -> list[str | None] | None:
    """Read the ids.

    Parameters
    ----------
    directory : Path
        Where the maps would be.
    passages : int
        How many passages the index has.
    left_out : Counter
        Counts passages that have no id, and why.

    Returns
    -------
    list of str or None, or None
        An id for each passage, None for one that is left out; None when there are no maps.

    Raises
    ------
    UnreadableSource
        A map cannot be read, holds something else than ids and numbers, or names a passage that is not there.
    """
    path = next((path for kind in _KINDS if (path := directory / f"{_BACK}{kind}").is_file()), None)
    if path is None:
        return None
    back = _mapping(path)
    other = path.with_name(f"{_FORTH}{path.suffix}")
    forth = _mapping(other) if other.is_file() else {}
    newest = {_identifier(other, name): _position(other, at) for name, at in forth.items()}

    ids: list[str | None] = [None] * passages
    for at, name in back.items():
        position = _position(path, at)
        if position >= passages:
            raise refused(path, f"names passage {position}, and the index has {passages:,}")
        ids[position] = _identifier(path, name)
    left_out[NOT_NAMED] += ids.count(None)
    # Of two with one id the one stays that the other map names; without it, the later.
    kept = {name: position for position, name in enumerate(ids) if name is not None}
    kept |= {
        name: position for name, position in newest.items() if position < passages and ids[position] == name
    }
    for position, name in enumerate(ids):
        if name is not None and kept[name] != position:
            ids[position] = None
            left_out[REPLACED] += 1
    return ids


def _mapping(path: Path) -> dict[Any, Any]:
    if path.suffix == ".sqlite":
        return _from_database(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    value = read_pickle(data, path)
    if type(value) is not dict:
        raise refused(path, f"holds a {type(value).__name__} where a dict belongs")
    return value


def _from_database(path: Path) -> dict[Any, Any]:
    with opened(path) as database:
        if columns_of(path, database, "unnamed") != ["key", "value"]:
            raise refused(path, "is no SqliteDict: its table has other columns than key and value")
        found: dict[Any, Any] = {}
        for key, value in database.execute("SELECT key, value FROM unnamed"):
            if not isinstance(value, bytes):
                raise refused(path, "is no SqliteDict: a value is no pickle")
            found[key] = read_pickle(value, path)
    return found


def _position(path: Path, value: object) -> int:
    # SqliteDict makes strings of its keys.
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 16:
        return int(value)
    if type(value) is int and value >= 0:
        return value
    raise refused(path, f"names the passage {str(value)[:40]!r}: positions from 0 on are needed")


def _identifier(path: Path, value: object) -> str:
    if type(value) is int:
        return str(value)
    if type(value) is str:
        return value
    raise refused(path, f"has an id of type {type(value).__name__}: str is needed")
