"""What int8 costs in retrieval: exhaustive MaxSim with the float graph beside that with the int8 graph.

A cosine of 0.99 says little: what counts is whether the same documents are found. Without a judged collection
the sample that ships with Weft is used: its questions, and titles of its articles, whose own paragraphs are
to be found by their text alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft import _core
from weft.encoder import passage_text
from weft.errors import InvalidInput
from weft.evaluation import evaluate_run, read_qrels
from weft.inputs import Documents, read_queries
from weft.sample import judged_questions, passages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from weft.encoder import Encoder

__all__ = [
    "Collection",
    "Ranking",
    "RetrievalLoss",
    "compare_rankings",
    "rank",
    "read_collection",
    "sample_collection",
]

_MEASURES = ("nDCG@10", "R@100")
_DEPTH = 100
_TOP = 10
_TITLES = 200


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents and judged queries.

    Attributes
    ----------
    name : str
        What people call it.
    documents : dict of str to (str or None, str)
        Title and text by id.
    queries : dict of str to str
        Texts by id.
    judgements : dict
        Grades by query and document.
    """

    name: str
    documents: Mapping[str, tuple[str | None, str]]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of each query with their scores, and passages encoded in a second."""

    best: Mapping[str, list[tuple[str, float]]]
    speed: float


@dataclass(frozen=True, slots=True)
class RetrievalLoss:
    """Two graphs of one model, compared by what they find.

    Attributes
    ----------
    collection : str
        Where.
    documents, queries : int
        Of the collection.
    float32, int8 : dict of str to float
        nDCG@10 and R@100 of each.
    overlap_at_10 : float
        Share of the float graph's ten best that are among the int8 graph's ten, mean over the queries.
    same_first : float
        Share of queries whose best document is the same.
    speed : (float, float)
        Passages encoded in a second, float and int8.
    """

    collection: str
    documents: int
    queries: int
    float32: dict[str, float]
    int8: dict[str, float]
    overlap_at_10: float
    same_first: float
    speed: tuple[float, float]


def sample_collection() -> Collection:
    """Return Weft's sample: 1,500 paragraphs, 5 questions and 200 titles of articles."""
    records = passages()
    documents: dict[str, tuple[str | None, str]] = {
        record["id"]: (None, record["text"]) for record in records
    }
    titled: dict[str, list[str]] = {}
    for record in records:
        titled.setdefault(record["title"], []).append(record["id"])
    queries = {question["id"]: question["text"] for question in judged_questions()}
    judgements = {question["id"]: {question["passage"]: 1} for question in judged_questions()}
    for title in list(titled)[:: len(titled) // _TITLES][:_TITLES]:
        queries[f"title: {title}"] = title
        judgements[f"title: {title}"] = dict.fromkeys(titled[title], 1)
    return Collection("Weft's sample", documents, queries, judgements)


def read_collection(folder: Path) -> Collection:
    """Read a folder laid out as BEIR's are: corpus.jsonl, queries.jsonl, qrels/test.tsv.

    Raises
    ------
    InvalidInput
        If a file is missing or malformed, or no query is judged.
    """
    files = [folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"]
    for file in files:
        if not file.is_file():
            raise InvalidInput(
                f"{file}: no such file: a BEIR folder has corpus.jsonl, queries.jsonl, qrels/test.tsv"
            )
    documents: dict[str, tuple[str | None, str]] = {}
    for record in Documents([str(files[0])]):
        if record.id is None:
            raise InvalidInput(f"{files[0]}: document {len(documents) + 1} has no _id")
        documents[record.id] = (record.title, record.text)
    judgements = read_qrels(files[2])
    queries = {query: text for query, text in read_queries(str(files[1])) if query in judgements}
    if not queries:
        raise InvalidInput(f"{folder}: no query of queries.jsonl is judged in qrels/test.tsv")
    return Collection(folder.name, documents, queries, {query: judgements[query] for query in queries})


def rank(
    collection: Collection, encoder: Encoder, progress: Callable[[int, int], None] | None = None
) -> Ranking:
    """Rank the documents of a collection for each query by exhaustive MaxSim, each by its best passage.

    Parameters
    ----------
    collection : Collection
        Documents and queries.
    encoder : Encoder
        The model.
    progress : callable, optional
        Told how many passages are encoded, and of how many.
    """
    owners: list[str] = []
    texts: list[str] = []
    for id_, (title, text) in collection.documents.items():
        for start, end in encoder.split(text, title=title):
            owners.append(id_)
            texts.append(passage_text(title, text[start:end]))
    began = time.perf_counter()
    matrices = encoder.encode_document(texts, progress=progress)
    speed = len(texts) / (time.perf_counter() - began)
    best_of = {}
    for query, text in collection.queries.items():
        best: dict[str, float] = {}
        scores = _core.maxsim(encoder.encode_query(text, truncate=True)[0], matrices)
        for owner, score in zip(owners, scores, strict=True):
            best[owner] = max(score, best.get(owner, score))
        # Scores first, ids where they are equal, as in a search.
        best_of[query] = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:_DEPTH]
    return Ranking(best_of, speed)


def compare_rankings(collection: Collection, float32: Ranking, int8: Ranking) -> RetrievalLoss:
    """Compare what two graphs of one model find."""
    tops = [
        tuple([id_ for id_, _ in ranking.best[query][:_TOP]] for ranking in (float32, int8))
        for query in collection.queries
    ]
    return RetrievalLoss(
        collection=collection.name,
        documents=len(collection.documents),
        queries=len(collection.queries),
        float32=_judged(float32, collection),
        int8=_judged(int8, collection),
        overlap_at_10=sum(len({*one} & {*other}) / len(one) for one, other in tops) / len(tops),
        same_first=sum(one[0] == other[0] for one, other in tops) / len(tops),
        speed=(float32.speed, int8.speed),
    )


def _judged(ranking: Ranking, collection: Collection) -> dict[str, float]:
    return dict(evaluate_run(ranking.best, collection.judgements, measures=_MEASURES).means)
