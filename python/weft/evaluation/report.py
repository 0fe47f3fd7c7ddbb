"""Whole published collections: index, ask, judge, and put the published figure beside.

Questions and judgements of all collections are read before the first text is encoded: encoding takes hours,
and a malformed line should not be found at their end.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from weft.defaults import MEASURES
from weft.evaluation import published
from weft.evaluation.beir import BeirFolder
from weft.evaluation.collection import Collection, indexed
from weft.evaluation.judging import check_depth, evaluate, read_texts
from weft.evaluation.lotte import lotte_domains
from weft.evaluation.qrels import read_qrels
from weft.evaluation.rankings import Ranking, write_ranking
from weft.output import complete

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from weft.evaluation.result import Evaluation
    from weft.index import Index
    from weft.ingest import Progress

__all__ = ["Plan", "Row", "beir_rows", "lotte_rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One evaluation of a report.

    Attributes
    ----------
    name : str
        The collection, index or run.
    evaluation : Evaluation
        What came out.
    kind : str or None
        "search" or "forum" of LoTTE, "answers" where answers were looked for.
    split : str or None
        Of a published collection: which.
    published : tuple of str and float, or None
        Measure and value of ColBERTv2, where they are known.
    written : str or None
        The file that was written with it.
    """

    name: str
    evaluation: Evaluation
    kind: str | None = None
    split: str | None = None
    published: tuple[str, float] | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How collections are indexed and asked.

    Attributes
    ----------
    folder : Path
        Where the indexes are or go.
    split : str
        Which questions.
    say : callable
        Told in a line what is done.
    progress : callable
        Called with stage, done and total.
    measures : sequence of str, optional
        Names of measures; those of the published figures when None.
    rankings : Path, optional
        The folder where rankings go.
    model, nbits, threads
        As in `weft.open`.
    options : dict
        More for `weft.evaluate`.
    """

    folder: Path
    split: str
    say: Callable[[str], object]
    progress: Progress
    measures: Sequence[str] | None = None
    rankings: Path | None = None
    model: str | None = None
    nbits: int | None = None
    threads: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def beir_rows(folders: Sequence[str | os.PathLike[str]], plan: Plan) -> Iterator[Row]:
    """Evaluate BEIR folders one after the other."""
    measures = tuple(plan.measures or MEASURES)
    check_depth(measures, plan.options.get("k"))
    sets = [BeirFolder.open(one, plan.split) for one in folders]
    asked = [(read_texts(one.queries), read_qrels(one.qrels)) for one in sets]
    for one, judged in zip(sets, asked, strict=True):
        value = published.BEIR.get(one.name)
        known = None if value is None else (published.BEIR_MEASURE, value)
        with _index(f"{one.name}.weft", one.collection, plan) as index:
            yield _row(index, judged, measures, plan, one.name, None, known)


def lotte_rows(lotte: str | os.PathLike[str], domains: Sequence[str] | None, plan: Plan) -> Iterator[Row]:
    """Evaluate domains of LoTTE one after the other, both kinds of questions; all domains when None."""
    measures = tuple(plan.measures or (published.LOTTE_MEASURE,))
    check_depth(measures, plan.options.get("k"))
    sets = lotte_domains(lotte, plan.split, domains)
    asked = {
        (one.name, kind): (read_texts(questions), read_qrels(answers))
        for one in sets
        for kind, (questions, answers) in one.kinds.items()
    }
    for one in sets:
        with _index(f"lotte-{one.name}-{plan.split}.weft", one.collection, plan) as index:
            for kind in one.kinds:
                value = published.LOTTE.get((one.name, kind))
                known = None if value is None else (published.LOTTE_MEASURE, value)
                yield _row(index, asked[one.name, kind], measures, plan, one.name, kind, known)


def _row(
    index: Index,
    judged: tuple[Mapping[str, str], Mapping[str, Mapping[str, int]]],
    measures: Sequence[str],
    plan: Plan,
    name: str,
    kind: str | None,
    known: tuple[str, float] | None,
) -> Row:
    with _ranking(plan, name if kind is None else f"{name}.{kind}") as (sink, written):
        found = evaluate(index, *judged, measures=measures, run=sink, progress=plan.progress, **plan.options)
    # The figures that were published are those of the test split.
    return Row(name, found, kind, plan.split, known if plan.split == "test" else None, written)


def _index(name: str, collection: Collection, plan: Plan) -> Index:
    path = plan.folder / name
    index, there = indexed(
        path,
        collection,
        model=plan.model,
        nbits=plan.nbits,
        threads=plan.threads,
        progress=plan.progress,
    )
    information = index.info()
    plan.say(
        f"{'using' if there else 'made'} {path}: {information['documents']:,} documents in "
        f"{information['passages']:,} passages"
    )
    if collection.empty:
        plan.say(f"passed over {collection.empty:,} documents of {collection.source.shown} that have no text")
    return index


@contextmanager
def _ranking(plan: Plan, name: str) -> Iterator[tuple[Callable[[str, Ranking], None] | None, str | None]]:
    """Write rankings where LoTTE's script looks for them; a file has its name only when it is complete."""
    if plan.rankings is None:
        yield None, None
        return
    place = plan.rankings / plan.split / f"{name}.ranking.tsv"
    place.parent.mkdir(parents=True, exist_ok=True)
    with complete(str(place), replace=True) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        yield lambda query, ranking: write_ranking(file, query, ranking), str(place)
