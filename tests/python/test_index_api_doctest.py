"""The examples in the docstrings run, each on an index of its own."""

from __future__ import annotations

import doctest
import importlib
from typing import TYPE_CHECKING

import pytest
import weft

if TYPE_CHECKING:
    from hashing import Hashing

MODULES = ["weft", "weft.index", "weft.reranking", "weft.runs", "weft.inputs"]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples() -> list[doctest.DocTest]:
    found = [
        test for module in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(module))
    ]
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_example(test: doctest.DocTest, index: weft.Index, encoder: Hashing) -> None:
    test.globs = {**test.globs, "index": index, "encoder": encoder, "weft": weft}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)
