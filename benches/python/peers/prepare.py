"""Encodes real text with the default model and keeps vectors and token ids for the run: see `vectors.py`.

Two sources: a folder in BEIR's layout, split as `weft index` splits it; or the passages of `passages.py`, of which a
smaller collection takes every n-th, so that 10,000 are like 100,000 of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import vectors

sys.path.append(str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    import weft

PART = 2000  # Passages of a part; a preparation that was stopped goes on where it was.


def from_passages(folder: Path, data: Path, descriptions: Path, count: int | None) -> None:
    """Prepare `count` passages spread evenly over those of `passages.py`, and its 200 questions."""
    import passages
    from weft.encoder import passage_text

    rows, questions = passages.collect(data, descriptions)
    total = len(rows)
    chosen = range(total) if count is None else [i * total // count for i in range(min(count, total))]
    texts = [passage_text(rows[i][1], rows[i][2]) for i in chosen]
    about = {"source": "passages.py", "of": total, "passages": len(texts), "queries": len(questions)}
    _encode(folder, texts, questions, about)


def from_beir(folder: Path, data: Path, queries: int) -> None:
    """Prepare a folder in BEIR's layout; queries are the first judged ones."""
    import weft
    from weft.encoder import passage_text

    encoder = weft.Encoder.open()
    texts = []
    for document in _lines(data / "corpus.jsonl"):
        title, text = document.get("title") or None, document["text"]
        texts += [passage_text(title, text[a:b]) for a, b in encoder.split(text, title=title)]
    judged = {line.split("\t")[0] for line in (data / "qrels/test.tsv").read_text().splitlines()[1:]}
    asked = [q["text"] for q in _lines(data / "queries.jsonl") if str(q["_id"]) in judged][:queries]
    about = {"source": data.name, "passages": len(texts), "queries": len(asked)}
    _encode(folder, texts, asked, about)


def _lines(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _encode(folder: Path, texts: list[str], questions: list[str], about: dict) -> None:
    import weft

    encoder = weft.Encoder.open()
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    stamp = parts / "about.json"
    expected = json.dumps(about | {"model": encoder.fingerprint})
    if stamp.exists() and stamp.read_text() != expected:
        raise SystemExit(
            f"{folder} holds parts of something else ({stamp.read_text()}): remove it or give another folder"
        )
    stamp.write_text(expected)
    matrices: list[np.ndarray] = []
    for first in range(0, len(texts), PART):
        file = parts / f"{first:07d}.npz"
        if not file.exists():
            found = encoder.encode_document(texts[first : first + PART], truncate=True)
            part = file.with_suffix(".part.npz")
            np.savez(part, vectors=np.concatenate(found).astype(np.float16), lengths=[len(m) for m in found])
            part.replace(file)
            print(f"{first + len(found):,} of {len(texts):,} passages", flush=True)
        stored = np.load(file)
        matrices += np.split(stored["vectors"], np.cumsum(stored["lengths"])[:-1])
    ids = _token_ids(encoder, texts)
    assert [len(i) for i in ids] == [len(m) for m in matrices], "a token id for every vector"
    about |= {"model": encoder.name, "dim": encoder.dim, "tokens": sum(map(len, matrices))}
    vectors.write(folder, matrices, encoder.encode_query(questions), ids, about)


def _token_ids(encoder: weft.Encoder, texts: list[str]) -> list[list[int]]:
    """Ids of the tokens that have a vector; the public `Encoder.tokens` gives their text alone."""
    tokeniser = encoder._tokeniser
    rows = tokeniser.documents(texts, truncate=True)
    return [[row.ids[i] for i in tokeniser.kept(row.ids, "document")] for row in rows]
