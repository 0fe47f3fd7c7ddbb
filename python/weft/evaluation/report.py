"""Whole published collections: index, ask, judge, and put the published figure beside."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.defaults import MEASURES
from weft.evaluation import published
from weft.evaluation.beir import BeirFolder
from weft.evaluation.collection import Collection, indexed
from weft.evaluation.judging import check_depth, evaluate, read_texts
from weft.evaluation.lotte import lotte_domains
from weft.evaluation.qrels import read_qrels
from weft.evaluation.rankings import Ranking, write_ranking

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from weft.evaluation.result import Evaluation
    from weft.index import Index
    from weft.ingest import Progress

__all__ = ["Row", "beir_rows", "lotte_rows"]


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


def beir_rows(
    folders: Sequence[str | os.PathLike[str]],
    *,
    folder: Path,
    split: str,
    model: str | None,
    nbits: int | None,
    threads: int | None,
    say: Callable[[str], object],
    measures: Sequence[str] | None,
    rankings: Path | None,
    progress: Progress,
    **options: Any,
) -> Iterator[Row]:
    """Evaluate BEIR folders one after the other.

    Parameters
    ----------
    folders : sequence of path
        The collections. All are looked at before the first is indexed.
    folder : Path
        Where the indexes are or go.
    split : str
        Which judgements.
    model, nbits, threads
        As in `weft.open`.
    say : callable
        Told in a line what is done.
    measures : sequence of str, optional
        Names of measures.
    rankings : Path, optional
        Where rankings go.
    progress : callable
        Called with stage, done and total.
    options
        More for `weft.evaluate`.
    """
    chosen = tuple(measures or MEASURES)
    check_depth(chosen, options.get("k"))
    sets = [BeirFolder.open(one, split) for one in folders]
    # Before the first text is encoded, which may take hours.
    asked = [(read_texts(one.queries), read_qrels(one.qrels)) for one in sets]
    for one, (queries, qrels) in zip(sets, asked, strict=True):
        index = _index(folder / f"{one.name}.weft", one.collection, say, model, nbits, threads, progress)
        with index, _ranking(rankings, split, one.name) as (sink, written):
            found = evaluate(
                index,
                queries,
                qrels,
                measures=chosen,
                run=sink,
                progress=progress,
                **options,
            )
        value = published.BEIR.get(one.name) if split == "test" else None
        known = None if value is None else (published.BEIR_MEASURE, value)
        yield Row(one.name, found, None, split, known, written)


def lotte_rows(
    lotte: str | os.PathLike[str],
    domains: Sequence[str] | None,
    *,
    folder: Path,
    split: str,
    model: str | None,
    nbits: int | None,
    threads: int | None,
    say: Callable[[str], object],
    measures: Sequence[str] | None,
    rankings: Path | None,
    progress: Progress,
    **options: Any,
) -> Iterator[Row]:
    """Evaluate LoTTE's domains one after the other, both kinds of questions.

    Parameters
    ----------
    lotte : path
        The folder of the domains.
    domains : sequence of str, optional
        Which; all when None.
    folder, split, model, nbits, threads, say, measures, rankings, progress, options
        As in `beir_rows`.
    """
    chosen = tuple(measures or (published.LOTTE_MEASURE,))
    check_depth(chosen, options.get("k"))
    found_domains = lotte_domains(lotte, split, domains)
    asked = {
        (domain.name, kind): (read_texts(questions), read_qrels(answers))
        for domain in found_domains
        for kind, (questions, answers) in domain.kinds.items()
    }
    for domain in found_domains:
        path = folder / f"lotte-{domain.name}-{split}.weft"
        with _index(path, domain.collection, say, model, nbits, threads, progress) as index:
            for kind in domain.kinds:
                queries, qrels = asked[domain.name, kind]
                with _ranking(rankings, split, f"{domain.name}.{kind}") as (sink, written):
                    found = evaluate(
                        index,
                        queries,
                        qrels,
                        measures=chosen,
                        run=sink,
                        progress=progress,
                        **options,
                    )
                value = published.LOTTE.get((domain.name, kind)) if split == "test" else None
                known = None if value is None else (published.LOTTE_MEASURE, value)
                yield Row(domain.name, found, kind, split, known, written)


def _index(
    path: Path,
    collection: Collection,
    say: Callable[[str], object],
    model: str | None,
    nbits: int | None,
    threads: int | None,
    progress: Progress,
) -> Index:
    index, there = indexed(path, collection, model=model, nbits=nbits, threads=threads, progress=progress)
    information = index.info()
    say(
        f"{'using' if there else 'made'} {path}: {information['documents']:,} documents in "
        f"{information['passages']:,} passages"
    )
    if collection.empty:
        say(f"passed over {collection.empty:,} documents of {collection.source.shown} that have no text")
    return index


@contextmanager
def _ranking(
    folder: Path | None, split: str, name: str
) -> Iterator[tuple[Callable[[str, Ranking], None] | None, str | None]]:
    """Write rankings where LoTTE's script looks for them; a file has its name only when it is complete."""
    if folder is None:
        yield None, None
        return
    place = folder / split / f"{name}.ranking.tsv"
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield lambda query, ranking: write_ranking(file, query, ranking), str(place)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
