"""What is made of answers and times: overlap, checks, frontiers, ratios."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

# A score that must be the truth's, over float32 in another order.
EXACT = 1e-3


class WrongAnswerError(Exception):
    """An engine gave what no setting excuses."""


def overlap(truth: np.ndarray, ids: Sequence[Sequence[int]], k: int) -> float:
    """Mean share of the k best of `truth` [queries, passages] among the first k ids of every answer.

    A passage that scores as much as the k-th best counts, since which of equals comes first says nothing.
    """
    shares = []
    for row, found in zip(truth, ids, strict=True):
        last = np.partition(row, len(row) - min(k, len(row)))[len(row) - min(k, len(row))]
        shares.append(
            float((row[np.array(found[:k], np.int64)] >= last - 1e-6).sum()) / min(k, len(row))
            if found
            else 0.0
        )
    return float(np.mean(shares))


def check(truth: np.ndarray, ids: list[list[int]], scores: list[list[float]], k: int, exact: bool) -> float:
    """Refuse answers that are none; give the mean distance of scores from the truth's."""
    distances = []
    for number, (row, found, given) in enumerate(zip(truth, ids, scores, strict=True)):
        if len(found) > k or len(set(found)) != len(found):
            raise WrongAnswerError(
                f"query {number}: {len(found)} results of at most {k}, {len(set(found))} of them distinct"
            )
        if any(not 0 <= passage < len(row) for passage in found):
            raise WrongAnswerError(f"query {number}: a passage that is none of {len(row)}: {found}")
        if any(a < b - EXACT for a, b in itertools.pairwise(given)):
            raise WrongAnswerError(f"query {number}: scores that rise: {given}")
        apart = np.abs(row[np.array(found, np.int64)] - np.array(given, np.float32))
        if exact and (len(found) != min(k, len(row)) or apart.max(initial=0) > EXACT):
            raise WrongAnswerError(
                f"query {number}: {len(found)} results, scores up to {apart.max(initial=0)} from the truth"
            )
        distances.extend(apart.tolist())
    return float(np.mean(distances)) if distances else float("nan")


def frontier(points: Sequence[tuple[float, float]], slack: float = 0.1) -> list[int]:
    """Numbers of the points (milliseconds, overlap) that no other beats in both, give or take `slack` of the time; of equals the fastest."""
    fastest: dict[float, int] = {}
    for number, (time, quality) in enumerate(points):
        if quality not in fastest or time < points[fastest[quality]][0]:
            fastest[quality] = number
    return [
        number
        for quality, number in fastest.items()
        if not any(
            other > quality and points[rival][0] * (1 + slack) < points[number][0]
            for other, rival in fastest.items()
        )
    ]


def ratios(peer: dict[str, Any], own: list[dict[str, Any]]) -> dict[str, float] | None:
    """How many times the peer's time is that of Weft's cheapest point with at least its overlap@10: median, lowest and highest of the rounds.

    Each point has `overlap@10` and `rounds`, the milliseconds of every round; a round's ratio takes both times from that round.
    """
    enough = [point for point in own if point["overlap@10"] >= peer["overlap@10"]]
    if not enough:
        return None
    cheapest = min(enough, key=lambda point: float(np.median(point["rounds"])))
    each = [theirs / ours for theirs, ours in zip(peer["rounds"], cheapest["rounds"], strict=True)]
    return {"median": float(np.median(each)), "lowest": min(each), "highest": max(each)}
