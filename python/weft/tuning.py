"""Finding the cheapest search that is good enough: on the user's own index, with the user's own queries.

The truth is exhaustive MaxSim over the vectors that the index holds; what a search finds of its best `k`
is its overlap. Two numbers decide what a search costs, `nprobe` and `ndocs`. The more of either, the
more is found, so for every `nprobe` there is a least `ndocs` that is good enough, and greater `nprobe`
need smaller ones: a staircase, which is walked down from the left. The few steps on it are then timed in
turns, and the quickest wins. PLAID's third number, the centroid score threshold, is not among them: its
stages with their exact cuts cost more than they save (on 2,180 passages of Wikipedia 1.10 ms for an overlap
of 0.972 with 0.4, nprobe 8, ndocs 192; 0.58 ms for the same without it, with nprobe 2 and ndocs 384).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from weft.counts import as_count
from weft.encoding import encode_queries, is_text
from weft.errors import InvalidInput, ReadOnlyIndex
from weft.evaluation.asking import Told
from weft.matrices import as_matrices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from weft import _core
    from weft.index import Index
    from weft.ingest import Progress
    from weft.matrices import Matrix

__all__ = ["LEAST_QUERIES", "Measured", "Tuning", "cheapest", "measure", "tune"]

LEAST_QUERIES = 20
"""Queries below which nothing is tuned: the standard error of ten results each would be about 0.03."""

_NPROBE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
# Steps of about the square root of two: finer ones differ by less than the queries can tell.
_NDOCS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
_MORE_NDOCS = (12288, 16384, 24576, 32768, 49152, 65536)
# Queries whose time is taken, and how often: a query's time is its least, which other work spoils last.
_TIMED, _TIMES = 100, 3
# Times closer than this are the same time: the work decides, which does not change from run to run.
_SAME = 1.03
# Exhaustive search takes a third of a second a query at a million tokens: few at a time show progress.
_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """What a search with certain parameters finds, and what it costs.

    Attributes
    ----------
    nprobe, ndocs : int
        The parameters.
    overlap : float
        Share of the best `k` of exhaustive MaxSim that it finds, mean over the queries.
    standard_error : float
        Standard error of that mean.
    milliseconds : float
        Median time of one query on the index's threads, without encoding.
    work : tuple of int
        Tokens scored with residuals, tokens of the centroid interaction and cells, of all queries.
    """

    nprobe: int
    ndocs: int
    overlap: float
    standard_error: float
    milliseconds: float
    work: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning found.

    Attributes
    ----------
    k : int
        Results of the searches it was done for.
    target : float
        The overlap that was wanted.
    queries : int
        Queries it was measured on.
    before : Measured
        The parameters in use until now.
    best : Measured
        The cheapest ones whose overlap, less one standard error, reaches the target.
    tried : tuple of Measured
        All that were timed, by `nprobe`.
    stored : bool
        Whether `best` is now the index's default.
    """

    k: int
    target: float
    queries: int
    before: Measured
    best: Measured
    tried: tuple[Measured, ...]
    stored: bool

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        rows = [("before", self.before), *(("", one) for one in self.tried if one != self.best)]
        rows.append(("best", self.best))
        lines = [f"overlap@{self.k} with exhaustive search, {self.queries:,} queries, target {self.target:g}"]
        lines += [
            f"  {name:6}  nprobe {one.nprobe:<4} ndocs {one.ndocs:<6} overlap {one.overlap:.4f} "
            f"± {one.standard_error:.4f}  {one.milliseconds:8.3f} ms"
            for name, one in rows
        ]
        return lines


