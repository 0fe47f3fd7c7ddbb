"""next-plaid-onnx 1.6.1, its rules restated: ``next_plaid.py``. The crate itself is not run: it needs a Rust build and a graph.

Source: `next-plaid-onnx/src/lib.rs` and the exporter's `export.py` of lightonai/next-plaid, read, not copied. Kept are
ids, attention and kept tokens; vectors are those of any graph that gets them. `exported` is a directory as the exporter
leaves it, for which queries are never expanded; `expanded` has the same file with that corrected by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import encoder_golden
from checkpoints import CHECKPOINTS
from encoder_golden import Encoded
from texts import TEXTS
from tokenizers import Tokenizer

SOURCE = CHECKPOINTS / "pylate-bert"
DIRECTORIES = {
    "exported": {"do_query_expansion": False},
    "expanded": {"do_query_expansion": True, "attend_to_expansion_tokens": True},
}


def export(name: str, target: Path) -> Path:
    """Write the small files of an export of `pylate-bert` to `target` and return it."""
    target.mkdir()
    tokenizer = Tokenizer.from_file(str(SOURCE / "tokenizer.json"))
    tokenizer.save(str(target / "tokenizer.json"))
    pylate = json.loads((SOURCE / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    same = ("query_prefix", "document_prefix", "query_length", "document_length", "skiplist_words")
    settings = {
        "model_type": "ColBERT",
        "model_name": SOURCE.name,
        "model_class": "BertModel",
        "uses_token_type_ids": True,
        **{key: pylate[key] for key in same},
        "do_query_expansion": False,
        "attend_to_expansion_tokens": False,
        "embedding_dim": 12,
        "mask_token_id": tokenizer.token_to_id("[MASK]"),
        # PyLate makes the mask the token that pads, and the exporter takes it from there.
        "pad_token_id": tokenizer.token_to_id("[MASK]"),
        "query_prefix_id": tokenizer.token_to_id(pylate["query_prefix"]),
        "document_prefix_id": tokenizer.token_to_id(pylate["document_prefix"]),
        "do_lower_case": False,
    }
    (target / "onnx_config.json").write_text(json.dumps(settings | DIRECTORIES[name]), encoding="utf-8")
    return target


def encode(directory: Path, text: str, kind: str) -> Encoded:
    """Restate what the crate does with one text."""
    settings = json.loads((directory / "onnx_config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    query = kind == "query"
    text = text.strip()
    ids = tokenizer.encode(text.lower() if settings["do_lower_case"] else text).ids
    limit = settings["query_length" if query else "document_length"]
    if len(ids) > limit - 1:
        ids = [*ids[: limit - 2], ids[-1]]
    ids.insert(1, settings["query_prefix_id" if query else "document_prefix_id"])
    if query:
        masks = limit - len(ids) if settings["do_query_expansion"] else 0
        ids += [settings["mask_token_id"]] * masks
        # Masks are attended to whatever attend_to_expansion_tokens says.
        return Encoded(ids, [1] * len(ids), [1] * len(ids))
    skiplist = {tokenizer.token_to_id(word) for word in settings["skiplist_words"]}
    return Encoded(ids, [1] * len(ids), [id_ not in skiplist for id_ in ids])


def main() -> None:
    """Write the goldens."""
    for name in DIRECTORIES:
        with TemporaryDirectory() as folder:
            directory = export(name, Path(folder) / name)
            kinds = {
                kind: [encode(directory, text, kind) for text in TEXTS] for kind in ("query", "document")
            }
        encoder_golden.write(
            "next-plaid-onnx", name, ("tokenizers", "numpy"), kinds, folder="vocabularies", rules="1.6.1"
        )


if __name__ == "__main__":
    main()
