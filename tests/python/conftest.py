"""Fixtures of the Python suite: an encoder that needs no model, and small indexes made with it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import weft
from hashing import Hashing
from weft.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hashing encoder be what every name opens."""

    def open_encoder(model: str | None, threads: int | None, *, offline: bool | None = None) -> Hashing:
        return Hashing("hashing" if model is None else model)

    monkeypatch.setattr("weft.encoding.open_encoder", open_encoder)


@pytest.fixture
def run(bundled: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command in this process."""

    def command(*arguments: object) -> Outcome:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        said = capsys.readouterr()
        return Outcome(status, said.out, said.err)

    return command


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in memory, where there is one: thousands of synchronisations take their time on a disk."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path_factory.mktemp("memory").resolve()
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)
