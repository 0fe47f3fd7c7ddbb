"""What the bench asks of an engine. A module of this package has one subclass, named ENGINE, and imports its library in `load` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from vectors import Vectors

    Hits = Iterable[tuple[int, float]]


class Engine:
    """An engine, how it is built, and what is swept.

    Attributes
    ----------
    packages : tuple of str
        Distributions whose versions are reported.
    builds : dict
        Settings of every index that is made, under the name it has in tables; the first is the engine's default.
    sweep : list of dict
        Search parameters to try; `{}`, the engine's defaults, stands first.
    exact : bool
        Whether the engine is exhaustive over uncompressed vectors, so that its scores must be the truth's.
    """

    packages: tuple[str, ...] = ()
    builds: dict[str, dict[str, Any]] = {}
    sweep: list[dict[str, Any]] = [{}]
    exact = False

    def load(self) -> None:
        """Import the library."""

    def given(self, vectors: Vectors) -> Any:
        """Read the passages in the form that `build` wants; not timed."""
        return vectors

    def build(self, given: Any, path: Path, threads: int, **settings: Any) -> None:
        """Make an index at a directory that is there and empty, and let go of it."""
        raise NotImplementedError

    def open(self, path: Path, threads: int) -> None:
        """Open the index at a path, ready for searches."""
        raise NotImplementedError

    def query(self, matrix: np.ndarray) -> Any:
        """Give a query, float32 [tokens, dim], the type that the library takes; not timed."""
        return matrix

    def tune(self, parameters: dict[str, Any]) -> None:
        """Set parameters for the searches that follow; not timed."""
        self.parameters = parameters

    def search(self, query: Any, k: int) -> Any:
        """Search with one query and return what the library returns."""
        raise NotImplementedError

    def search_batch(self, queries: Sequence[Any], k: int) -> list[Any]:
        """Search with many queries in one call; engines without such a call take them one by one."""
        return [self.search(query, k) for query in queries]

    def hits(self, found: Any) -> Hits:
        """Give number and score of every passage found, the best first; not timed."""
        return found


def grid(**values: Sequence[Any]) -> list[dict[str, Any]]:
    """All combinations of the values of some parameters."""
    rows: list[dict[str, Any]] = [{}]
    for name, some in values.items():
        rows = [row | {name: value} for row in rows for value in some]
    return rows
