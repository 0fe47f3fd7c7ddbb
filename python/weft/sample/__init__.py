"""A sample of real passages and questions, for `weft demo` and for trying things out.

README.md beside this file tells where they come from and under which licence.
"""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["judged_questions", "passages", "passages_file", "questions"]


def passages_file() -> AbstractContextManager[Path]:
    """Give the path of the passages, a .jsonl file that `weft index` takes too."""
    return as_file(files(__name__).joinpath("passages.jsonl"))


def passages() -> list[dict[str, str]]:
    """Read the passages: ``id``, ``title`` and ``text`` of each."""
    return _records("passages.jsonl")


def judged_questions() -> list[dict[str, str]]:
    """Read the questions: ``id``, ``text``, and the ``passage`` that holds the answer."""
    return _records("questions.jsonl")


def questions() -> list[str]:
    """Read the questions' texts, which were chosen before anything was searched for."""
    return [question["text"] for question in judged_questions()]


def _records(name: str) -> list[dict[str, str]]:
    lines = files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
