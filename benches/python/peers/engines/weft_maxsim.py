"""Exhaustive MaxSim by Weft's float32 kernel, what `weft.rerank` uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.exhaustive import Exhaustive, best

if TYPE_CHECKING:
    from pathlib import Path


class WeftMaxSim(Exhaustive):
    packages = ("weft", "numpy")

    def load(self) -> None:
        from weft import _core

        self.core = _core

    def open(self, path: Path, threads: int) -> None:
        self.passages = list(self.vectors(path).passages())

    def search(self, query: Any, k: int) -> Any:
        return best(np.array(self.core.maxsim(query, self.passages), np.float32), k)


ENGINE = WeftMaxSim
