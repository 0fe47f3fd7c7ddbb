"""The text on which the projection is fitted, and its hidden states. None of it is test data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import onnx
    from numpy.typing import NDArray

MOST_TEXTS = 4000
_BATCH = 16


def read_texts(paths: list[Path]) -> list[str]:
    """Return up to `MOST_TEXTS` distinct texts of each pairs file, evenly spread over it."""
    chosen: list[str] = []
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            texts = list(dict.fromkeys(json.loads(line)["positive"] for line in lines))
        step = max(1, len(texts) // MOST_TEXTS)
        chosen += texts[::step][:MOST_TEXTS]
    return chosen


def hidden_states(
    model: onnx.ModelProto, output: str, tokenizer_file: Path, texts: list[str]
) -> Iterator[NDArray[np.float32]]:
    """Yield the hidden states of the texts' tokens, punctuation included, batch by batch."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    rows = sorted((encoding.ids for encoding in tokenizer.encode_batch(texts)), key=len)
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        attention = np.zeros_like(ids)
        for line, row in enumerate(batch):
            ids[line, : len(row)] = row
            attention[line, : len(row)] = 1
        (states,) = session.run([output], {"input_ids": ids, "attention_mask": attention})
        yield states[attention.astype(bool)]
