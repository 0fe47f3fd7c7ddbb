"""Exhaustive MaxSim by NumKong's kernel: passages packed once, one call a passage, since it has no call for many.

Its kernel screens with int8 and refines the best, so its scores are not quite float32's. It gives a sum of angular distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.exhaustive import Exhaustive, best

if TYPE_CHECKING:
    from pathlib import Path


class NumKong(Exhaustive):
    packages = ("numkong", "numpy")
    exact = False

    def load(self) -> None:
        import numkong

        self.numkong = numkong

    def open(self, path: Path, threads: int) -> None:
        self.packed = [
            self.numkong.maxsim_pack(np.ascontiguousarray(m)) for m in self.vectors(path).passages()
        ]

    def search(self, query: Any, k: int) -> Any:
        score = self.numkong.maxsim_packed
        packed = self.numkong.maxsim_pack(query)
        distances = np.array([score(packed, passage) for passage in self.packed], np.float32)
        return best(np.float32(len(query)) - distances, k)


ENGINE = NumKong
