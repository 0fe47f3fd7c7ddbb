"""Which keys of a JSON object, or columns of a table, are id, title and text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.inputs.record import Record, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.inputs.source import Source

__all__ = ["Fields"]


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields; of several the first that is there counts.

    What is not named here, and is not a nested ``metadata`` object, becomes metadata under its own
    name.
    """

    id: tuple[str, ...] = ("id", "_id")
    title: tuple[str, ...] = ("title",)
    text: tuple[str, ...] = ("text",)

    def record(self, source: Source, line: int, values: Mapping[str, Any]) -> Record:
        """Sort the values of one object or row into a record.

        A document that has a title and a blank text, as some collections do, is its title.

        Raises
        ------
        InvalidInput
            Something is missing or not what it must be.
        """
        rest = dict(values)
        given = self._take(rest, self.id)
        title = self._text(source, line, "title", self._take(rest, self.title))
        text = self._text(source, line, "text", self._take(rest, self.text))
        if text is None:
            keys = ", ".join(repr(key) for key in values) or "none"
            raise malformed(source.shown, line, f"there is no {self.text[0]!r}; the fields are {keys}")
        if title is not None and not title.strip():
            title = None
        if title is not None and not text.strip():
            text, title = title, None
        self._merge(source, line, rest)
        return Record(source.shown, line, self._id(source, line, given), text, title, rest)

    @staticmethod
    def _take(rest: dict[str, Any], names: tuple[str, ...]) -> object:
        for name in names:
            # A null says that there is none, and is no metadata either.
            value = rest.pop(name, None)
            if value is not None:
                return value
        return None

    @staticmethod
    def _text(source: Source, line: int, what: str, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        raise malformed(source.shown, line, f"the {what} is {_named(value)} and not a string")

    @staticmethod
    def _id(source: Source, line: int, value: object) -> str | None:
        if value is None:
            # The same line of the same file is the same document when the file is read again.
            return None if source.name is None else f"{source.name}:{line}"
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise malformed(source.shown, line, f"the id is {_named(value)} and not a string")

    @staticmethod
    def _merge(source: Source, line: int, rest: dict[str, Any]) -> None:
        """Lift a nested ``metadata`` object, as BEIR collections have it, among the other keys."""
        if rest.get("metadata", "") is None:
            del rest["metadata"]
        nested = rest.get("metadata")
        if not isinstance(nested, dict):
            return
        del rest["metadata"]
        for key, value in nested.items():
            if key in rest:
                raise malformed(
                    source.shown,
                    line,
                    f"{key!r} stands in the object and in its metadata: rename one",
                )
            rest[key] = value


def _named(value: object) -> str:
    kinds: dict[type, str] = {bool: "a boolean", dict: "an object", list: "a list", str: "a string"}
    if isinstance(value, float) and math.isfinite(value):
        return f"the number {value}"
    return kinds.get(type(value), "a number")
