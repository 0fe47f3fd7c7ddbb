"""The checkpoint to export, as far as its files say it: nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.encoder.checkpoint.files import weight_files
from weft.encoder.checkpoint.layout import Layout, read_layout
from weft.encoder.checkpoint.vocabulary import open_vocabulary
from weft.encoder.network import dense_layers
from weft.encoder.tokenise import Tokeniser
from weft.hub import locate
from weft.model_export.configuration import backbone_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from weft.encoder.dense import Dense

__all__ = ["Source", "read_source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A checkpoint.

    Attributes
    ----------
    name : str
        The hub id, or its directory's name.
    layout : Layout
        Whose layout it has, its settings, and where its parts are.
    configuration : dict
        The backbone's config.json, in transformers 4's names.
    layers : tuple of Dense
        The Dense layers behind the backbone.
    weights : tuple of Path
        All files with weights.
    """

    name: str
    layout: Layout
    configuration: dict[str, Any]
    layers: tuple[Dense, ...]
    weights: tuple[Path, ...]


def read_source(name: str) -> Source:
    """Read a checkpoint's settings, configuration and Dense layers.

    Parameters
    ----------
    name : str
        A directory or a hub id.

    Raises
    ------
    ModelNotFound
        If there is no such checkpoint, or no safetensors in it.
    ModelError
        If it is no late-interaction model, comes with pickled weights or with code of its own, or a marker
        has no token or no vector.
    """
    location = locate(name)
    layout = read_layout(location.directory)
    configuration = backbone_configuration(layout.modules.config)
    weights = weight_files(layout.modules.transformer)
    layers = dense_layers(layout)
    for layer in layers:
        weights += tuple(path for path in layer.files if path not in weights)
    tokeniser = Tokeniser(open_vocabulary((layout.modules.transformer, layout.directory)), layout.settings)
    tokeniser.check_fits(layout.modules.config.get("vocab_size", int, None))
    return Source(location.name, layout, configuration, layers, weights)
