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

__all__ = ["passages_file", "questions"]


def passages_file() -> AbstractContextManager[Path]:
    """Give the path of the passages, a .jsonl file that `weft index` takes too."""
    return as_file(files(__name__).joinpath("passages.jsonl"))


def questions() -> list[str]:
    """Read the questions, which were chosen before anything was searched for."""
    lines = files(__name__).joinpath("questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]
