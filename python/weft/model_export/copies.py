"""The small files of a checkpoint that go with its export: settings, tokenizer, licence."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from weft.encoder.checkpoint.layout import Layout

__all__ = ["copy_small_files"]

_NAMES = (
    "artifact.metadata",
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "onnx_config.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
)
_TERMS = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
"""A licence asks to be passed on with what it is for."""


def copy_small_files(layout: Layout, out: Path) -> None:
    """Copy settings, tokenizer and licence, each to the place it has in the checkpoint."""
    root = layout.directory
    wanted = [folder / name for folder in {root, layout.modules.transformer} for name in _NAMES]
    wanted += [folder / "config.json" for _, folder in layout.modules.folders]
    wanted += [path for pattern in _TERMS for path in root.glob(pattern)]
    for path in wanted:
        if path.is_file():
            target = out / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
