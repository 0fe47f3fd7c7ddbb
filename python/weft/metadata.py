"""Metadata as it is stored: the JSON text of one object.

What the caller gave is kept as text, and a change of one key leaves the text of the others as it is: a
number with twenty digits, or one written 1.0, is not read and written again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from weft.errors import InvalidInput

__all__ = ["as_metadata", "merged", "parsed"]

# Finds where a value ends without making numbers of it.
_SKIM = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_BLANKS = " \t\n\r"


def as_metadata(value: object, name: str) -> str | None:
    """Write metadata as JSON.

    Parameters
    ----------
    value : dict or None
        Anything JSON can hold, under keys that are str.
    name : str
        What the error calls it.

    Returns
    -------
    str or None
        None for an empty dict too: the two come back as the same.

    Raises
    ------
    InvalidInput
        It is no dict, or JSON cannot hold it.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{name} is a {type(value).__name__}: a dict is needed")
    for key in value:
        if not isinstance(key, str):
            raise InvalidInput(f"{name} has the key {key!r}: keys are str")
    try:
        text = json.dumps(dict(value), ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{name} has half a surrogate pair at character {error.start}, which is not text: "
            "decode it again from its source"
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} cannot be written as JSON: {error}") from error
    return None if text == "{}" else text


def parsed(metadata: str | None) -> dict[str, Any]:
    """Read metadata as the caller gets it."""
    return {} if metadata is None else json.loads(metadata)


def merged(stored: str | None, changes: str | None, removed: frozenset[str] = frozenset()) -> str | None:
    """Set some keys and take others away.

    Parameters
    ----------
    stored : str or None
        The metadata as it is.
    changes : str or None
        Keys to set with their values.
    removed : frozenset of str
        Keys to take away before.

    Returns
    -------
    str or None
        The new metadata; None when no key is left.

    Examples
    --------
    >>> merged('{"price": 1.10, "old": 1}', '{"new": [true]}', frozenset({"old"}))
    '{"price": 1.10, "new": [true]}'
    """
    members = {key: text for key, text in _members(stored).items() if key not in removed}
    members |= _members(changes)
    if not members:
        return None
    return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {members[key]}" for key in members) + "}"


def _members(text: str | None) -> dict[str, str]:
    """Take an object apart: the text of each value by its key."""
    members: dict[str, str] = {}
    if text is None:
        return members
    at = _past(text, 0, "{")
    while text[at] != "}":
        key, at = _SKIM.raw_decode(text, at)
        at = _past(text, at, ":")
        _, end = _SKIM.raw_decode(text, at)
        members[key] = text[at:end]
        at = _past(text, end, ",")
    return members


def _past(text: str, at: int, mark: str) -> int:
    """Skip blanks, the mark if it is there, and blanks again."""
    while text[at] in _BLANKS:
        at += 1
    if text[at] == mark:
        at += 1
    while text[at] in _BLANKS:
        at += 1
    return at
