"""From config.json and tensors to a network: which family, which sizes, which names.

Weights lie under the backbone's names with a prefix or without (`bert.encoder...` in Stanford's layout,
`encoder...` in Sentence Transformers'). A backbone that is not built here is refused by name: it needs an
export.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from weft.encoder.graph.activation import ACTIVATIONS
from weft.encoder.graph.bert import Bert
from weft.encoder.graph.builder import GraphBuilder
from weft.encoder.graph.linear import FloatStyle
from weft.encoder.graph.modernbert import ModernBert
from weft.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from weft.encoder.checkpoint.json_file import JsonFile
    from weft.encoder.checkpoint.safetensors import Tensors

__all__ = ["BuiltGraph", "build_graph"]

_OUTPUT = "last_hidden_state"
_MOST_LAYERS = 1 << 10
_MOST_WIDTH = 1 << 16
_MOST_POSITIONS = 1 << 17
"""More than any backbone has: what config.json says decides what is allocated."""

_TYPES = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "modernbert")

_DISTILBERT_NAMES = (
    ("encoder.layer.", "transformer.layer."),
    (".attention.self.query.", ".attention.q_lin."),
    (".attention.self.key.", ".attention.k_lin."),
    (".attention.self.value.", ".attention.v_lin."),
    (".attention.output.dense.", ".attention.out_lin."),
    (".attention.output.LayerNorm.", ".sa_layer_norm."),
    (".intermediate.dense.", ".ffn.lin1."),
    (".output.dense.", ".ffn.lin2."),
    (".output.LayerNorm.", ".output_layer_norm."),
)
"""BERT's names and DistilBERT's, replaced in this order."""


@dataclass(frozen=True, slots=True)
class BuiltGraph:
    """A backbone ready for a session.

    Attributes
    ----------
    model : bytes
        The graph, in which large constants are named and left out.
    constants : dict of str to array
        These constants.
    words, positions : int
        Rows of the word table, and tokens that the network can read at once.
    description : str
        One line of JSON: all that was read from config.json, the same for equal networks.
    """

    model: bytes
    constants: dict[str, NDArray[Any]]
    words: int
    positions: int
    description: str


def build_graph(config: JsonFile, tensors: Tensors) -> BuiltGraph:
    """Build the backbone that config.json describes.

    Parameters
    ----------
    config : JsonFile
        The backbone's config.json.
    tensors : Tensors
        Its weights.

    Raises
    ------
    ModelError
        If the backbone is none of those built here, or its weights do not fit its configuration.
    """
    kind = config.get("model_type", str, "")
    if "AutoModel" in config.within("auto_map"):
        raise ModelError(
            f"{config.path}: the backbone {kind!r} is defined by code beside the weights (auto_map), and "
            "Weft runs no code from a checkpoint: use an ONNX export of it"
        )
    if kind not in _TYPES:
        raise ModelError(
            f"{config.path}: the backbone {kind!r} is not one whose graph Weft builds from weights, which "
            f"are {', '.join(_TYPES)}: use an ONNX export of it"
        )
    if kind == "modernbert":
        modern = _modernbert(config, tensors)
        network: Bert | ModernBert = modern
        table, positions = "embeddings.tok_embeddings.weight", modern.positions
    else:
        network = bert = _bert(config, tensors, kind)
        table = "embeddings.word_embeddings.weight"
        positions = len(bert.tensors["embeddings.position_embeddings.weight"])
        if bert.padding is not None:
            positions -= bert.padding + 1
    if network.hidden % network.heads:
        raise ModelError(f"{config.path}: {network.heads} heads do not divide {network.hidden} components")
    if network.activation not in ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        raise ModelError(f"{config.path}: the activation {network.activation!r} is none of {known}")
    words = network.tensors[table]
    if words.ndim != 2 or words.shape[1] != network.hidden:
        raise ModelError(f"{config.path}: hidden_size is {network.hidden}, the word table is {words.shape}")
    builder = GraphBuilder()
    state = ""
    try:
        for state in network.states(builder, FloatStyle()):  # noqa: B007  the last one is the result
            pass
    # From numpy, which finds tensors whose shapes do not fit one another.
    except (ValueError, IndexError) as error:
        raise ModelError(
            f"{tensors.paths[0]}: the shapes of the weights are not those of {config.path.name}: {error}"
        ) from error
    builder.name(state, _OUTPUT)
    model = builder.model([(_OUTPUT, network.hidden)], external=True)
    read = {one.name: getattr(network, one.name) for one in fields(network) if one.name != "tensors"}
    return BuiltGraph(
        model=model.SerializeToString(),
        constants=builder.large(),
        words=len(words),
        positions=positions,
        description=json.dumps({"type": kind, **read}, sort_keys=True),
    )


class _Prefixed:
    """Tensors under the names of the network, which stand behind a prefix in some files."""

    def __init__(self, tensors: Tensors, prefix: str, renamed: tuple[tuple[str, str], ...] = ()) -> None:
        self._tensors = tensors
        self._renamed = renamed
        bare = any(name.startswith("embeddings.") for name in tensors.names())
        self._prefix = "" if bare else f"{prefix}."

    def _stored(self, name: str) -> str:
        for ours, theirs in self._renamed:
            name = name.replace(ours, theirs)
        name = self._prefix + name
        if name in self._tensors:
            return name
        # As the first BERT named them, and transformers 5.3 again.
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._stored(name) in self._tensors

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._tensors.array(self._stored(name))


def _bert(config: JsonFile, tensors: Tensors, kind: str) -> Bert:
    """Read BERT's configuration, or a descendant's; absent values are those of transformers."""
    placed = config.get("position_embedding_type", str, "absolute")
    if placed != "absolute":
        raise ModelError(f"{config.path}: position_embedding_type is {placed!r}, only 'absolute' is built")
    if kind == "distilbert":
        return Bert(
            layers=config.count("n_layers", 6, most=_MOST_LAYERS),
            hidden=config.count("dim", 768, most=_MOST_WIDTH),
            heads=config.count("n_heads", 12, most=_MOST_WIDTH),
            epsilon=1e-12,
            tensors=_Prefixed(tensors, "distilbert", _DISTILBERT_NAMES),
            activation=config.get("activation", str, "gelu"),
        )
    descends = kind != "bert"
    return Bert(
        layers=config.count("num_hidden_layers", 12, most=_MOST_LAYERS),
        hidden=config.count("hidden_size", 768, most=_MOST_WIDTH),
        heads=config.count("num_attention_heads", 12, most=_MOST_WIDTH),
        epsilon=_epsilon(config, "layer_norm_eps", 1e-12),
        tensors=_Prefixed(tensors, "roberta" if descends else "bert"),
        activation=config.get("hidden_act", str, "gelu"),
        padding=config.count("pad_token_id", 1, least=0, most=_MOST_POSITIONS) if descends else None,
    )


def _modernbert(config: JsonFile, tensors: Tensors) -> ModernBert:
    """Read ModernBERT's configuration as transformers 4 or 5 writes it."""
    layers = config.count("num_hidden_layers", 22, most=_MOST_LAYERS)
    every = config.count("global_attn_every_n_layers", 3, most=_MOST_POSITIONS)
    usual = tuple("sliding_attention" if layer % every else "full_attention" for layer in range(layers))
    kinds = config.strings("layer_types", usual)
    if len(kinds) != layers or not set(kinds) <= {"sliding_attention", "full_attention"}:
        raise ModelError(f"{config.path}: layer_types does not name one of two kinds for each layer")
    theta = _theta(config, "full_attention", config.positive("global_rope_theta", 160_000.0))
    return ModernBert(
        layers=layers,
        hidden=config.count("hidden_size", 768, most=_MOST_WIDTH),
        heads=config.count("num_attention_heads", 12, most=_MOST_WIDTH),
        epsilon=_epsilon(config, "norm_eps", 1e-5),
        tensors=_Prefixed(tensors, "model"),
        activation=config.get("hidden_activation", str, "gelu"),
        positions=config.count("max_position_embeddings", 8192, most=_MOST_POSITIONS),
        windowed=tuple(kind == "sliding_attention" for kind in kinds),
        reach=config.count("local_attention", 128, least=0, most=_MOST_POSITIONS) // 2,
        theta=theta,
        local_theta=_theta(config, "sliding_attention", _local_theta(config, theta)),
    )


def _local_theta(config: JsonFile, theta: float) -> float:
    """Return the base in windowed layers: null means that of the others, absence 10,000."""
    default = theta if "local_rope_theta" in config else 10_000.0
    return config.positive("local_rope_theta", default)


def _theta(config: JsonFile, kind: str, default: float) -> float:
    parameters = config.within("rope_parameters").within(kind)
    rope = parameters.get("rope_type", str, "default")
    if rope != "default":
        raise ModelError(f"{config.path}: rope_type is {rope!r}, only 'default' is built")
    return parameters.positive("rope_theta", default)


def _epsilon(config: JsonFile, key: str, default: float) -> float:
    """Return what a layer norm adds to the variance: a small number, 0 included."""
    value: float = config.get(key, (float, int), default)
    if not 0 <= value <= 1:
        raise ModelError(f"{config.path}: {key} is outside 0 to 1")
    return float(value)
