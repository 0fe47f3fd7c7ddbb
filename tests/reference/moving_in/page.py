"""The tables of `python/guide/moving-in.md` as programs: the left column is one, the right column another.

Nothing here is beyond the standard library: it runs in the environments of the other libraries too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "python" / "guide" / "moving-in.md"
SAMPLE = ROOT / "python" / "weft" / "sample" / "passages.jsonl"

COUNT = 200
"""Passages of the sample that are indexed: colbert-ai's clustering fails on much fewer."""
QUERY = "Which legend was the story of Shakespeare's Hamlet derived from?"

_ROW = re.compile(r"^\| (?!---)(.+?) \| (.+?) \|$", re.MULTILINE)


def rows(library: str) -> list[tuple[list[str], list[str]]]:
    """Return the statements of both cells of every row of a library's table, without its head."""
    text = PAGE.read_text(encoding="utf-8")
    _, _, rest = text.partition(f"## From {library}\n")
    section, _, _ = rest.partition("\n## ")
    found = [tuple(re.findall(r"`([^`]+)`", cell) for cell in row) for row in _ROW.findall(section)]
    return [(left, right) for left, right in found if left or right]


def names(folder: str, checkpoint: str) -> dict[str, object]:
    """Return what every row may use."""
    with SAMPLE.open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line, _ in zip(file, range(COUNT), strict=False)]
    return {
        "TEXTS": texts,
        "IDS": [f"p{number}" for number in range(len(texts))],
        "METADATA": [{"year": 2000 + number % 30} for number in range(len(texts))],
        "QUERY": QUERY,
        "CHECKPOINT": checkpoint,
        "FOLDER": folder,
    }


def run(library: str, side: int, space: dict[str, object]) -> None:
    """Run one column, 0 the left and 1 the right, row by row in one name space."""
    for row in rows(library):
        for statement in row[side]:
            exec(compile(statement, f"{PAGE.name}: {library}: {statement}", "exec"), space)
