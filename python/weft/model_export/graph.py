"""From a network in torch to an ONNX file, through optimum.

optimum knows how each architecture must be traced (masks without vmap, operators torch cannot write). Weft
gives it a configuration of the architecture with other ends: ids and attention in, the vectors out, free
batch and length.

torch and optimum are imported at the head: see `network.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from optimum.exporters.onnx.convert import export
from optimum.exporters.tasks import TasksManager

from weft.errors import ModelError
from weft.model_export.quiet import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from weft.model_export.network import Network

__all__ = ["OUTPUT", "write_graph"]

OUTPUT = "contextual"
"""Name of the output in colbert-ai's, RAGatouille's and Vespa's exports: who finds it finds finished
vectors."""

_AXES = {0: "batch", 1: "length"}
_INPUTS = ("input_ids", "attention_mask")
_TASK = "feature-extraction"


def write_graph(network: Network, path: Path, opset: int) -> None:
    """Trace a network and write it; weights of one over 2 GB go to `<name>_data` beside the file.

    Parameters
    ----------
    network : Network
        Loaded with plain attention.
    path : Path
        The file to write.
    opset : int
        Version of ONNX's operators.

    Raises
    ------
    ModelError
        If optimum does not export this kind of backbone, or fails to.
    """
    configuration = _configuration(network.config)
    try:
        with quiet():
            export(network, configuration, path, opset=opset)
    # torch raises many kinds for what it cannot trace or write.
    except (RuntimeError, ValueError, TypeError, torch.onnx.OnnxExporterError) as error:
        raise ModelError(
            f"optimum could not export the {network.config.model_type} backbone: {error}"
        ) from error


def _configuration(config: Any) -> Any:
    """Return optimum's configuration for a backbone, with the ends of a ColBERT graph."""
    kind = config.model_type
    try:
        make = TasksManager.get_exporter_config_constructor(
            "onnx", library_name="transformers", task=_TASK, model_type=kind
        )
    except (KeyError, ValueError) as error:
        raise ModelError(f"optimum does not export backbones of type {kind!r}: {error}") from error
    known = make.func
    foreign = set(known(config, task=_TASK).inputs) - {*_INPUTS, "token_type_ids"}
    if foreign:
        raise ModelError(f"a backbone of type {kind!r} takes {sorted(foreign)}, which a text encoder lacks")
    ends = {
        "inputs": property(lambda _: dict.fromkeys(_INPUTS, _AXES)),
        "outputs": property(lambda _: {OUTPUT: _AXES}),
    }
    return type("ColbertOnnxConfig", (known,), ends)(config, task=_TASK)
