"""Build the small colbert-ai goldens.

    python tests/reference/indexes/checkpoint.py WORK/minilm-32 --dim 32
    cd WORK && python .../tests/reference/indexes/colbert_ai_goldens.py

The working directory holds the checkpoint `minilm-32` and receives `experiments/`; paths inside the indexes are
relative to it. Writes golden/shared (what colbert-ai's encoder made of passages and queries, rounded to float16; the
searches use the rounded queries) and golden/colbert-ai/*. What each golden is stands in golden/README.md.
"""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import colbert_ai
import golden
import numpy as np
import torch
import torch_files
from colbert import IndexUpdater
from colbert.indexing import collection_indexer
from colbert.indexing.codecs.residual_embeddings import ResidualEmbeddings
from colbert.utils import coalesce

CHECKPOINT = "minilm-32"
DOC_MAXLEN = 64
FEW = 18
MANY = 104
CHUNK = 7
REMOVED = [3, 7, 8, 17]
SEARCHES = (
    {"k": 10, "ncells": 1, "centroid_score_threshold": 0.5, "ndocs": 256},
    {"k": 10, "ncells": 4, "centroid_score_threshold": 0.3, "ndocs": 64},
)
DECODED = 3
QUERIES = 20
VERSIONS = golden.versions("colbert-ai", "torch", "faiss-cpu", "transformers", "numpy")


def describe(path: Path, settings: dict[str, Any], made: str) -> dict[str, Any]:
    """Tell what the library wrote, in numbers taken from its own files."""
    metadata = json.loads((path / "metadata.json").read_text())
    chunks = range(metadata["num_chunks"])
    lengths = [json.loads((path / f"doclens.{chunk}.json").read_text()) for chunk in chunks]
    return {
        "versions": VERSIONS,
        "made": made,
        "settings": settings,
        "nbits": metadata["config"]["nbits"],
        "dim": metadata["config"]["dim"],
        "chunks": len(lengths),
        "partitions": metadata["num_partitions"],
        "doclens": [length for chunk in lengths for length in chunk],
    }


def finish(
    name: str, collection: Any, queries: np.ndarray, expected: dict[str, Any], *, full: bool = False
) -> None:
    """Search the index as it lies, by the library, and keep both; in full also with decoded vectors."""
    path = Path("experiments/golden/indexes") / name
    # The library adds files to what it opens (ivf.pid.pt beside an ivf.pt), so it opens a copy.
    opened_path = path.with_name(f"{name}-opened")
    shutil.rmtree(opened_path, ignore_errors=True)
    shutil.copytree(path, opened_path)
    opened = colbert_ai.searcher(opened_path.name, collection)
    asked = queries if full else queries[:QUERIES]
    expected["searches"] = [
        colbert_ai.search(opened, asked, **parameters) for parameters in SEARCHES[: 2 if full else 1]
    ]
    kept = golden.keep("colbert-ai", name, path, expected)
    if not full:
        return
    tokens = sum(expected["doclens"][:DECODED])
    embeddings = ResidualEmbeddings.load_chunks(
        str(path), range(expected["chunks"]), sum(expected["doclens"])
    )
    coded = ResidualEmbeddings(embeddings.codes[:tokens], embeddings.residuals[:tokens])
    np.save(kept / "decoded.npy", opened.ranker.codec.decompress(coded).numpy())


def variant(name: str, source: Path) -> Path:
    """Copy an index under another name."""
    path = source.with_name(name)
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(source, path)
    return path


