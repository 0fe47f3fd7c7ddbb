"""Run colbert-ai on the checkpoints in Stanford's layout and keep what it does: ``run_colbert.py``."""

from __future__ import annotations

import encoder_golden
from checkpoints import opened
from colbert.infra import ColBERTConfig
from colbert.modeling.checkpoint import Checkpoint
from encoder_golden import Encoded
from texts import TEXTS

PACKAGES = ("colbert-ai", "torch", "transformers", "tokenizers", "numpy")
BATCH = 16


def queries(model: Checkpoint, texts: list[str]) -> list[Encoded]:
    """Encode as queries, as `Searcher.encode` does."""
    ids, attention = model.query_tokenizer.tensorize(texts)
    vectors = model.queryFromText(texts, bsize=BATCH, to_cpu=True)
    # No position of a query is ever dropped.
    kept = ids == ids
    return [Encoded(*map(_numpy, row)) for row in zip(ids, attention, kept, vectors, strict=True)]


def documents(model: Checkpoint, texts: list[str]) -> list[Encoded]:
    """Encode as passages, as the indexer does."""
    ids, attention = model.doc_tokenizer.tensorize(texts)
    kept = model.mask(ids, skiplist=model.skiplist)
    flat, lengths = model.docFromText(texts, bsize=BATCH, keep_dims="flatten", to_cpu=True)
    vectors = flat.split(lengths)
    return [
        Encoded(_numpy(i), _numpy(a), k, _numpy(v))
        for i, a, k, v in zip(ids, attention, kept, vectors, strict=True)
    ]


def _numpy(tensor):
    return tensor.numpy()


def load(path: str) -> Checkpoint:
    """Open a checkpoint; without `mask_punctuation` the library forgets the attribute it then reads."""
    model = Checkpoint(path, ColBERTConfig(), verbose=0)
    if model.name != path:
        raise SystemExit(f"{path}: colbert-ai fell back to {model.name}")
    if not model.colbert_config.mask_punctuation:
        model.skiplist = {}
    return model


def main() -> None:
    """Write the goldens."""
    for name in ("stanford", "stanford+attend", "stanford-xlmr"):
        with opened(name) as path:
            model = load(path)
        texts = list(TEXTS)
        kinds = {"query": queries(model, texts), "document": documents(model, texts)}
        encoder_golden.write("colbert-ai", name, PACKAGES, kinds, batch=BATCH)


if __name__ == "__main__":
    main()
