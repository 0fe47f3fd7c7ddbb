"""Make a toy model directory: BERT's real vocabulary rules on few words, a graph without a backbone.

    make(directory, expand=True)

The graph looks up a vector for each id and position and adds a share of the mean over attended positions, so
that results depend on words, places and attention, as a real network's do, and can be computed by hand.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:
    from pathlib import Path

DIM = 16
POSITIONS = 64
MIXED = 0.25
"""Share of the attended mean in every vector."""

_SPECIAL = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_MARKS = [".", ",", "!", "?", "(", ")"]
_CONTENT = ["what", "color", "is", "amber", "urine", "##s", "the", "a", "sea", "wind", "in", "and", "sail"]
WORDS = [*_SPECIAL, *_MARKS, *_CONTENT, "hello", "world"]


def tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of the ids and of the positions."""
    generator = np.random.default_rng(5)
    words = generator.normal(size=(len(WORDS), DIM)).astype(np.float32)
    return words, 0.1 * generator.normal(size=(POSITIONS, DIM)).astype(np.float32)


def make(directory: Path, *, expand: bool = True, attend: bool = False, markers: bool = True) -> Path:
    """Write the model's files and return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    specials = [("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=specials)
    # As checkpoints are saved: with the limits of their training, which the encoder must not obey.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {
        "model_type": "ColBERT",
        "query_prefix": "[unused0]" if markers else "",
        "document_prefix": "[unused1]" if markers else "",
        "query_length": 12,
        "document_length": 20,
        "do_query_expansion": expand,
        "attend_to_expansion_tokens": attend,
    }
    (directory / "config_sentence_transformers.json").write_text(json.dumps(settings), encoding="utf-8")
    config = {"model_type": "bert", "max_position_embeddings": POSITIONS}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    onnx.save(_graph(), directory / "model.onnx")
    return directory


def _graph() -> onnx.ModelProto:
    words, positions = tables()
    constants = {
        "words": words,
        "positions": positions,
        "zero": np.zeros(1, np.int64),
        "last": np.array([-1], np.int64),
        "one": np.array([1], np.int64),
        "mixed": np.float32(MIXED),
    }
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["word"]),
        helper.make_node("Shape", ["input_ids"], ["length"], start=1, end=2),
        helper.make_node("Slice", ["positions", "zero", "length"], ["place"]),
        helper.make_node("Add", ["word", "place"], ["token"]),
        helper.make_node("Cast", ["attention_mask"], ["float_mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["float_mask", "last"], ["mask"]),
        helper.make_node("Mul", ["token", "mask"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "one"], ["sum"], keepdims=1),
        helper.make_node("ReduceSum", ["mask", "one"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Mul", ["mean", "mixed"], ["share"]),
        helper.make_node("Add", ["token", "share"], ["output"]),
    ]
    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    )
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", "length", DIM])
    initial = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", [ids, mask], [output], initial)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
