"""From a Python dict to a filter that the engine reads, which is JSON.

The language itself is the engine's: what an operator means and which there are is decided there, once.
Here only Python values become JSON values, because JSON has no word for a set or a date, and
because an error should name the place in the dict that the user wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

from weft import _core
from weft.errors import InvalidFilter

__all__ = ["Filter", "as_filter"]

Filter = Mapping[str, Any]
"""Conditions on metadata, as in ``{"year": {"gte": 2020}, "lang": ["en", "fr"]}``."""


def as_filter(filter: Filter | None) -> str | None:  # noqa: A002  what it is everywhere
    """Write a filter as JSON.

    Parameters
    ----------
    filter : dict or None
        The filter. Tuples count as lists; sets may stand where a list of values may.

    Returns
    -------
    str or None
        JSON, or None when there is no filter.

    Raises
    ------
    InvalidFilter
        A value is none that JSON has, or the filter says what the language does not know.

    Examples
    --------
    >>> as_filter({"lang": ("en", "fr")})
    '{"lang": ["en", "fr"]}'
    >>> import datetime
    >>> as_filter({"made": {"gte": datetime.date(2024, 5, 1)}})
    Traceback (most recent call last):
        ...
    weft.errors.InvalidFilter: filter['made']['gte'] is a date: keep dates as ISO strings ...
    """
    if filter is None:
        return None
    if not isinstance(filter, Mapping):
        raise InvalidFilter(f"filter is a {type(filter).__name__}: a dict of keys and conditions is needed")
    try:
        text = json.dumps(_value(filter, "filter"), ensure_ascii=False)
        text.encode()
    except RecursionError:
        raise InvalidFilter("filter is nested too deep, or contains itself") from None
    except UnicodeEncodeError:
        raise InvalidFilter("filter has half a surrogate pair in a string, which is not text") from None
    _core.parse_filter(text)
    return text


def _value(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        return {_key(key, place): _value(inner, f"{place}[{key!r}]") for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(inner, f"{place}[{position}]") for position, inner in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        # In any fixed order, so that equal filters are equal texts.
        return sorted((_scalar(inner, place) for inner in value), key=lambda inner: (str(type(inner)), inner))
    return _scalar(value, place)


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise InvalidFilter(f"{place} has the key {key!r}: keys are str")
    return key


def _scalar(value: Any, place: str) -> Any:
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidFilter(f"{place} is {value}: no document can have it, for JSON has not")
        return value
    kind = type(value).__name__
    if isinstance(value, (date, time, timedelta)):
        raise InvalidFilter(
            f"{place} is a {kind}: keep dates as ISO strings or numbers, and compare with the same"
        )
    raise InvalidFilter(f"{place} is a {kind}: only what JSON can hold can be compared")
