"""Write tiny checkpoints with random weights in every layout: numpy alone, no framework.

    made = stanford(directory)            # also pylate(...), multivector(...)
    made.tensors, made.config, made.dense

The backbones are BERT, XLM-R (RoBERTa's positions), DistilBERT and ModernBERT with a few layers of 32 components.
Tokenizers have the words of `make_toy.py`; what files say is what the real libraries write. The tests hold the
encoder to `plain_forward.py`, which computes the same networks from the tensors in float64.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from make_toy import WORDS
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN, INNER, HEADS, LAYERS, POSITIONS, DIM = 32, 48, 4, 3, 40, 16

BERT = {
    "model_type": "bert",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "max_position_embeddings": POSITIONS,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "pad_token_id": 0,
}
XLM_R = {
    **BERT,
    "model_type": "xlm-roberta",
    "max_position_embeddings": POSITIONS + 2,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
}
DISTILBERT = {
    "model_type": "distilbert",
    "dim": HIDDEN,
    "hidden_dim": INNER,
    "n_heads": HEADS,
    "n_layers": LAYERS,
    "max_position_embeddings": POSITIONS,
    "activation": "gelu",
}
MODERNBERT = {
    "model_type": "modernbert",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_attention_heads": HEADS,
    "num_hidden_layers": 5,
    "max_position_embeddings": POSITIONS,
    "norm_eps": 1e-5,
    "hidden_activation": "gelu",
    "local_attention": 24,
    "global_attn_every_n_layers": 3,
    "global_rope_theta": 160000.0,
    "local_rope_theta": 10000.0,
    "norm_bias": False,
    "attention_bias": False,
    "mlp_bias": False,
}
ROBERTA_WORDS = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    *("▁" + word for word in WORDS[13:]),
    "▁",
    ".",
    "!",
    "<mask>",
]


@dataclass
class Layer:
    """A Dense layer: weights as stored, [out, in], and the class of its activation."""

    weight: np.ndarray
    bias: np.ndarray | None = None
    activation: str = "torch.nn.modules.linear.Identity"
    residual: np.ndarray | str | None = None


@dataclass
class Made:
    """What was written, for a test to compute with."""

    directory: Path
    config: dict
    tensors: dict[str, np.ndarray]
    dense: list[Layer] = field(default_factory=list)


def random_layer(seed: int, inputs: int, outputs: int, **options: object) -> Layer:
    """Make a Dense layer with random weights."""
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(outputs, inputs)).astype(np.float32) / math.sqrt(inputs)
    layer = Layer(weight, **options)
    if layer.bias is True:
        layer.bias = generator.normal(size=outputs).astype(np.float32)
    if layer.residual is True:
        square = inputs == outputs
        layer.residual = "identity" if square else generator.normal(size=weight.shape).astype(np.float32)
    return layer


def random_tensors(config: dict, words: int, *, biases: bool = False) -> dict[str, np.ndarray]:
    """Make the weights of a backbone under the names that transformers gives them."""
    generator = np.random.default_rng(11)
    made: dict[str, np.ndarray] = {}

    def put(name: str, *shape: int) -> None:
        made[name] = generator.normal(size=shape).astype(np.float32) / math.sqrt(shape[-1])

    def norm(name: str, *, bias: bool = True) -> None:
        made[f"{name}.weight"] = 1 + 0.1 * generator.normal(size=HIDDEN).astype(np.float32)
        if bias:
            made[f"{name}.bias"] = 0.1 * generator.normal(size=HIDDEN).astype(np.float32)

    def linear(name: str, outputs: int, inputs: int, *, bias: bool = True) -> None:
        put(f"{name}.weight", outputs, inputs)
        if bias:
            made[f"{name}.bias"] = 0.1 * generator.normal(size=outputs).astype(np.float32)

    if config["model_type"] == "modernbert":
        put("embeddings.tok_embeddings.weight", words, HIDDEN)
        norm("embeddings.norm", bias=biases)
        for layer in range(config["num_hidden_layers"]):
            at = f"layers.{layer}"
            if layer:
                norm(f"{at}.attn_norm", bias=biases)
            linear(f"{at}.attn.Wqkv", 3 * HIDDEN, HIDDEN, bias=biases)
            linear(f"{at}.attn.Wo", HIDDEN, HIDDEN, bias=biases)
            norm(f"{at}.mlp_norm", bias=biases)
            linear(f"{at}.mlp.Wi", 2 * INNER, HIDDEN, bias=biases)
            linear(f"{at}.mlp.Wo", HIDDEN, INNER, bias=biases)
        norm("final_norm", bias=biases)
        return made
    put("embeddings.word_embeddings.weight", words, HIDDEN)
    put("embeddings.position_embeddings.weight", config["max_position_embeddings"], HIDDEN)
    norm("embeddings.LayerNorm")
    distil = config["model_type"] == "distilbert"
    if not distil:
        put("embeddings.token_type_embeddings.weight", 2, HIDDEN)
        # Saved by every library, used by none of them.
        linear("pooler.dense", HIDDEN, HIDDEN)
        made["embeddings.position_ids"] = np.arange(config["max_position_embeddings"])[None]
    for layer in range(LAYERS):
        at = f"transformer.layer.{layer}" if distil else f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            linear(
                f"{at}.attention.{part[0]}_lin" if distil else f"{at}.attention.self.{part}", HIDDEN, HIDDEN
            )
        linear(f"{at}.attention.out_lin" if distil else f"{at}.attention.output.dense", HIDDEN, HIDDEN)
        norm(f"{at}.sa_layer_norm" if distil else f"{at}.attention.output.LayerNorm")
        linear(f"{at}.ffn.lin1" if distil else f"{at}.intermediate.dense", INNER, HIDDEN)
        linear(f"{at}.ffn.lin2" if distil else f"{at}.output.dense", HIDDEN, INNER)
        norm(f"{at}.output_layer_norm" if distil else f"{at}.output.LayerNorm")
    return made


def stanford(
    directory: Path,
    *,
    config: dict = BERT,
    metadata: dict | None = None,
    prefix: str = "bert.",
    kind: str = "F32",
    vocabulary: bool = False,
) -> Made:
    """Write colbert-ai's layout; `metadata` None leaves `artifact.metadata` out."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(directory, config, vocabulary=vocabulary)
    tensors = random_tensors(config, tokenizer.get_vocab_size())
    head = random_layer(3, HIDDEN, DIM)
    stored = {f"{prefix}{name}": value for name, value in tensors.items()}
    write_safetensors(directory / "model.safetensors", {**stored, "linear.weight": head.weight}, kind)
    write_json(directory / "config.json", {**config, "architectures": ["HF_ColBERT"]})
    if metadata is not None:
        write_json(directory / "artifact.metadata", metadata)
    return Made(directory, config, tensors, [head])


