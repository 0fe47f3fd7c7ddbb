"""Rankings: the order they stand in, and the files that hold them.

One rule for ties, everywhere: equal scores stand in the order of the document ids. A file that gives
ranks, as those of MS MARCO and LoTTE do, is taken in the order of its lines, which is what their
scripts do; ranks that contradict that order are refused.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from weft.errors import InvalidInput
from weft.evaluation.qrels import opened
from weft.inputs.record import malformed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from weft.inputs.source import Source

__all__ = ["Ranking", "has_ties", "ordered", "read_run", "write_ranking"]

_RANK_DIGITS = 15  # What a float, which a rank becomes, holds exactly.

Ranking = list[tuple[str, float]]
"""Ids and scores of documents, best first."""


def ordered(found: Iterable[tuple[str, float]]) -> Ranking:
    """Put documents in order: by score, equal scores by id."""
    return sorted(found, key=lambda one: (-one[1], one[0]))


def has_ties(ranking: Ranking) -> bool:
    """Say whether two neighbours have one score."""
    return any(one[1] == other[1] for one, other in pairwise(ranking))


def read_run(path: str | os.PathLike[str]) -> dict[str, Ranking]:
    """Read the rankings of many queries.

    Parameters
    ----------
    path : str or path
        A TREC run, six columns separated by blanks, ordered by score; or lines of query, document, rank and,
        if it is there, score, with tabs between, as MS MARCO and LoTTE have them, ordered as they stand. Each
        also as .gz.

    Returns
    -------
    dict of str to list of (str, float)
        For each query its documents, best first. Where the file is ordered by ranks, the score is the rank
        with a minus.

    Raises
    ------
    InvalidInput
        A line is malformed, a query names a document twice, or ranks do not rise.
    """
    source = opened(path)
    found: dict[str, dict[str, float]] = {}
    for number, query, document, score in _rows(source):
        ranking = found.setdefault(query, {})
        if document in ranking:
            raise malformed(source.shown, number, f"query {query!r} has the document {document!r} twice")
        ranking[document] = score
    if not found:
        raise InvalidInput(f"{source.shown}: there are no rankings in it")
    return {query: ordered(ranking.items()) for query, ranking in found.items()}


def write_ranking(file: TextIO, query: str, ranking: Ranking) -> None:
    """Write one query's ranking with tabs: query, document, rank, score in full."""
    for name in (query, *(document for document, _ in ranking)):
        if "\t" in name or "\n" in name:
            raise InvalidInput(f"the id {name!r} cannot stand between tabs")
    file.writelines(
        f"{query}\t{document}\t{rank}\t{score!r}\n" for rank, (document, score) in enumerate(ranking, start=1)
    )


def _rows(source: Source) -> Iterator[tuple[int, str, str, float]]:
    last: dict[str, int] = {}
    by_rank: bool | None = None
    for number, line in source.lines():
        if not line.strip():
            continue
        if by_rank is None:
            by_rank = len(line.split("\t")) in (3, 4)
        if not by_rank:
            columns = line.split()
            if len(columns) != 6:
                raise malformed(
                    source.shown,
                    number,
                    f"{len(columns)} columns: a run has six (query Q0 document rank score tag), "
                    "a ranking three or four with tabs between (query, document, rank, score)",
                )
            yield number, columns[0], columns[2], _score(source, number, columns[4])
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) not in (3, 4) or not all(columns):
            raise malformed(
                source.shown, number, f"{len(columns)} columns: query, document, rank and score are needed"
            )
        query, document, rank = columns[:3]
        if not (rank.isascii() and rank.isdecimal() and len(rank) <= _RANK_DIGITS):
            raise malformed(source.shown, number, f"the rank {rank!r} is no whole number")
        if len(columns) == 4:
            _score(source, number, columns[3])
        if int(rank) <= last.get(query, -1):
            raise malformed(
                source.shown,
                number,
                f"rank {rank} of query {query!r} stands behind rank {last[query]}: sort the file by rank",
            )
        last[query] = int(rank)
        yield number, query, document, -float(rank)


def _score(source: Source, number: int, text: str) -> float:
    try:
        score = math.nan if "_" in text else float(text)  # Python's own way of writing 1_000
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise malformed(source.shown, number, f"the score {text!r} is no finite number")
    return score
