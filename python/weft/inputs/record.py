"""One document as a file gives it, and the checks that every kind of file shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Record", "check_text", "malformed"]


def malformed(file: str, line: int, problem: str) -> InvalidInput:
    """Make the error for one line: where first, as compilers say it, so that editors can jump there."""
    return InvalidInput(f"{file}:{line}: {problem}")


def check_text(file: str, line: int, name: str, value: str) -> None:
    """Raise `InvalidInput` for a string that is not text: JSON can write half a surrogate pair."""
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        raise malformed(file, line, f"the {name} has half a surrogate pair, which is not text") from None


@dataclass(frozen=True, slots=True)
class Record:
    """One document of an input file.

    Attributes
    ----------
    file : str
        The file as it was named on the way in.
    line : int
        Where in it the document begins, from 1.
    id : str or None
        Its id; None when the input has none and none can be made that stays the same.
    text : str
        Its text, with something visible in it.
    title : str or None
        Its title.
    metadata : dict
        Everything else that was given.

    Raises
    ------
    InvalidInput
        The text is blank, the id cannot be one, or something is not text.
    """

    file: str
    line: int
    id: str | None
    text: str
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in (("id", self.id), ("title", self.title), ("text", self.text)):
            if value is not None:
                check_text(self.file, self.line, name, value)
        if not self.text.strip():
            raise malformed(self.file, self.line, "the text is empty: leave the document out")
        if self.id is not None:
            if not self.id.strip():
                raise malformed(self.file, self.line, "the id is empty")
            if any(character in self.id for character in "\t\n\r\0"):
                raise malformed(self.file, self.line, f"the id {self.id!r} has a tab or a line end")