def pylate(
    directory: Path,
    *,
    config: dict = MODERNBERT,
    dense: list[Layer] | None = None,
    folder: str = "",
    pooling: bool = False,
    biases: bool = False,
    **settings: object,
) -> Made:
    """Write PyLate's layout; `folder` is where the Transformer lies."""
    inner = directory / folder
    inner.mkdir(parents=True, exist_ok=True)
    markers = [
        settings.get(f"{kind}_prefix", default) for kind, default in (("query", "[Q] "), ("document", "[D] "))
    ]
    tokenizer = write_tokenizer(inner, config, markers=markers)
    tensors = random_tensors(config, tokenizer.get_vocab_size(), biases=biases)
    dense = [random_layer(3, HIDDEN, DIM)] if dense is None else dense
    write_safetensors(inner / "model.safetensors", tensors)
    write_json(inner / "config.json", config)
    write_json(inner / "sentence_bert_config.json", {"max_seq_length": 7, "do_lower_case": False})
    modules = [{"idx": 0, "name": "0", "path": folder, "type": "sentence_transformers.models.Transformer"}]
    if pooling:
        modules.append(
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
        )
    for layer in dense:
        path = f"{len(modules)}_Dense"
        modules.append({"idx": 1, "name": "1", "path": path, "type": "pylate.models.Dense.Dense"})
        write_dense(directory / path, layer)
    write_json(directory / "modules.json", modules)
    written = {"model_type": "ColBERT", "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12}
    written |= {"document_length": 30, "do_query_expansion": True, **settings}
    write_json(directory / "config_sentence_transformers.json", written)
    return Made(directory, config, tensors, dense)


def multivector(
    directory: Path, *, config: dict = MODERNBERT, transformer: dict | None = None, mask: dict | None = None
) -> Made:
    """Write the layout of Sentence Transformers 6."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(directory, config, markers=["[Q] ", "[D] "])
    tensors = random_tensors(config, tokenizer.get_vocab_size())
    head = random_layer(3, HIDDEN, DIM)
    write_safetensors(directory / "model.safetensors", tensors)
    write_json(directory / "config.json", config)
    kinds = ("Transformer", "Dense", "MultiVectorMask", "Normalize")
    where = (
        "base.modules.transformer",
        "base.modules.dense",
        "multi_vector_encoder.modules.multi_vector_mask",
    )
    where = (*where, "base.modules.normalize")
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{kind}" if i else "",
            "type": f"sentence_transformers.{module}.{kind}",
        }
        for i, (kind, module) in enumerate(zip(kinds, where, strict=True))
    ]
    write_json(directory / "modules.json", modules)
    write_dense(directory / "1_Dense", head, module_input_name="token_embeddings")
    (directory / "2_MultiVectorMask").mkdir()
    saved = {
        "skiplist_words": [".", "!", "zebra"],
        "skiplist_tasks": ["document"],
        "keep_only_token_ids": None,
    }
    write_json(directory / "2_MultiVectorMask" / "config.json", {**saved, **(mask or {})})
    (directory / "3_Normalize").mkdir()
    write_json(directory / "3_Normalize" / "config.json", {"module_input_name": "token_embeddings"})
    text = {"method": "forward", "method_output_name": "last_hidden_state"}
    own = {"transformer_task": "feature-extraction", "modality_config": {"text": text}}
    own |= {"module_output_name": "token_embeddings", "document_length": 30}
    write_json(directory / "sentence_bert_config.json", {**own, **(transformer or {})})
    sentence = {"model_type": "MultiVectorEncoder", "prompts": {"query": "[Q] ", "document": "[D] "}}
    write_json(directory / "config_sentence_transformers.json", {**sentence, "similarity_fn_name": "maxsim"})
    return Made(directory, config, tensors, [head])


def write_tokenizer(
    folder: Path, config: dict, *, markers: list | tuple = (), vocabulary: bool = False
) -> Tokenizer:
    """Write the tokenizer of the backbone's family; `vocabulary` writes BERT's as vocab.txt alone."""
    kind = config["model_type"]
    if vocabulary:
        (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    tokenizer = {"modernbert": byte_tokenizer, "xlm-roberta": sentence_tokenizer}.get(kind, word_tokenizer)()
    tokenizer.add_tokens([AddedToken(marker, normalized=True, special=False) for marker in markers if marker])
    if not vocabulary:
        tokenizer.save(str(folder / "tokenizer.json"))
        mask = "<mask>" if kind == "xlm-roberta" else "[MASK]"
        write_json(folder / "tokenizer_config.json", {"mask_token": mask, "model_max_length": POSITIONS})
    return tokenizer


def word_tokenizer() -> Tokenizer:
    """BERT's: words and pieces of words."""
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = _between(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def byte_tokenizer() -> Tokenizer:
    """ModernBERT's: pairs of bytes, blanks as parts of words; here every byte is a token, and a few words."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: i for i, letter in enumerate(letters)}
    merges = []
    for word in ("sea", "Ġsea", "Ġwind"):
        for end in range(2, len(word) + 1):
            if word[:end] not in words:
                words[word[:end]] = len(words)
                merges.append((word[: end - 1], word[end - 1]))
    tokenizer = Tokenizer(models.BPE(words, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    tokenizer.post_processor = _between(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def sentence_tokenizer() -> Tokenizer:
    """XLM-R's: pieces of a sentence, blanks as a letter of their own."""
    tokenizer = Tokenizer(models.Unigram([(word, -1.0) for word in ROBERTA_WORDS], 3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = _between(tokenizer, "<s>", "</s>")
    return tokenizer


def _between(tokenizer: Tokenizer, first: str, last: str) -> processors.TemplateProcessing:
    specials = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    return processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=specials)


def write_dense(folder: Path, layer: Layer, **more: object) -> None:
    """Write a Dense module."""
    folder.mkdir(parents=True)
    outputs, inputs = layer.weight.shape
    config = {"in_features": inputs, "out_features": outputs, "bias": layer.bias is not None}
    config |= {"activation_function": layer.activation, "use_residual": layer.residual is not None, **more}
    write_json(folder / "config.json", config)
    tensors = {"linear.weight": layer.weight}
    if layer.bias is not None:
        tensors["linear.bias"] = layer.bias
    if isinstance(layer.residual, np.ndarray):
        tensors["residual.weight"] = layer.residual
    write_safetensors(folder / "model.safetensors", tensors)


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], kind: str = "F32") -> None:
    """Write tensors; floating-point ones as F32, F16 or BF16."""
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, value in tensors.items():
        if value.dtype == np.int64:
            stored, written = value, "I64"
        elif kind == "BF16":
            stored, written = (value.view(np.uint32) >> 16).astype(np.uint16), kind
        else:
            stored, written = value.astype({"F32": np.float32, "F16": np.float16}[kind]), kind
        data = np.ascontiguousarray(stored).tobytes()
        header[name] = {"dtype": written, "shape": list(value.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))


def write_json(path: Path, content: object) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(content), encoding="utf-8")
