"""Measures by their names in ir_measures, and what they make of rankings.

The providers behind ir_measures break ties in opposite ways: on one tied pair, RR said 1.0 and RR@10
said 0.5. So they are never shown a tie: a ranking goes in as an order, with scores that only fall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Measures"]

_EXAMPLES = "nDCG@10, R@100, Success@5, RR@10, AP"


class Measures:
    """Some measures.

    Parameters
    ----------
    names : iterable of str
        Their names, as in ``nDCG@10``.

    Attributes
    ----------
    names : tuple of str
        As ir_measures writes them, each once.
    depth : int
        The greatest cut-off among them; 0 when none has one.

    Raises
    ------
    MissingExtra
        ir_measures is not installed.
    InvalidInput
        A name is no measure, or one that needs more than a ranking and judgements.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._library = _library()
        if isinstance(names, str):
            raise InvalidInput("measures is one str: give a list of names")
        chosen = {str(measure): measure for measure in map(self._parsed, names)}
        if not chosen:
            raise InvalidInput(f"no measure is named: give some, as in {_EXAMPLES}")
        self._measures: dict[str, Any] = chosen
        self.names = tuple(chosen)
        self.depth = max(map(_cutoff, chosen.values()))

    def judge(
        self, qrels: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]
    ) -> dict[str, dict[str, float]]:
        """Judge rankings.

        Parameters
        ----------
        qrels : dict of str to dict of str to int
            For every query to be judged, the grades of documents.
        rankings : dict of str to sequence of str
            Documents, best first.

        Returns
        -------
        dict of str to dict of str to float
            For every query of `qrels` its values; zeros where there is no ranking or no judgement.
        """
        values = {
            query: {name: float(measure.DEFAULT) for name, measure in self._measures.items()}
            for query in qrels
        }
        judged = {query: dict(grades) for query, grades in qrels.items() if grades and rankings.get(query)}
        if judged:
            run = {query: _falling(rankings[query]) for query in judged}
            for found in self._library.iter_calc(list(self._measures.values()), judged, run):
                values[found.query_id][str(found.measure)] = float(found.value)
        return values

    def means(self, values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Sum the values of all queries up: a mean, or what the measure has instead."""
        means = {}
        for name, measure in self._measures.items():
            aggregator = measure.aggregator()
            for one in values.values():
                aggregator.add(one[name])
            means[name] = float(aggregator.result())
        return means

    def _parsed(self, name: str) -> Any:
        try:
            measure = self._library.parse_measure(name)
            # Asked on one document, because only the answer tells whether a provider is installed.
            list(self._library.iter_calc([measure], {"q": {"d": 1}}, {"q": {"d": 1.0}}))
        except (NameError, ValueError, TypeError, KeyError, AssertionError, RuntimeError) as error:
            raise InvalidInput(
                f"{name!r} is no measure that can be taken here: some are {_EXAMPLES}"
            ) from error
        return measure


def _library() -> Any:
    try:
        import ir_measures
    except ImportError as error:
        raise MissingExtra(
            'evaluating needs the package ir_measures: pip install "weft[eval]", or pip install ir_measures'
        ) from error
    return ir_measures


def _cutoff(measure: Any) -> int:
    cutoff = measure.params.get("cutoff")
    return cutoff if isinstance(cutoff, int) else 0


def _falling(ranking: Sequence[str]) -> dict[str, float]:
    return {document: float(len(ranking) - place) for place, document in enumerate(ranking)}
