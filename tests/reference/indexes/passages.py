"""Choose the passages and queries that all index goldens share, from a collection in BEIR's layout.

    python tests/reference/indexes/passages.py DATASET [OUT]

The first 40 questions that have a passage among the first 64, and these 64 passages, with their titles. Run once, on
nq-mini (QED and CLAPnq, see python/weft/sample/README.md for source and licence); the two files are committed.
They are colbert-ai's own inputs: `pid<TAB>text<TAB>title` and `qid<TAB>text`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SHARED = Path(__file__).resolve().parents[1] / "golden" / "shared"
PASSAGES = 64
QUERIES = 40


def rows(path: Path) -> list[dict[str, str]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def choose(dataset: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return passages as (title, text), and queries."""
    corpus = rows(dataset / "corpus.jsonl")[:PASSAGES]
    kept = {row["_id"] for row in corpus}
    judged = [line.split("\t") for line in (dataset / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    answered = {query for query, passage, _ in judged if passage in kept}
    queries = [row["text"] for row in rows(dataset / "queries.jsonl") if row["_id"] in answered]
    return [(row["title"], " ".join(row["text"].split())) for row in corpus], queries[:QUERIES]


def main() -> None:
    """Write both files."""
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else SHARED
    out.mkdir(parents=True, exist_ok=True)
    passages, queries = choose(Path(sys.argv[1]))
    lines = [f"{pid}\t{text}\t{title}\n" for pid, (title, text) in enumerate(passages)]
    (out / "collection.tsv").write_text("".join(lines), encoding="utf-8")
    lines = [f"{qid}\t{text}\n" for qid, text in enumerate(queries)]
    (out / "queries.tsv").write_text("".join(lines), encoding="utf-8")
    print(f"{len(passages)} passages, {len(queries)} queries")


if __name__ == "__main__":
    main()
