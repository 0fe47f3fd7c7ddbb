"""Open-domain questions: is the answer in what was found, and the passages for a reader."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TextIO

from weft.defaults import AGREEMENT, ANSWER_DEPTHS, RUN_DEPTH
from weft.errors import InvalidInput
from weft.evaluation.agreement import agreement_of
from weft.evaluation.answer_match import as_pattern, matches, tokens, tokens_in
from weft.evaluation.asking import Told, searched
from weft.evaluation.judging import read_texts
from weft.evaluation.questions import Question, read_questions
from weft.evaluation.rankings import has_ties
from weft.evaluation.result import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from weft.evaluation.judging import Queries
    from weft.filters import Filter
    from weft.index import Index
    from weft.ingest import Progress
    from weft.results import Hit

__all__ = ["evaluate_answers"]


def evaluate_answers(
    index: Index,
    questions: str | os.PathLike[str] | Iterable[Question],
    *,
    queries: Queries | None = None,
    depths: Sequence[int] = ANSWER_DEPTHS,
    k: int | None = None,
    match: Literal["string", "regex"] = "string",
    reader: TextIO | None = None,
    agreement: int = AGREEMENT,
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
    """Ask an index questions and look for their answers in the passages it finds.

    Success@k is the share of questions one of whose answers stands in the text of one of the first k
    passages, titles left out: the retrieval accuracy of DPR (Karpukhin et al. 2020), matched as its code
    does it.

    Parameters
    ----------
    index : Index
        The index. Passages are ranked, not documents.
    questions : path, or iterable of Question
        A file that `weft.evaluation.read_questions` reads, or questions.
    queries : path, or dict of str to str, optional
        Texts by id, for questions whose file has answers only.
    depths : sequence of int
        The k of Success@k; those above `k` are left out.
    k : int, optional
        Passages per question: 100, or the greatest depth if that is more.
    match : {"string", "regex"}
        Answers are strings, or regular expressions as those of TREC. One that is no valid expression matches
        nothing, as in DPR.
    reader : text file, optional
        Where the passages go, in the JSON of DPR's readers: a list of objects with ``question``,
        ``answers`` and ``ctxs``, each of these with ``id``, ``title``, ``text``, ``score`` (a string)
        and ``has_answer``; besides these, ``id`` of the question and ``passage``, its number in a long
        document.
    agreement : int
        As in `weft.evaluate`.
    progress : callable, optional
        Called with stage, done and total.
    mode, filter, fusion, weights, exact, nprobe, ndocs, centroid_score_threshold
        As in `weft.Index.search`.

    Returns
    -------
    Evaluation
        ``missing`` has the questions that have no text; they count as failures.

    Raises
    ------
    InvalidInput
        A file is malformed, or there is nothing to ask.

    Examples
    --------
    >>> from weft.evaluation import Question, evaluate_answers
    >>> asked = [Question("1", "what is held under tension?", ("Warp threads", "warps"))]
    >>> evaluate_answers(index, asked, depths=[1, 3], agreement=0)
    Evaluation of 1 questions
    Success@1    1.0000
    Success@3    1.0000
    """
    if match not in ("string", "regex"):
        raise InvalidInput(f"match is {match!r}: it is 'string' or 'regex'")
    wanted = sorted(set(depths))
    if not wanted or wanted[0] < 1:
        raise InvalidInput(f"depths is {depths!r}: whole numbers of at least 1 are needed")
    limit = max(RUN_DEPTH, wanted[-1]) if k is None else k
    wanted = [depth for depth in wanted if depth <= limit]
    if not wanted:
        raise InvalidInput(f"k is {k}: the least of the depths is {min(depths)}")
    if len(index) == 0:
        raise InvalidInput(f"{index.path} has no documents: there is nothing to find")
    known = _with_texts(questions, queries)
    asked = {question.id: question for question in known if question.text}
    if not asked:
        raise InvalidInput("no question has a text: name a file of queries, whose ids match, with it")
    parameters: dict[str, Any] = {
        "mode": mode,
        "filter": filter,
        "fusion": fusion,
        "weights": weights,
        "exact": exact,
        "nprobe": nprobe,
        "ndocs": ndocs,
        "centroid_score_threshold": centroid_score_threshold,
    }
    first: dict[str, int | None] = {question.id: None for question in known}
    ties = done = 0
    out = _ReaderFile(reader)
    texts = [(question.id, question.text) for question in asked.values()]
    told = Told(progress, "search", len(texts))
    for some in searched(index, texts, limit, parameters):
        for name, hits in some:
            question = asked[name]
            holds = _matcher(question, match)
            found = [holds(hit.text) for hit in hits]
            first[name] = found.index(True) if True in found else None
            ties += has_ties([(hit.id, hit.score) for hit in hits])
            out.write(question, hits, found)
        done += len(some)
        told(done)
    out.close()
    values = {
        name: {f"Success@{depth}": float(place is not None and place < depth) for depth in wanted}
        for name, place in first.items()
    }
    means = {
        name: sum(one[name] for one in values.values()) / len(values)
        for name in (f"Success@{depth}" for depth in wanted)
    }
    missing = tuple(question.id for question in known if not question.text)
    compared = agreement_of(index, [text for _, text in texts], limit, parameters, agreement, progress)
    return Evaluation(means, values, missing, ties=ties, agreement=compared, noun="questions")


def _with_texts(
    questions: str | os.PathLike[str] | Iterable[Question], queries: Queries | None
) -> list[Question]:
    known = read_questions(questions) if isinstance(questions, (str, os.PathLike)) else list(questions)
    if queries is None:
        return known
    texts = read_texts(queries)
    return [replace(one, text=texts.get(one.id, one.text)) for one in known]


def _matcher(question: Question, match: str) -> Callable[[str], bool]:
    if match == "regex":
        compiled = [as_pattern(answer) for answer in question.answers]
        patterns = [pattern for pattern in compiled if pattern is not None]
        return lambda text: matches(text, patterns)
    answers = [tokens(answer) for answer in question.answers]
    return lambda text: tokens_in(text, answers)


class _ReaderFile:
    """DPR's JSON, written as it comes: a list with one object per question."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file
        self._begun = False

    def write(self, question: Question, hits: Sequence[Hit], found: Sequence[bool]) -> None:
        if self._file is None:
            return
        contexts = [
            {
                "id": hit.id,
                "passage": hit.passage,
                "title": hit.title or "",
                "text": hit.text,
                # A string, as in DPR's own files; readers turn it into a number where they need one.
                "score": repr(hit.score),
                "has_answer": holds,
            }
            for hit, holds in zip(hits, found, strict=True)
        ]
        entry = {"id": question.id, "question": question.text, "answers": question.answers, "ctxs": contexts}
        self._file.write(",\n" if self._begun else "[\n")
        self._file.write(json.dumps(entry, ensure_ascii=False))
        self._begun = True

    def close(self) -> None:
        if self._file is not None:
            self._file.write("\n]\n")
