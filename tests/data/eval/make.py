"""Cut the small collections beside this file out of whole ones: python make.py SQUAD-DEV SCIFACT NQ-MINI.

Each of the three is a folder in BEIR's layout; README.md says where they come from. Nothing is invented: texts,
questions and judgements stand as they were, only the numbers of passages are new where a layout wants numbers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
DOMAINS = {"oil": "1973 oil crisis", "rainforest": "Amazon rainforest"}
PARAGRAPHS = 16


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judged(folder: Path) -> list[tuple[str, str]]:
    rows = (folder / "qrels/test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [(row.split("\t")[0], row.split("\t")[1]) for row in rows]


def write(path: Path, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def dumped(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False)


def lotte(squad: Path) -> None:
    """SQuAD articles as domains; the questions of a paragraph go to the two kinds in turn."""
    queries = {query["_id"]: query for query in lines(squad / "queries.jsonl")}
    answers = []
    for domain, title in DOMAINS.items():
        documents = [one for one in lines(squad / "corpus.jsonl") if one["title"] == title][:PARAGRAPHS]
        numbers = {one["_id"]: number for number, one in enumerate(documents)}
        place = HERE / "lotte" / domain / "test"
        write(
            place / "collection.tsv",
            [f"{numbers[one['_id']]}\t{' '.join(one['text'].split())}" for one in documents],
        )
        write(place / "metadata.jsonl", [dumped({"dataset": domain, "id": one["_id"]}) for one in documents])
        asked = [(query, numbers[document]) for query, document in judged(squad) if document in numbers]
        for kind, first in (("search", 0), ("forum", 1)):
            some = asked[first::4]
            texts = [queries[query]["text"].strip() for query, _ in some]
            write(place / f"questions.{kind}.tsv", [f"{qid}\t{text}" for qid, text in enumerate(texts)])
            rows = [
                {"qid": qid, "query": texts[qid], "answer_pids": [pid]} for qid, (_, pid) in enumerate(some)
            ]
            write(place / f"qas.{kind}.jsonl", [dumped(row) for row in rows])
            if domain == "rainforest" and kind == "search":
                answers += [
                    {"qid": qid, "question": texts[qid], "answers": queries[query]["answers"]}
                    for qid, (query, _) in enumerate(some)
                ]
    write(HERE / "answers.jsonl", [dumped(row) for row in answers])


def beir(scifact: Path) -> None:
    rows = judged(scifact)[:18]
    wanted = {document for _, document in rows}
    documents = [
        one for one in lines(scifact / "corpus.jsonl") if one["_id"] in wanted or int(one["_id"]) % 397 == 0
    ]
    asked = {query for query, _ in rows}
    write(HERE / "beir/scifact/corpus.jsonl", [dumped(one) for one in documents])
    # One claim more than is judged, as in the whole.
    claims = [one for one in lines(scifact / "queries.jsonl") if one["_id"] in asked or one["_id"] == "0"]
    write(HERE / "beir/scifact/queries.jsonl", [dumped(one) for one in claims])
    text = ["query-id\tcorpus-id\tscore", *(f"{query}\t{document}\t1" for query, document in rows)]
    write(HERE / "beir/scifact/qrels/test.tsv", text)


def msmarco(nq: Path) -> None:
    documents = lines(nq / "corpus.jsonl")[:36]
    numbers = {one["_id"]: number for number, one in enumerate(documents)}
    queries = {query["_id"]: query["text"] for query in lines(nq / "queries.jsonl")}
    asked = [(query, numbers[document]) for query, document in judged(nq) if document in numbers]
    place = HERE / "msmarco"
    write(
        place / "collection.tsv",
        [f"{numbers[one['_id']]}\t{' '.join(one['text'].split())}" for one in documents],
    )
    write(
        place / "queries.dev.small.tsv",
        [f"{qid}\t{queries[query]}" for qid, (query, _) in enumerate(asked, 1000)],
    )
    write(place / "qrels.dev.small.tsv", [f"{qid}\t0\t{pid}\t1" for qid, (_, pid) in enumerate(asked, 1000)])


if __name__ == "__main__":
    squad, scifact, nq = map(Path, sys.argv[1:])
    lotte(squad)
    beir(scifact)
    msmarco(nq)
