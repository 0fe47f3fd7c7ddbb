"""An encoder without a model: a word's vector follows from the word alone.

Equal words have cosine 1 and others nearly none, so that rankings can be foretold by reading. It
splits long texts and names its tokens as `weft.Encoder` does, and `Plain` shows the engine what a
foreign encoder is.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DIM = 32
LIMIT = 12


@dataclass(frozen=True)
class Token:
    text: str
    start: int | None
    end: int | None
    kept: bool


def vector(word: str) -> np.ndarray:
    values = np.random.default_rng(zlib.crc32(word.lower().encode())).standard_normal(DIM)
    return (values / np.linalg.norm(values)).astype(np.float32)


class Plain:
    """Two methods and nothing more."""

    def encode_query(self, texts: list[str]) -> list[np.ndarray]:
        return [self._matrix(text) for text in texts]

    def encode_document(self, texts: list[str]) -> list[np.ndarray]:
        return [self._matrix(text) for text in texts]

    def _matrix(self, text: str) -> np.ndarray:
        return np.stack([vector("[CLS]")] + [vector(word) for word in re.findall(r"\w+", text)])


class Hashing(Plain):
    """Everything `weft.Encoder` has, over words."""

    dim = DIM

    def __init__(self, name: str = "hashing") -> None:
        self.name = name
        self.longest_window = 0

    def describe(self) -> dict[str, object]:
        fingerprint = f"{self.name}-fingerprint"
        return {"name": self.name, "dim": DIM, "fingerprint": fingerprint, "path": "default"}

    def iter_documents(
        self, texts: Iterable[str], *, truncate: bool = False, batch_size: int = 4
    ) -> Iterator[np.ndarray]:
        window: list[str] = []
        for text in texts:
            if truncate:
                text = " ".join(text.split()[:LIMIT])
            assert len(re.findall(r"\w+", text)) <= LIMIT, f"not split: {text}"
            window.append(text)
            self.longest_window = max(self.longest_window, len(window))
            if len(window) == batch_size:
                yield from self.encode_document(window)
                window = []
        yield from self.encode_document(window)

    def split(self, text: str, title: str | None = None) -> list[tuple[int, int]]:
        words = list(re.finditer(r"\w+", text))
        room = LIMIT - len(re.findall(r"\w+", title or ""))
        return [
            (words[first].start(), words[min(first + room, len(words)) - 1].end())
            for first in range(0, len(words), room)
        ]

    def tokens(self, text: str, kind: str) -> list[Token]:
        words = re.finditer(r"\w+", text)
        return [
            Token("[CLS]", None, None, True),
            *(Token(word.group(), word.start(), word.end(), True) for word in words),
        ]
