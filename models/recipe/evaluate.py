"""Retrieval quality of a model directory: nDCG@10 of exhaustive MaxSim, and the speed of encoding.

    python models/recipe/evaluate.py MODEL_DIRECTORY DATASET_FOLDER... [--queries 600] [--passages N]

A dataset folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv as the BEIR collections do. Title and
text are encoded together; a passage that is too long is split, and a document scores as its best passage.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ir_measures
import numpy as np
from weft import Encoder
from weft.encoder import passage_text

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Dataset:
    """A collection with judged queries."""

    name: str
    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]


def load(folder: Path, most_queries: int, most_documents: int | None) -> Dataset:
    """Read a dataset; more queries or documents than asked for are thinned by a fixed seed."""
    generator = np.random.default_rng(0)

    def read(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    judgements: dict[str, dict[str, int]] = {}
    rows = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for query, document, grade in (row.split("\t") for row in rows):
        judgements.setdefault(query, {})[document] = int(grade)
    if len(judgements) > most_queries:
        chosen = sorted(generator.permutation(sorted(judgements))[:most_queries].tolist())
        judgements = {query: judgements[query] for query in chosen}
    documents = {row["_id"]: (row.get("title") or "", row["text"]) for row in read("corpus.jsonl")}
    if most_documents is not None and len(documents) > most_documents:
        needed = {document for grades in judgements.values() for document in grades}
        others = [document for document in documents if document not in needed]
        spare = max(0, most_documents - len(needed))
        keep = needed | set(generator.permutation(others)[:spare].tolist())
        documents = {document: content for document, content in documents.items() if document in keep}
    queries = {row["_id"]: row["text"] for row in read("queries.jsonl") if row["_id"] in judgements}
    return Dataset(folder.name, documents, queries, judgements)


def scores(queries: list[NDArray[np.float32]], passages: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return MaxSim of every query with every passage, float32 [queries, passages]."""
    stacked = np.concatenate(queries)
    starts = np.concatenate([[0], np.cumsum([len(query) for query in queries])])[:-1]
    result = np.empty((len(queries), len(passages)), np.float32)
    for number, passage in enumerate(passages):
        best = (stacked @ passage.T).max(axis=1)
        result[:, number] = np.add.reduceat(best, starts)
    return result


def evaluate(encoder: Encoder, data: Dataset) -> dict[str, float | str]:
    """Return one row of the table."""
    owners: list[str] = []
    texts: list[str] = []
    for document, (title, text) in data.documents.items():
        for start, end in encoder.split(text, title=title):
            owners.append(document)
            texts.append(passage_text(title, text[start:end]))
    begun = time.perf_counter()
    passages = encoder.encode_document(texts)
    encoding = time.perf_counter() - begun
    begun = time.perf_counter()
    queries = [encoder.encode_query(query)[0] for query in data.queries.values()]
    asking = time.perf_counter() - begun
    matrix = scores(queries, passages)
    run: dict[str, dict[str, float]] = {}
    for query, row in zip(data.queries, matrix, strict=True):
        best: dict[str, float] = {}
        for owner, score in zip(owners, row.tolist(), strict=True):
            best[owner] = max(score, best.get(owner, -np.inf))
        run[query] = dict(sorted(best.items(), key=lambda item: (-item[1], item[0]))[:100])
    measured = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.R @ 100], data.judgements, run)
    return {
        "dataset": data.name,
        "documents": len(data.documents),
        "passages": len(passages),
        "tokens": sum(map(len, passages)),
        "nDCG@10": round(100 * measured[ir_measures.nDCG @ 10], 2),
        "R@100": round(100 * measured[ir_measures.R @ 100], 2),
        "passages/s": round(len(passages) / encoding, 1),
        "ms/query": round(1000 * asking / len(queries), 2),
    }


def main() -> None:
    """Print one line of JSON for each dataset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--passages", type=int, default=None, help="thin the corpus to this many documents")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    encoder = Encoder.open(given.model, threads=given.threads)
    for folder in given.datasets:
        row = evaluate(encoder, load(folder, given.queries, given.passages))
        print(json.dumps({"model": given.model.name, "threads": encoder.threads, **row}), flush=True)


if __name__ == "__main__":
    main()
