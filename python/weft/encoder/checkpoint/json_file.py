"""A JSON file of a checkpoint, read key by key: a value of the wrong type is an error that names the file."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.errors import ModelError
from weft.places import is_special

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JsonFile", "read_json"]

_SHOWN = 80  # Characters of a wrong value in a message: some files hold megabytes.


def read_json(path: Path) -> Any:
    """Parse a file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ModelError
        If it is no JSON, or holds half a surrogate pair, which is no text that a tokenizer takes.
    """
    if is_special(path):
        raise ModelError(f"{path}: is a pipe or a device, no file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(content, ensure_ascii=False).encode()
    except FileNotFoundError:
        raise
    except UnicodeEncodeError:
        raise ModelError(f"{path}: holds half a surrogate pair, which is not text") from None
    # RecursionError: brackets within brackets without end.
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    return content


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON object and the file it came from.

    Attributes
    ----------
    path : Path
        The file; it need not exist, see `read`.
    content : dict
        The object.
    """

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> JsonFile:
        """Read a file; one that is not there is an empty object.

        Raises
        ------
        ModelError
            If it is no JSON object.
        """
        try:
            content = read_json(path)
        except FileNotFoundError:
            return cls(path, {})
        if not isinstance(content, dict):
            raise ModelError(f"{path}: holds a {type(content).__name__} where an object belongs")
        return cls(path, content)

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def get(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """Return a key's value, the default when it is absent or null.

        Raises
        ------
        ModelError
            If the value has another type.
        """
        value = self.content.get(key)
        if value is None:
            return default
        kinds = kind if isinstance(kind, tuple) else (kind,)
        # bool is an int in Python: a length of `true` is nonsense all the same.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            expected = " or ".join(one.__name__ for one in kinds)
            raise ModelError(f"{self.path}: {key} is {_shown(value)}, expected {expected}")
        return value

    def count(self, key: str, default: int, *, least: int = 1, most: int) -> int:
        """Return a whole number that sizes are made of, and so is checked before anything is made.

        Raises
        ------
        ModelError
            If the value is no whole number from `least` to `most`.
        """
        value: int = self.get(key, int, default)
        if not least <= value <= most:
            raise ModelError(f"{self.path}: {key} is {_shown(value)}, outside {least} to {most}")
        return value

    def positive(self, key: str, default: float) -> float:
        """Return a number above 0.

        Raises
        ------
        ModelError
            If the value is no number, not above 0, or not finite.
        """
        value: float = self.get(key, (float, int), default)
        if not 0 < value <= sys.float_info.max:
            raise ModelError(f"{self.path}: {key} is {_shown(value)}, expected a number above 0")
        return float(value)

    def within(self, key: str) -> JsonFile:
        """Return the object under a key, an empty one when it is absent or null."""
        return JsonFile(self.path, self.get(key, dict, {}))

    def token(self, key: str) -> str | None:
        """Return a special token of a tokenizer's file, which is its text or an object that has it."""
        value: str | dict[str, Any] | None = self.get(key, (str, dict), None)
        if isinstance(value, dict):
            value = JsonFile(self.path, value).get("content", str, None)
        return value if isinstance(value, str) else None

    def strings(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the list of strings under a key."""
        return self._all(key, str, default)

    def integers(self, key: str) -> tuple[int, ...]:
        """Return the list of whole numbers under a key, nothing when it is absent."""
        return self._all(key, int, ())

    def _all(self, key: str, kind: type, default: tuple[Any, ...]) -> tuple[Any, ...]:
        values = self.get(key, list, list(default))
        if not all(isinstance(one, kind) and not isinstance(one, bool) for one in values):
            raise ModelError(f"{self.path}: {key} holds something that is no {kind.__name__}")
        return tuple(values)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
