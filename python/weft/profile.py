"""What a search did and how long it took, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weft.matrices import Matrix

__all__ = ["Profile", "Profiled", "Recorder", "StageProfile", "total"]

Hits = TypeVar("Hits")

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class StageProfile:
    """One stage of all queries of a call.

    Attributes
    ----------
    calls : int
        How often it ran: once a query; again for every codebook or float16 segment, and when the
        first cells held too few passages.
    milliseconds : float
        Elapsed time, summed over these runs.
    counts : dict of str to int
        What it looked at: ``passages``, ``tokens``, ``cells``, ``centroids``, and ``bytes``, the size
        of the vectors, codes and centroids among them.
    """

    calls: int
    milliseconds: float
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of one call of `weft.Index.search` went.

    A stage's time is the time that passed from its beginning to its end. One query runs its stages
    one after the other, each on all threads, so their times add up to nearly the whole. Several
    queries run beside each other, each on one thread: their stages are summed, and the sum may reach
    the number of threads times the whole.

    Attributes
    ----------
    queries : int
        Queries of the call.
    threads : int
        Threads the engine was allowed.
    milliseconds : float
        Elapsed time of the call: encoding and engine.
    stages : dict of str to StageProfile
        The stages that ran, in their order: ``encode`` (``tokens``: query tokens); ``filter``
        (passages it lets through); ``scan`` (float scores of all passages: float16 segments, and
        ``exact=True``); ``locate`` (few passages match the filter and are looked up); ``centroids``;
        ``probe`` (cells); ``candidates`` (passages of these cells); ``cut`` (what goes on to the next
        stage, summed over the cuts); ``prune`` and ``refine`` (only with a
        ``centroid_score_threshold``); ``interaction`` (centroid interaction); ``residuals``;
        ``rescore`` (float scores of those that can be among the best); ``keywords``; ``fusion``;
        ``texts`` (hits that were read).

    Examples
    --------
    >>> found = index.search("what does the shuttle carry?", k=2, profile=True)
    >>> found.hits[0].id
    'a'
    >>> list(found.profile.stages)
    ['encode', 'scan', 'texts']
    >>> found.profile.stages["scan"].counts["passages"]
    3
    """

    queries: int
    threads: int
    milliseconds: float
    stages: Mapping[str, StageProfile]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        """Lay it out as a table: a line for the call, then one for every stage."""
        asked = "1 query" if self.queries == 1 else f"{self.queries:,} queries"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        lines = [f"{self.milliseconds:.3f} ms for {asked} on {threads}"]
        rows = [
            (
                name,
                f"{stage.milliseconds:.3f} ms",
                ", ".join(f"{count:,} {what}" for what, count in stage.counts.items()),
            )
            for name, stage in self.stages.items()
        ]
        # Between the stages, and only where they run one after the other.
        left = self.milliseconds - sum(stage.milliseconds for stage in self.stages.values())
        if self.queries == 1:
            rows.append(("between", f"{max(0.0, left):.3f} ms", ""))
        wide = max((len(name) for name, _, _ in rows), default=0)
        long = max((len(time) for _, time, _ in rows), default=0)
        return lines + [f"  {name:{wide}}  {time:>{long}}  {counts}".rstrip() for name, time, counts in rows]


class Profiled(NamedTuple, Generic[Hits]):
    """What ``search(..., profile=True)`` gives: the hits it always gives, and the profile.

    Attributes
    ----------
    hits : list of Hit, or list of list of Hit
        The same as without ``profile``.
    profile : Profile
        What was done for them.
    """

    hits: Hits
    profile: Profile


def total(profiles: Sequence[Profile]) -> Profile:
    """Add up the profiles of calls that came one after the other.

    Parameters
    ----------
    profiles : sequence of Profile
        One for every call.

    Returns
    -------
    Profile
        Their sum; `threads` is the greatest.
    """
    stages: dict[str, StageProfile] = {}
    for profile in profiles:
        for name, stage in profile.stages.items():
            stages[name] = _sum(stages[name], stage) if name in stages else stage
    return Profile(
        sum(profile.queries for profile in profiles),
        max((profile.threads for profile in profiles), default=1),
        sum(profile.milliseconds for profile in profiles),
        stages,
    )


def _sum(one: StageProfile, other: StageProfile) -> StageProfile:
    counts = {name: one.counts[name] + other.counts[name] for name in one.counts}
    return StageProfile(one.calls + other.calls, one.milliseconds + other.milliseconds, counts)


class Recorder:
    """The clock of one call; what the engine and the encoder report comes together here."""

    def __init__(self) -> None:
        self._begun = perf_counter()
        self._encoding: StageProfile | None = None
        self.engine: dict[str, Any] = {}
        """For the engine to fill; it stays empty when there was nothing to search."""

    def encoded(self, matrices: Sequence[Matrix], begun: float) -> None:
        """Take down that queries were encoded, since `begun` on the clock."""
        took = (perf_counter() - begun) * 1000
        self._encoding = StageProfile(1, took, {"tokens": sum(len(matrix) for matrix in matrices)})

    def profile(self, queries: int) -> Profile:
        """Stop the clock.

        Parameters
        ----------
        queries : int
            Queries of the call.

        Returns
        -------
        Profile
            The profile of the call.
        """
        stages = {} if self._encoding is None else {"encode": self._encoding}
        for name, calls, nanoseconds, counts in self.engine.get("stages", ()):
            stages[name] = StageProfile(calls, nanoseconds / _MILLION, counts)
        took = (perf_counter() - self._begun) * 1000
        return Profile(queries, self.engine.get("threads", 1), took, stages)