def main() -> None:
    """Build all."""
    shutil.copyfile(golden.SHARED / "collection.tsv", "collection.tsv")
    lines = Path("collection.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("few.tsv").write_text("".join(lines[:FEW]), encoding="utf-8")
    common = {"doc_maxlen": DOC_MAXLEN, "kmeans_niters": 4}

    queries = None
    for nbits in (1, 2, 4):
        settings = {**common, "nbits": nbits}
        path = colbert_ai.build(f"{nbits}bit", CHECKPOINT, "collection.tsv", **settings)
        if queries is None:
            vectors, lengths = colbert_ai.encoded()[0]
            np.save(golden.SHARED / "vectors.npy", vectors)
            (golden.SHARED / "doclens.json").write_text(json.dumps(lengths) + "\n")
            opened = colbert_ai.searcher(f"{nbits}bit", "collection.tsv")
            queries = colbert_ai.encode_queries(opened, golden.queries()).astype(np.float16)
            np.save(golden.SHARED / "queries.npy", queries)
        expected = describe(path, settings, "Indexer.index of collection.tsv")
        finish(f"{nbits}bit", "collection.tsv", queries, expected, full=True)

    settings = {**common, "nbits": 2}
    chunked = colbert_ai.build("chunks", CHECKPOINT, "few.tsv", chunk=CHUNK, **settings)
    made = f"Indexer.index of few.tsv, Collection.get_chunksize replaced by {CHUNK}: its least is the whole collection"
    finish("chunks", "few.tsv", queries, describe(chunked, settings, made))

    coalesced = variant("coalesced", chunked)
    shutil.rmtree(coalesced)
    coalesce.main(Namespace(input=str(chunked), output=str(coalesced)))
    finish(
        "coalesced",
        "few.tsv",
        queries,
        describe(coalesced, settings, "colbert/utils/coalesce.py on `chunks`"),
    )

    removed = variant("removed", chunked)
    opened = colbert_ai.searcher("removed", "few.tsv")
    updater = IndexUpdater(opened.config, opened)
    updater.remove(REMOVED)
    updater.persist_to_disk()
    made = f"IndexUpdater.remove({REMOVED}), persist_to_disk on `chunks`; num_embeddings is inflated by the library"
    finish("removed", "few.tsv", queries, describe(removed, settings, made))

    texts = [f"{title} | {text}" for text, title in golden.collection()[:FEW]]
    path = colbert_ai.build("list", CHECKPOINT, texts, **settings)
    made = "Indexer.index of a list of 18 texts: metadata.json holds the texts"
    finish("list", texts, queries, describe(path, settings, made))

    sentences = [s for text, _ in golden.collection() for s in text.split(". ")][:MANY]
    short = {**settings, "doc_maxlen": 10}
    path = colbert_ai.build("long-list", CHECKPOINT, sentences, **short)
    made = f"Indexer.index of a list of {MANY} texts (collection.tsv split at '. '): metadata.json has three of them"
    finish("long-list", sentences, queries, describe(path, short, made))
    lines = [f"{pid}\t{text}\n" for pid, text in enumerate(sentences)]
    (golden.GOLDEN / "colbert-ai" / "long-list" / "collection.tsv").write_text(
        "".join(lines), encoding="utf-8"
    )

    # What optimize_ivf is given is what releases before it existed wrote as ivf.pt.
    given: list[Any] = []
    own = collection_indexer.optimize_ivf
    collection_indexer.optimize_ivf = lambda *arguments, **named: (
        given.append(arguments) or own(*arguments, **named)
    )
    few = colbert_ai.build("few", CHECKPOINT, "few.tsv", **settings)
    collection_indexer.optimize_ivf = own
    ivf, ivf_lengths, _ = given[0]
    old = variant("old-ivf", few)
    (old / "ivf.pid.pt").unlink()
    torch.save((ivf, ivf_lengths), old / "ivf.pt")
    made = "ivf.pt (centroid to embedding ids) in place of ivf.pid.pt, as before ivf.pid.pt existed; few.tsv"
    finish("old-ivf", "few.tsv", queries, describe(old, settings, made))

    cuda = variant("cuda", few)
    torch_files.as_if_built_on_gpu(cuda)
    made = "files written again as a GPU build writes them: storages tagged cuda:0, float16 weights and avg_residual"
    finish("cuda", "few.tsv", queries, describe(cuda, settings, made))

    legacy = variant("legacy", few)
    torch_files.as_if_before_zip(legacy)
    made = "files written again by torch.save without a zip container, as torch before 1.6 did"
    finish("legacy", "few.tsv", queries, describe(legacy, settings, made))


if __name__ == "__main__":
    main()
