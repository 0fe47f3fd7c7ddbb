"""Asking an index the judged queries, and judging what comes back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TextIO

from weft.defaults import AGREEMENT, MEASURES, RUN_DEPTH
from weft.errors import InvalidInput
from weft.evaluation.agreement import agreement_of
from weft.evaluation.asking import Told, searched
from weft.evaluation.measures import Measures
from weft.evaluation.qrels import check_qrels, read_qrels
from weft.evaluation.rankings import Ranking, has_ties, ordered, read_run
from weft.evaluation.result import Evaluation
from weft.inputs import read_queries
from weft.runs import write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from weft.filters import Filter
    from weft.index import Index
    from weft.ingest import Progress

__all__ = ["Own", "Qrels", "Queries", "check_depth", "evaluate", "evaluate_run", "read_texts"]

Queries = str | os.PathLike[str] | Mapping[str, str]
Qrels = str | os.PathLike[str] | Mapping[str, Mapping[str, int]]
Own = Literal["auto", "drop", "keep"]


# Rankings judged per call: ir_measures copies them, and MS MARCO's runs have 7,000,000 lines.
_TOGETHER = 500


def evaluate(
    index: Index,
    queries: Queries,
    qrels: Qrels,
    *,
    measures: Iterable[str] = MEASURES,
    k: int | None = None,
    own: Own = "auto",
    agreement: int = AGREEMENT,
    run: TextIO | Callable[[str, Ranking], object] | None = None,
    progress: Progress | None = None,
    mode: Literal["semantic", "keyword", "hybrid"] = "semantic",
    filter: Filter | None = None,  # noqa: A002  what it is everywhere
    fusion: Literal["rrf", "weighted"] = "rrf",
    weights: tuple[float, float] | None = None,
    exact: bool = False,
    nprobe: int | None = None,
    ndocs: int | None = None,
    centroid_score_threshold: float | None = None,
) -> Evaluation:
    """Ask an index all judged queries and measure the rankings of documents.

    A document ranks by its best passage, and equal scores stand in the order of the ids. Every judged query
    counts; one that has no text counts as a failure, as in LoTTE's and MS MARCO's own scripts.

    Parameters
    ----------
    index : Index
        The index.
    queries : path, or dict of str to str
        Their texts: a file that `weft search` reads, or texts by id. Queries that nobody judged are not
        asked.
    qrels : path, or dict of str to dict of str to int
        Judgements: a file that `weft.evaluation.read_qrels` reads, or grades by query and document.
    measures : iterable of str
        Names of ir_measures, as in ``nDCG@10``.
    k : int, optional
        Results per query: 100, or the greatest cut-off among the measures if that is more.
    own : {"auto", "drop", "keep"}
        What to do with a result whose id is the query's. "drop" leaves it out, as BEIR's script does for
        every collection; "auto" leaves it out when its text is the query's too, as in ArguAna and Quora.
    agreement : int
        For so many queries, spread evenly, compare with exhaustive MaxSim; 0 compares none. It tells what
        the search loses, whatever the model is worth. A search with ``exact=True`` loses nothing and one
        of mode "keyword" has no MaxSim: neither is compared. Of a hybrid one its semantic list is.
    run : text file or callable, optional
        Where the rankings go, as a TREC run, scores in full; or what is called with each query and its
        ranking.
    progress : callable, optional
        Called with stage, done and total.
    mode, filter, fusion, weights, exact, nprobe, ndocs, centroid_score_threshold
        As in `weft.Index.search`.

    Returns
    -------
    Evaluation
        Means, values per query, and what was missing.

    Raises
    ------
    MissingExtra
        ir_measures is not installed.
    InvalidInput
        A file is malformed, no query is judged, none of the relevant documents is in the index, or `k` is
        less than a measure's cut-off.

    Examples
    --------
    >>> queries = {"q1": "what does the shuttle carry?", "q2": "the wind"}
    >>> judged = {"q1": {"a": 1}, "q2": {"c": 2, "a": 0}}
    >>> weft.evaluate(index, queries, judged, measures=["nDCG@10", "Success@1"])
    Evaluation of 2 queries
    nDCG@10                  1.0000
    Success@1                1.0000
    overlap@10 with exact    1.0000
    recall@100 of exact      1.0000
    """
    judge = Measures(measures)
    depth = _depth(k, judge)
    texts, grades = read_texts(queries), _grades(qrels)
    asked = {query: texts[query] for query in grades if query in texts}
    if not asked:
        raise InvalidInput("none of the judged queries is among the queries: their ids do not match")
    unknown = _unknown(index, grades)
    parameters = {
        "mode": mode,
        "filter": filter,
        "fusion": fusion,
        "weights": weights,
        "exact": exact,
        "nprobe": nprobe,
        "ndocs": ndocs,
        "centroid_score_threshold": centroid_score_threshold,
    }
    selves = _selves(index, asked, own)
    values: dict[str, dict[str, float]] = {}
    dropped = ties = 0
    more = 1 if selves else 0
    told = Told(progress, "search", len(asked))
    by_document = {**parameters, "group": "document", "texts": False}
    for some in searched(index, list(asked.items()), depth + more, by_document):
        rankings = {}
        for query, hits in some:
            found = [(hit.id, hit.score) for hit in hits if query not in selves or hit.id != query]
            dropped += len(hits) - len(found)
            ranking = rankings[query] = ordered(found[:depth])
            ties += has_ties(ranking)
            _hand_over(run, query, ranking)
        values |= judge.judge({query: grades[query] for query in rankings}, _names(rankings))
        told(len(values))
    missing = tuple(query for query in grades if query not in asked)
    values |= judge.judge({query: grades[query] for query in missing}, {})
    compared = agreement_of(index, list(asked.values()), depth, parameters, agreement, progress)
    return Evaluation(judge.means(values), values, missing, unknown, dropped, ties, compared)


def evaluate_run(
    run: str | os.PathLike[str] | Mapping[str, Iterable[tuple[str, float]]],
    qrels: Qrels,
    *,
    measures: Iterable[str] = MEASURES,
) -> Evaluation:
    """Measure rankings that are there already, without an index.

    Parameters
    ----------
    run : path, or dict of str to iterable of (str, float)
        A file that `weft.evaluation.read_run` reads; or ids and scores of documents, by query.
    qrels, measures
        As in `evaluate`.

    Returns
    -------
    Evaluation
        As from `evaluate`; whether documents are in an index is not known.

    Raises
    ------
    InvalidInput
        A file is malformed, or the run answers none of the judged queries.

    Examples
    --------
    >>> from weft.evaluation import evaluate_run
    >>> run = {"q1": [("a", 3.5), ("b", 3.5)], "q2": [("c", 1.0)]}
    >>> result = evaluate_run(run, {"q1": {"b": 1}, "q3": {"c": 1}}, measures=["RR@10"])
    >>> result.means, result.missing, result.ties
    ({'RR@10': 0.25}, ('q3',), 1)
    """
    judge = Measures(measures)
    grades = _grades(qrels)
    given = {k: ordered(v) for k, v in run.items()} if isinstance(run, Mapping) else read_run(run)
    rankings = {query: given[query] for query in grades if query in given}
    if not rankings:
        raise InvalidInput("the run answers none of the judged queries: their ids do not match")
    values: dict[str, dict[str, float]] = {}
    names = list(grades)
    for first in range(0, len(names), _TOGETHER):
        some = {query: grades[query] for query in names[first : first + _TOGETHER]}
        values |= judge.judge(some, _names({query: rankings.get(query, []) for query in some}))
    missing = tuple(query for query in grades if query not in rankings)
    ties = sum(map(has_ties, rankings.values()))
    return Evaluation(judge.means(values), values, missing, ties=ties)


def _depth(k: int | None, measures: Measures) -> int:
    if k is None:
        return max(RUN_DEPTH, measures.depth)
    if isinstance(k, bool) or not isinstance(k, int) or k < max(1, measures.depth):
        raise InvalidInput(f"k is {k!r}: {', '.join(measures.names)} need at least {max(1, measures.depth)}")
    return k


def check_depth(measures: Iterable[str], k: int | None) -> None:
    """Raise `InvalidInput` unless these are measures, and `k` results are enough for them."""
    _depth(k, Measures(measures))


def read_texts(queries: Queries) -> Mapping[str, str]:
    """Give the texts of queries by id, reading the file when they are in one."""
    return queries if isinstance(queries, Mapping) else dict(read_queries(os.fspath(queries)))


def _grades(qrels: Qrels) -> Mapping[str, Mapping[str, int]]:
    if not isinstance(qrels, Mapping):
        return read_qrels(qrels)
    check_qrels(qrels)
    return qrels


def _unknown(index: Index, grades: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    judged = dict.fromkeys(document for each in grades.values() for document in each)
    unknown = {document: None for document in judged if document not in index}
    relevant = (document for each in grades.values() for document, grade in each.items() if grade > 0)
    if all(document in unknown for document in relevant):
        raise InvalidInput(
            f"no relevant document is in {index.path}: the ids of qrels and index do not match"
        )
    return tuple(unknown)


def _selves(index: Index, asked: Mapping[str, str], own: Own) -> set[str]:
    """Find the queries whose own document is to be left out."""
    if own == "keep":
        return set()
    if own == "drop":
        return {query for query in asked if query in index}
    if own != "auto":
        raise InvalidInput(f"own is {own!r}: it is 'auto', 'drop' or 'keep'")
    return {query for query, text in asked.items() if query in index and _same(index.get(query).text, text)}


def _same(text: str | None, query: str) -> bool:
    return (text or "").split() == query.split()


def _names(rankings: Mapping[str, Ranking]) -> dict[str, list[str]]:
    return {query: [document for document, _ in ranking] for query, ranking in rankings.items()}


def _hand_over(run: TextIO | Callable[[str, Ranking], object] | None, query: str, ranking: Ranking) -> None:
    if run is None:
        return
    if callable(run):
        run(query, ranking)
    else:
        write_run(run, [(query, ranking)])
