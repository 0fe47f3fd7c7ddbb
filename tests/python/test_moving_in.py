"""Weft's column of the guide's page for people who move in runs as it is written there.

The other column needs the other libraries; `tests/reference/moving_in/run.py` runs both.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import weft
from hashing import DIM, Hashing

sys.path.append(str(Path(__file__).parents[1] / "reference" / "moving_in"))
page: Any = importlib.import_module("page")

LIBRARIES = ["colbert-ai", "RAGatouille", "PyLate", "fast-plaid"]


def test_the_page_has_these_libraries() -> None:
    headings = [line[8:] for line in page.PAGE.read_text().splitlines() if line.startswith("## From ")]
    assert headings == LIBRARIES
    assert all(len(page.rows(library)) >= 5 for library in LIBRARIES)


class Cutting(Hashing):
    """The toy encoder with the one option of `weft.Encoder` that the page uses."""

    def encode_document(self, texts: list[str], truncate: bool = False) -> list[np.ndarray]:
        return super().encode_document(texts)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_right_column(library: str, tmp_path: Path, bundled: None, monkeypatch) -> None:
    monkeypatch.setattr(weft.Encoder, "open", Cutting)
    space = page.names(str(tmp_path), "hashing")
    # The toy reads few words, and a question of the first passage's words is about the first passage.
    texts = space["TEXTS"] = [" ".join(text.split()[:8]) for text in space["TEXTS"]]
    space["QUERY"] = texts[0]
    if library == "fast-plaid":
        vectors = np.eye(DIM, dtype=np.float32)
        space["D"] = [vectors[[n % DIM, n // DIM]] for n in range(len(texts))]
        space["Q"] = [space["D"][0]]
    page.run(library, 1, space)
    hits = space["hits"] if "hits" in space else space["found"][0]
    assert len(hits) == 10
    assert hits[0].id == space["IDS"][0] or hits[0].text == texts[0]
    if library == "colbert-ai":
        assert space["best"] == texts[0]
        assert space["several"][0][0].text == texts[0]
    if library in ("PyLate", "fast-plaid"):
        assert not set(space["IDS"][5:7]) & set(space["index"])
        assert len(space["index"]) == len(texts) - 2
    if library == "fast-plaid":
        years = {space["METADATA"][space["IDS"].index(hit.id)]["year"] for hit in space["filtered"][0]}
        assert len(space["filtered"][0]) == 5
        assert min(years) >= 2020
    if "reranked" in space:
        assert space["reranked"][0].index == 0
