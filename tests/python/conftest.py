"""Fixtures of the Python suite: an encoder that needs no model, and small indexes made with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import weft
from hashing import Hashing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXTS = {
    "a": "the shuttle carries the weft",
    "b": "warp threads are held under tension",
    "c": "a sail catches the wind",
}


@pytest.fixture
def encoder() -> Hashing:
    return Hashing()


@pytest.fixture
def index(tmp_path: Path, encoder: Hashing) -> Iterator[weft.Index]:
    with weft.open(tmp_path / "toy.weft", create=True, encoder=encoder) as opened:
        opened.add(TEXTS.values(), ids=TEXTS.keys())
        yield opened
