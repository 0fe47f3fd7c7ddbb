"""Weft, by the layer below `weft.Index`, which takes vectors as matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vectors import Vectors

# nprobe, ndocs.
TRIED = [(1, 64), (1, 128), (1, 256), (2, 128), (2, 256), (2, 512), (4, 256), (4, 512)]
TRIED += [(4, 1024), (8, 1024), (8, 4096), (16, 4096), (32, 8192)]
SOME = 2000  # Passages handed over at once.


class Weft(Engine):
    packages = ("weft", "numpy")
    builds = {"2 bits": {}, "1 bit": {"nbits": 1}, "4 bits": {"nbits": 4}}
    sweep = [{}] + [{"nprobe": nprobe, "ndocs": ndocs} for nprobe, ndocs in TRIED]

    def load(self) -> None:
        import weft
        from weft import _core

        assert weft.__version__ == _core.__version__
        self.core = _core

    def build(self, given: Vectors, path: Path, threads: int, **settings: Any) -> None:
        index = self.core.Index.open(path, create=True, threads=threads, **settings)
        writer = index.begin()
        starts, lengths = given.starts, given.lengths
        for first in range(0, len(lengths), SOME):
            part = lengths[first : first + SOME].tolist()
            none: list[str | None] = [None] * len(part)
            matrix = np.ascontiguousarray(given.documents[starts[first] : starts[first] + sum(part)])
            ids = [str(first + i) for i in range(len(part))]
            writer.add(ids, none, none, none, [[] for _ in part], part, matrix)
        writer.commit()
        index.close()

    def open(self, path: Path, threads: int) -> None:
        self.index = self.core.Index.open(path, read_only=True, threads=threads)

    def search(self, query: Any, k: int) -> Any:
        return self.index.search([query], k, texts=False, **self.parameters)[0]

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        return self.index.search(list(queries), k, texts=False, **self.parameters)

    def hits(self, found: Any) -> list[tuple[int, float]]:
        return [(int(hit[0]), hit[1]) for hit in found]


ENGINE = Weft
