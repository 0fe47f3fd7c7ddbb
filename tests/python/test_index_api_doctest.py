"""The examples in the docstrings and in the guide run, each on an index of its own."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import weft

if TYPE_CHECKING:
    from hashing import Hashing

MODULES = [
    "weft",
    "weft.filters",
    "weft.index",
    "weft.inputs",
    "weft.metadata",
    "weft.reading",
    "weft.reranking",
    "weft.runs",
    "weft.searching",
    "weft.writing",
]
GUIDE = Path(__file__).parents[2] / "python" / "guide"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples() -> list[doctest.DocTest]:
    found = [
        test for module in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(module))
    ]
    parser = doctest.DocTestParser()
    for page in sorted(GUIDE.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        found.append(parser.get_doctest(text, {}, page.name, str(page), 0))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_example(test: doctest.DocTest, index: weft.Index, encoder: Hashing) -> None:
    test.globs = {**test.globs, "index": index, "encoder": encoder, "weft": weft}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)