class _Bench:
    """The queries, the truth, and what was found out so far."""

    def __init__(
        self, native: _core.Index, matrices: Sequence[Matrix], k: int, progress: Progress | None
    ) -> None:
        self._native, self._matrices, self._k = native, matrices, k
        self._progress = progress
        self._known: dict[tuple[int, int], tuple[float, float]] = {}
        told = Told(progress, "compare", len(matrices))
        self._truth: list[set[int]] = []
        for first in range(0, len(matrices), _TOGETHER):
            some = matrices[first : first + _TOGETHER]
            self._truth += [
                {hit[2] for hit in hits} for hits in native.search(some, k, exact=True, texts=False)
            ]
            told(len(self._truth))

    def overlap(self, nprobe: int, ndocs: int) -> tuple[float, float]:
        """Mean and standard error."""
        found = self._known.get((nprobe, ndocs))
        if found is None:
            lists = self._native.search(self._matrices, self._k, nprobe=nprobe, ndocs=ndocs, texts=False)
            shares = [
                len(true.intersection(hit[2] for hit in hits)) / len(true)
                for true, hits in zip(self._truth, lists, strict=True)
                if true
            ]
            found = self._known[nprobe, ndocs] = _mean(shares)
            if self._progress is not None:
                # How many steps it takes is known at the end.
                self._progress("search", len(self._known), None)
        return found

    def seconds(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        """Median over the queries of the least time of each, all pairs in turns."""
        asked = self._matrices[:: math.ceil(len(self._matrices) / _TIMED)]
        told = Told(self._progress, "time", _TIMES * len(asked))
        least = [[math.inf] * len(asked) for _ in pairs]
        for turn in range(_TIMES):
            for place, matrix in enumerate(asked):
                # Who comes first finds the caches as the other pairs left them: everybody does at times.
                for one in sorted(range(len(pairs)), key=lambda i: (i + place + turn) % len(pairs)):
                    nprobe, ndocs = pairs[one]
                    begun = perf_counter()
                    self._native.search([matrix], self._k, nprobe=nprobe, ndocs=ndocs, texts=False)
                    least[one][place] = min(least[one][place], perf_counter() - begun)
                told(turn * len(asked) + place + 1)
        return [median(times) for times in least]

    def work(self, nprobe: int, ndocs: int) -> tuple[int, int, int]:
        """Count what a search of all queries does."""
        profile: dict[str, Any] = {}
        self._native.search(self._matrices, self._k, nprobe=nprobe, ndocs=ndocs, texts=False, profile=profile)
        counts = {name: counted for name, _, _, counted in profile["stages"]}
        return (
            counts.get("residuals", {}).get("tokens", 0),
            counts.get("interaction", {}).get("tokens", 0),
            counts.get("probe", {}).get("cells", 0),
        )


def tune(
    index: Index,
    queries: Iterable[Any],
    *,
    target: float,
    k: int,
    sample: int,
    dry_run: bool,
    progress: Progress | None,
) -> Tuning:
    """Tune an index; what `weft.Index.tune` does.

    Parameters
    ----------
    index : Index
        The index.
    queries, target, k, sample, dry_run, progress
        As there.

    Returns
    -------
    Tuning
        What was found.
    """
    if isinstance(target, bool) or not isinstance(target, (int, float)) or not 0 < target <= 1:
        raise InvalidInput(f"target is {target!r}: a share is needed, more than 0 and at most 1")
    k, sample = as_count("k", k), as_count("sample", sample)
    native = index._native
    if index.read_only and not dry_run:
        raise ReadOnlyIndex(f"{index.path} was opened read-only: only dry_run=True can tune it")
    information = native.info()
    if all(segment["kind"] != "coded" for segment in information["segments"]):
        raise InvalidInput(
            f"{index.path} is searched exactly, since it has only {information['tokens']:,} token vectors: "
            "there is nothing to tune"
        )
    if not dry_run:
        # Another writer, or a place that cannot be written, is found out before the work and not behind it.
        native.begin().abort()
    matrices = _encoded(index, queries, sample)
    tuning = measure(native, matrices, k, float(target), native.search_defaults(k), progress)
    if dry_run:
        return tuning
    best = tuning.best
    native.set_tuned(
        k=k,
        nprobe=best.nprobe,
        ndocs=best.ndocs,
        target=tuning.target,
        overlap=best.overlap,
        standard_error=best.standard_error,
        queries=tuning.queries,
        passages=information["passages"],
    )
    return replace(tuning, stored=True)


def _encoded(index: Index, queries: Iterable[Any], sample: int) -> Sequence[Matrix]:
    """Choose and encode queries. One that stands there twice would count twice and tell nothing new."""
    if isinstance(queries, str):
        raise InvalidInput("queries is one str: a list of queries is needed")
    given = list(queries)
    texts = all(isinstance(one, str) for one in given)
    if texts:
        for place, one in enumerate(given):
            if not is_text(one):
                raise InvalidInput(f"queries[{place}] has half a surrogate pair, which is not text")
        given = list(dict.fromkeys(one for one in given if one.strip()))
    count = min(len(given), sample)
    if count < LEAST_QUERIES:
        different = "different queries" if texts else "queries"
        raise InvalidInput(
            f"{count} {different} are too few to tune by: at least {LEAST_QUERIES} are needed, "
            "and a few hundred make the result sure"
        )
    chosen = [given[place * len(given) // count] for place in range(count)]
    return encode_queries(index.encoder, chosen) if texts else as_matrices(chosen, "queries")


def measure(
    native: _core.Index,
    matrices: Sequence[Matrix],
    k: int,
    target: float,
    before: tuple[int, int],
    progress: Progress | None = None,
) -> Tuning:
    """Find the cheapest parameters that reach the target.

    Parameters
    ----------
    native : _core.Index
        The engine.
    matrices : sequence of array
        The queries.
    k : int
        Results a search is asked for.
    target : float
        Overlap to reach, more than 0 and at most 1. The overlap of the queries, less one standard
        error, must be at least this: the least parameters that reach it on some queries are
        chosen a little too well for these queries.
    before : (int, int)
        `nprobe` and `ndocs` that are in use now.
    progress : callable, optional
        Called with stage, done and total.

    Returns
    -------
    Tuning
        Not stored.

    Raises
    ------
    InvalidInput
        No parameters reach the target.
    """
    bench = _Bench(native, matrices, k, progress)
    pairs = _staircase(bench.overlap, k, target, native.info()["passages"])
    if not pairs:
        nprobe, ndocs = _NPROBE[-1], _sizes(k, native.info()["passages"])[-1]
        overlap, error = bench.overlap(nprobe, ndocs)
        raise InvalidInput(
            f"no parameters reach an overlap of {target:g}: nprobe={nprobe} and ndocs={ndocs} find "
            f"{overlap:.4f} ± {error:.4f}; lower the target, give more queries, or search with exact=True"
        )
    timed = list(dict.fromkeys([before, *pairs]))
    seconds = bench.seconds(timed)
    measured = {
        pair: Measured(*pair, *bench.overlap(*pair), 1000 * took, bench.work(*pair))
        for pair, took in zip(timed, seconds, strict=True)
    }
    tried = tuple(measured[pair] for pair in pairs)
    return Tuning(k, target, len(matrices), measured[before], cheapest(tried), tried, stored=False)


def cheapest(measured: Sequence[Measured]) -> Measured:
    """Choose the quickest; of those that are as quick within the noise, the one with the least work."""
    quickest = min(one.milliseconds for one in measured)
    return min(
        (one for one in measured if one.milliseconds <= quickest * _SAME),
        key=lambda one: (one.work, one.nprobe, one.ndocs),
    )


def _staircase(
    overlap: Callable[[int, int], tuple[float, float]], k: int, target: float, passages: int
) -> list[tuple[int, int]]:
    """Find the pairs that reach the target, none of which has both numbers at least as great as another's."""
    sizes = _sizes(k, passages)

    def reaches(nprobe: int, place: int) -> bool:
        mean, error = overlap(nprobe, sizes[place])
        return mean - error >= target

    pairs = []
    # All sizes from here on are taken by a smaller nprobe.
    end = len(sizes)
    for nprobe in _NPROBE:
        if end == 0:
            break
        if not reaches(nprobe, end - 1):
            continue
        low, high = 0, end - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if reaches(nprobe, middle) else (middle + 1, high)
        pairs.append((nprobe, sizes[high]))
        end = high
    return pairs


def _sizes(k: int, passages: int) -> list[int]:
    """Sizes from k to a little more than there are passages."""
    sizes = [k, *(size for size in (*_NDOCS, *_MORE_NDOCS) if size > k)]
    if k > _MORE_NDOCS[-1] // 8:
        sizes += [k * 2, k * 4, k * 8]
    beyond = sum(size < passages for size in sizes) + 1
    return sorted(set(sizes))[:beyond]


def _mean(shares: Sequence[float]) -> tuple[float, float]:
    if len(shares) < 2:
        raise InvalidInput("fewer than two queries have an answer: there is nothing to measure")
    mean = math.fsum(shares) / len(shares)
    variance = math.fsum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    return mean, math.sqrt(variance / len(shares))
