"""Which files of a checkpoint hold its network: an ONNX graph, or weights in safetensors.

A pickle runs code when it is read. Nothing here opens one; the error says how to convert it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.encoder.checkpoint.json_file import JsonFile
from weft.encoder.checkpoint.layout import read_layout
from weft.encoder.checkpoint.shape import read_shape
from weft.errors import ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from weft.encoder.checkpoint.layout import Layout

__all__ = [
    "GRAPHS",
    "external_data",
    "faithful_graph",
    "graph_in",
    "lacks_projection",
    "leaves_out",
    "missing",
    "pickled",
    "weight_files",
]

GRAPHS = (
    "model_int8.onnx",
    "model_quantized.onnx",
    "model.onnx",
    "vespa_colbert.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model.onnx",
)
"""Where exporters put the graph, best first: int8 before float, and what exporters of late-interaction models
write before what others write, which is the backbone alone. Files made for one instruction set
(`model_qint8_<isa>.onnx`) are left out: on another they are slow, or saturate."""

_WEIGHTS = "model.safetensors"
_PICKLES = (".bin", ".dnn", ".pt", ".pth", ".ckpt", ".pkl")


def graph_in(directory: Path) -> str | None:
    """Return the relative path of the best graph in a model's directory, None when there is none."""
    return next((name for name in GRAPHS if (directory / name).is_file()), None)


def leaves_out(layout: Layout) -> bool:
    """Whether the graphs of a checkpoint leave out a part of the model.

    next-plaid's exporter, told by its `onnx_config.json`, drops activations and residuals of Dense layers.
    """
    exported = (layout.directory / "onnx_config.json").is_file()
    return exported and not all(read_shape(folder).linear for folder in layout.modules.dense())


def faithful_graph(layout: Layout) -> str | None:
    """Return the best graph that is the model, None when there is none and the weights are to be opened."""
    return None if leaves_out(layout) else graph_in(layout.directory)


def lacks_projection(layout: Layout, graph: str) -> bool:
    """Whether a graph is likely to be the backbone alone, so that the projection has to be fetched with it.

    colbert-ai keeps the projection with the backbone's weights. In `onnx/` lie the exports of tools that know
    backbones only. One of a backbone with code of its own (jina-colbert-v2) was made by the model's makers.
    """
    own_code = "AutoModel" in layout.modules.config.within("auto_map")
    return layout.inline_projection() and "/" in graph and not own_code


def external_data(graph: str, names: Iterable[str]) -> list[str]:
    """Return which of these files hold weights that the graph keeps outside: those named after it."""
    return sorted(name for name in names if name.startswith((f"{graph}_data", f"{graph}.data")))


def pickled(names: Iterable[str]) -> str | None:
    """Return the first name of a file that pickle would read."""
    return next((name for name in sorted(names) if name.endswith(_PICKLES)), None)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files of a backbone or a Dense layer, several when the weights are sharded.

    Raises
    ------
    ModelNotFound
        If there are none.
    ModelError
        If there are only pickles, or the index of the shards cannot be used.
    """
    whole = folder / _WEIGHTS
    if whole.is_file():
        return (whole,)
    index = JsonFile.read(folder / f"{_WEIGHTS}.index.json")
    if index.path.is_file():
        return _shards(index)
    found = pickled(path.name for path in folder.iterdir()) if folder.is_dir() else None
    if found is not None:
        raise ModelError(
            f"{folder / found}: pickled weights can run code and are not read: load the model once with the "
            "library that made it and call save_pretrained(..., safe_serialization=True)"
        )
    raise ModelNotFound(f"{folder}: no weights, looked for {_WEIGHTS}")


def _shards(index: JsonFile) -> tuple[Path, ...]:
    folder = index.path.parent
    found: set[Path] = set()
    for name in index.within("weight_map").content.values():
        if not isinstance(name, str) or "/" in name or "\\" in name:
            raise ModelError(f"{index.path}: {name!r} is no file beside it")
        if not (folder / name).is_file():
            raise ModelNotFound(f"{folder / name}: no such file, and {index.path.name} names it")
        found.add(folder / name)
    return tuple(sorted(found))


def missing(directory: Path) -> str | None:
    """Say what a checkpoint lacks to be opened, None when it is complete.

    What is there and wrong is not missing: it is named when the checkpoint is opened.
    """
    try:
        layout = read_layout(directory)
    except ModelError as error:
        return str(error)
    folders = (layout.modules.transformer, directory)
    if not any((folder / name).is_file() for folder in folders for name in ("tokenizer.json", "vocab.txt")):
        return f"{directory}: no tokenizer.json and no vocab.txt"
    for folder in layout.modules.dense():
        if not (folder / "config.json").is_file():
            return f"{folder / 'config.json'}: no such file"
    try:
        graph = faithful_graph(layout)
        if graph is not None and not lacks_projection(layout, graph):
            return None
        weight_files(layout.modules.transformer)
        for folder in layout.modules.dense():
            weight_files(folder)
    except ModelNotFound as error:
        return f"{error}; nor an ONNX graph, looked for {', '.join(GRAPHS)}"
    except ModelError:
        return None
    return None
