"""Asking an index many queries, so that all cores work and progress shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from weft.index import Index
    from weft.ingest import Progress

__all__ = ["Told", "searched"]

# Queries per call: enough to keep all cores busy, few enough to be interrupted between.
_TOGETHER = 64


def searched(
    index: Index,
    queries: Sequence[tuple[str, str]],
    k: int,
    parameters: Mapping[str, Any],
    *,
    together: int = _TOGETHER,
) -> Iterator[list[tuple[str, Any]]]:
    """Ask queries, given with a name each, some at a time; give the names with the hits."""
    for first in range(0, len(queries), together):
        some = queries[first : first + together]
        found = index.search([text for _, text in some], k, **parameters)
        yield [(query, hits) for (query, _), hits in zip(some, found, strict=True)]


class Told:
    """Report how much of one stage is done."""

    def __init__(self, progress: Progress | None, stage: str, total: int) -> None:
        self._progress, self._stage, self._total = progress, stage, total

    def __call__(self, done: int) -> None:
        """Report that so much is done."""
        if self._progress is not None:
            self._progress(self._stage, done, self._total)
