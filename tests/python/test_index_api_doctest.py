"""The examples in the docstrings, in the guide and in the README run, each on an index of its own."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import weft

if TYPE_CHECKING:
    from hashing import Hashing

MODULES = [
    "weft",
    "weft.encoder.encoder",
    "weft.encoder.known",
    "weft.encoder.settings",
    "weft.evaluation",
    "weft.evaluation.answer_match",
    "weft.evaluation.answers",
    "weft.evaluation.judging",
    "weft.exports.documents",
    "weft.exports.plaid.exporting",
    "weft.exports.plaid.tensor_file",
    "weft.filters",
    "weft.hub",
    "weft.imports.importing",
    "weft.index",
    "weft.inputs",
    "weft.metadata",
    "weft.model_export.export",
    "weft.profile",
    "weft.reading",
    "weft.repairing",
    "weft.reranking",
    "weft.runs",
    "weft.searching",
    "weft.writing",
]
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "python" / "guide"
README = ROOT / "README.md"
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


def test_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    exec("\n".join(blocks), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 a ")
    assert "1 a {'semantic': Part(rank=1, score=" in "\n".join(lines)
    assert lines[-1] == "2 []"
