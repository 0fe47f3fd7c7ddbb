"""How much of exhaustive MaxSim the search finds: what the search loses, whatever the model is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput
from weft.evaluation.asking import Told, searched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weft.index import Index
    from weft.ingest import Progress

__all__ = ["Agreement", "agreement_of"]

_TOP = 10
_DEPTH = 100
# Exhaustive search takes a third of a second a query at a million tokens: few at a time show progress.
_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the search finds of the best documents by exhaustive MaxSim over the same vectors.

    Attributes
    ----------
    queries : int
        Queries compared.
    k : int
        Results the search was asked for: the more, the more it looks at.
    overlap_at_10 : float
        Share of the exhaustive top 10 that is in the top 10, mean over the queries.
    recall_at_100 : float
        Share of the exhaustive top 100 that is in the top 100.
    """

    queries: int
    k: int
    overlap_at_10: float
    recall_at_100: float


def agreement_of(
    index: Index,
    texts: Sequence[str],
    k: int,
    parameters: Mapping[str, Any],
    most: int,
    progress: Progress | None,
) -> Agreement | None:
    """Compare the semantic search among these parameters with exhaustive search, documents by best passage.

    Parameters
    ----------
    index : Index
        The index.
    texts : sequence of str
        The queries.
    k : int
        Results the search is asked for, at least 100; its defaults depend on it.
    parameters : dict
        Those of `weft.Index.search`.
    most : int
        How many queries at most.
    progress : callable, optional
        Called with stage, done and total.

    Returns
    -------
    Agreement or None
        None when there is nothing to compare: a keyword search has no MaxSim, an exact one is exhaustive.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise InvalidInput(f"agreement is {most!r}: a number of queries is needed, 0 for none")
    if parameters["mode"] == "keyword" or parameters["exact"]:
        return None
    sample = _spread(texts, most)
    wide = max(k, _DEPTH)
    told = Told(progress, "compare", len(sample))
    only = {"filter": parameters["filter"], "group": "document", "texts": False}
    names = ("nprobe", "ndocs", "centroid_score_threshold")
    search = {name: parameters[name] for name in names} | only
    best = searched(index, sample, _DEPTH, {**only, "exact": True}, together=_TOGETHER)
    found = searched(index, sample, wide, search, together=_TOGETHER)
    top: list[float] = []
    deep: list[float] = []
    done = 0
    for true_ones, our_ones in zip(best, found, strict=True):
        for (_, true), (_, ours) in zip(true_ones, our_ones, strict=True):
            if true:
                names_of, others = [hit.id for hit in true], [hit.id for hit in ours]
                top.append(_share(names_of[:_TOP], others[:_TOP]))
                deep.append(_share(names_of, others[:_DEPTH]))
        done += len(true_ones)
        told(done)
    if not top:
        return None
    return Agreement(len(top), wide, sum(top) / len(top), sum(deep) / len(deep))


def _spread(queries: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Choose at most so many, spread evenly, so that the same ones are chosen every time."""
    count = min(len(queries), most)
    return [("", queries[place * len(queries) // count]) for place in range(count)]


def _share(true: Sequence[str], found: Sequence[str]) -> float:
    return len(set(true) & set(found)) / len(true)
