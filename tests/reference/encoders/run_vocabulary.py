"""Keep the ids that colbert-ai makes with BERT's real vocabulary: ``run_vocabulary.py CHECKPOINT``.

CHECKPOINT is what `../indexes/checkpoint.py` writes; only its tokenizer counts, so no vectors are kept. The default
model has the same vocabulary, which is how CI comes by it.
"""

from __future__ import annotations

import sys

import encoder_golden
from run_colbert import PACKAGES, documents, load, queries
from texts import TEXTS


def main() -> None:
    """Write the golden."""
    (path,) = sys.argv[1:]
    model = load(path)
    kinds = {"query": queries(model, list(TEXTS)), "document": documents(model, list(TEXTS))}
    for one in (text for texts in kinds.values() for text in texts):
        one.vectors = None
    settings = {key: getattr(model.colbert_config, key) for key in ("query_maxlen", "doc_maxlen")}
    encoder_golden.write(
        "colbert-ai", "bert-base-uncased", PACKAGES, kinds, folder="vocabularies", **settings
    )


if __name__ == "__main__":
    main()
