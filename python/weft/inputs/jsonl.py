"""JSON lines: one object a line; blank lines are passed over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from weft.inputs.record import Record, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.inputs.fields import Fields
    from weft.inputs.source import Source

__all__ = ["objects", "read_jsonl"]


def read_jsonl(source: Source, fields: Fields) -> Iterator[Record]:
    """Read documents; see `Fields` for the keys.

    Raises
    ------
    InvalidInput
        A line is no JSON object, or lacks what a document needs.
    """
    for number, values in objects(source):
        yield fields.record(source, number, values)


def objects(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """Parse the objects of a file, with their line numbers."""
    for number, line in source.lines():
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
        except json.JSONDecodeError as error:
            raise malformed(
                source.shown, number, f"not JSON at character {error.colno}: {error.msg}"
            ) from error
        except (ValueError, RecursionError) as error:
            raise malformed(source.shown, number, f"not usable JSON: {error}") from error
        if not isinstance(value, dict):
            raise malformed(source.shown, number, "not a JSON object: one object a line is needed")
        yield number, value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return values
