"""100,000 real passages of seven sources and 200 questions, encoded: what `growth.py` and `changes.py` work on.

Usage: python benches/python/passages.py ../shared/data DESCRIPTIONS

DESCRIPTIONS is Debian's list of package descriptions in English, as text:
    apt-get update -o Acquire::Languages=en
    /usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_bookworm_main_i18n_Translation-en.lz4 > descriptions
The other sources are folders of the data directory: pairs-tldr, squad-dev, nq-mini, selqa, pubmedqa, pairs-nqg. Passages come source by
source, so that the topic changes on the way. Vectors are kept in benches/data/passages; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import weft
from weft.encoder import passage_text

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = Path(__file__).parents[1] / "data" / "passages"
COLLECTIONS = ("squad-dev", "nq-mini", "selqa", "pubmedqa")
QUESTIONS = {"debian": 70, "tldr": 40, "nqg": 15, "squad-dev": 20, "nq-mini": 20, "selqa": 15, "pubmedqa": 20}
PART = 2000  # Passages of a file.


@dataclass
class Passages:
    """What is stored: one matrix a passage and a question, and where the passages come from."""

    sources: list[str]
    texts: list[str]
    vectors: list[np.ndarray]
    queries: list[np.ndarray]


def read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def descriptions(path: Path) -> Iterator[tuple[str, str]]:
    """Long and short description of every package, near duplicates left out."""
    seen = set()
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        found = re.search(r"^Description-en: (.*)$((?:\n .*)*)", block, re.MULTILINE)
        if not found:
            continue
        text = re.sub(r"\n ?", " ", found[2].replace("\n .", "\n")).strip()
        if len(text) >= 60 and text[:400] not in seen:
            seen.add(text[:400])
            yield text, found[1]


def collect(data: Path, packages: Path) -> tuple[list[tuple[str, str | None, str]], list[str]]:
    """Source, title and text of all passages; and the questions."""
    rows: list[tuple[str, str | None, str]] = []
    asked: dict[str, list[str]] = {}
    for text, summary in descriptions(packages):
        rows.append(("debian", None, text))
        asked.setdefault("debian", []).append(summary)
    for pair in read(data / "pairs-tldr/pairs.jsonl"):
        rows.append(("tldr", None, f"{pair['context']} {pair['positive']}"))
        asked.setdefault("tldr", []).append(pair["query"])
    for name in COLLECTIONS:
        rows += [(name, row["title"] or None, row["text"]) for row in read(data / name / "corpus.jsonl")]
        asked[name] = [row["text"] for row in read(data / name / "queries.jsonl")]
    sentences = {pair["positive"]: pair["query"] for pair in read(data / "pairs-nqg/pairs.jsonl")}
    rows += [("nqg", None, sentence) for sentence in sentences]
    asked["nqg"] = list(sentences.values())
    choice = random.Random(5)
    return rows, [q for source, count in QUESTIONS.items() for q in choice.sample(asked[source], count)]


def store(data: Path, packages: Path) -> None:
    """Encode everything that is not stored yet."""
    STORE.mkdir(parents=True, exist_ok=True)
    rows, questions = collect(data, packages)
    (STORE / "passages.json").write_text(json.dumps(rows))
    encoder = weft.Encoder.open()
    save(STORE / "queries.npz", encoder.encode_query(questions))
    for first in range(0, len(rows), PART):
        file = STORE / f"vectors-{first:06d}.npz"
        if not file.exists():
            texts = [passage_text(title, text) for _, title, text in rows[first : first + PART]]
            save(file, encoder.encode_document(texts, truncate=True))
            print(f"{first + len(texts):,} of {len(rows):,} passages", flush=True)


def save(file: Path, matrices: list[np.ndarray]) -> None:
    part = file.with_suffix(".part.npz")
    np.savez(
        part,
        vectors=np.concatenate(matrices).astype(np.float16),
        lengths=[len(matrix) for matrix in matrices],
    )
    part.replace(file)


def matrices(file: Path) -> list[np.ndarray]:
    stored = np.load(file)
    return np.split(stored["vectors"], np.cumsum(stored["lengths"])[:-1])


def load() -> Passages:
    """Read what `store` left."""
    rows = json.loads((STORE / "passages.json").read_text())
    vectors = [matrix for file in sorted(STORE.glob("vectors-??????.npz")) for matrix in matrices(file)]
    assert len(vectors) == len(rows), "not everything is encoded yet: run passages.py"
    queries = [matrix.astype(np.float32) for matrix in matrices(STORE / "queries.npz")]
    return Passages([row[0] for row in rows], [row[2] for row in rows], vectors, queries)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("descriptions", type=Path)
    arguments = parser.parse_args()
    store(arguments.data, arguments.descriptions)
