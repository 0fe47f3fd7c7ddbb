"""From ids to unit vectors: a graph, the layers that it lacks, and normalisation.

The graph is a file of the checkpoint, or it is made from the weights when there is none. An export may have
the projection inside or end with the backbone; which of them is told by the name and width of its output, so
that nothing is applied twice or left out.

Vectors are normalised here even when the graph does it already: exports differ in that, and a second division
costs nothing beside the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from weft.encoder.checkpoint.files import GRAPHS, external_data, faithful_graph, weight_files
from weft.encoder.checkpoint.safetensors import Tensors
from weft.encoder.checkpoint.shape import read_shape
from weft.encoder.dense import Dense, read_dense, stanford_dense
from weft.encoder.session import FINISHED, EncoderSession
from weft.errors import ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from weft.encoder.checkpoint import Layout

__all__ = ["Network", "dense_layers", "open_network"]

_LEAST_NORM = np.float32(1e-12)


@dataclass(frozen=True, slots=True)
class Network:
    """An opened network.

    Attributes
    ----------
    session : EncoderSession
        The graph.
    graph : Path or None
        Its file; None when it was made from weights.
    files : tuple of Path
        Every file with numbers that vectors hang on: graph and external data, or weights, and Dense layers.
    dense : tuple of Dense
        What is applied to the graph's output.
    description : str
        What vectors hang on beyond the files, empty for a graph that is complete.
    words : int or None
        Rows of the word table, None where the graph does not tell.
    """

    session: EncoderSession
    graph: Path | None
    files: tuple[Path, ...]
    dense: tuple[Dense, ...]
    description: str
    words: int | None

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self.dense[-1].outputs if self.dense else self.session.dim

    def run(self, ids: NDArray[np.int64], attention: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encode one batch.

        Parameters
        ----------
        ids, attention : int64 [batch, length]
            Token ids, and 1 where a token may be attended to.

        Returns
        -------
        float32 [batch, length, dim]
            One vector of length one per position, padding included.
        """
        vectors = self.session.run(ids, attention)
        for layer in self.dense:
            vectors = layer(vectors)
        norms = np.sqrt(np.einsum("bld,bld->bl", vectors, vectors))[:, :, None]
        vectors /= np.maximum(norms, _LEAST_NORM)
        return vectors


def open_network(
    layout: Layout, *, model_file: str | None, threads: int, providers: Sequence[str] = ()
) -> Network:
    """Open the graph of a checkpoint, or make one from its weights.

    Raises
    ------
    ModelNotFound
        If there is neither, or the package that makes graphs is not installed.
    ModelError
        If what is there cannot be used.
    """
    name = model_file or faithful_graph(layout)
    if name is None:
        return _from_weights(layout, threads, providers)
    path = layout.directory / name
    session = EncoderSession(path, threads=threads, providers=providers)
    dense = _behind(layout, session)
    data = external_data(path.name, (file.name for file in path.parent.iterdir()))
    return Network(
        session=session,
        graph=path,
        files=(path, *(path.with_name(one) for one in data), *_dense_files(dense)),
        dense=dense,
        description="\n".join(layer.canonical() for layer in dense),
        words=None,
    )


def _from_weights(layout: Layout, threads: int, providers: Sequence[str]) -> Network:
    folder = layout.modules.transformer
    try:
        files = weight_files(folder)
    except ModelNotFound as error:
        raise ModelNotFound(f"{error}; no ONNX graph either, looked for {', '.join(GRAPHS)}") from None
    try:
        from weft.encoder.graph.backbones import build_graph
    except ImportError as error:
        if error.name != "onnx":
            raise
        raise ModelNotFound(
            f"{files[0]}: to open weights that no ONNX graph goes with, install what makes the graph, "
            'pip install "weft[checkpoints]", or write one with weft model export'
        ) from error
    tensors = Tensors(files)
    dense = dense_layers(layout, tensors)
    if not dense:
        raise ModelError(f"{layout.source}: there is no Dense layer behind the backbone")
    built = build_graph(layout.modules.config, tensors)
    if built.positions < layout.settings.max_length:
        raise ModelError(
            f"{layout.modules.config.path}: promises {layout.settings.max_length} positions, "
            f"the weights have {built.positions}"
        )
    session = EncoderSession(
        files[0], threads=threads, providers=providers, model=built.model, constants=built.constants
    )
    _check_widths(session.path, session.dim, dense)
    return Network(
        session=session,
        graph=None,
        files=(*files, *_dense_files(dense)),
        dense=dense,
        description="\n".join([built.description, *(layer.canonical() for layer in dense)]),
        words=built.words,
    )


def dense_layers(layout: Layout, tensors: Tensors | None = None) -> tuple[Dense, ...]:
    """Read the layers behind a checkpoint's backbone; its tensors may be given when they are open."""
    folders = layout.modules.dense()
    if folders or not layout.inline_projection():
        return tuple(read_dense(folder) for folder in folders)
    if tensors is None:
        files = weight_files(layout.modules.transformer)
        return (replace(stanford_dense(Tensors(files)), files=files),)
    return (stanford_dense(tensors),)


def _behind(layout: Layout, session: EncoderSession) -> tuple[Dense, ...]:
    """Return the layers that a graph from a file lacks, nothing when it has them inside."""
    if session.output in FINISHED:
        _check_finished(layout, session)
        return ()
    width = session.dim
    hidden = layout.modules.hidden()
    folders = layout.modules.dense()
    if not folders and (not layout.inline_projection() or hidden is None or width != hidden):
        return ()
    dense = dense_layers(layout)
    before, after = dense[0].inputs, dense[-1].outputs
    if width == after != before:
        return ()
    if width == before and (before != after or session.output == "last_hidden_state"):
        _check_widths(session.path, width, dense)
        return dense
    if width == before:
        raise ModelError(
            f"{session.path}: the output {session.output!r} has {width} components, as the vectors before "
            "and after the Dense layers have: name it contextual if they are inside, last_hidden_state if not"
        )
    raise ModelError(
        f"{session.path}: the output {session.output!r} has {width} components, "
        f"and the Dense layers beside it map {before} to {after}"
    )


def _check_finished(layout: Layout, session: EncoderSession) -> None:
    """Refuse an export that leaves out a part of the layers beside it, as next-plaid's exporter does.

    It calls the output `output`, drops activations and residuals, and in its first release layers too.
    """
    shapes = [read_shape(folder) for folder in layout.modules.dense()]
    if not shapes:
        return
    width = shapes[-1].outputs
    if width is not None and width != session.dim:
        raise ModelError(
            f"{session.path}: the output {session.output!r} has {session.dim} components and the last Dense "
            f"layer gives {width}: the export left one out"
        )
    if session.output == "output" and not all(shape.linear for shape in shapes):
        raise ModelError(
            f"{session.path}: the exporter that names its output 'output' leaves out activations and "
            "residuals, and the model has them: take the graph away to open the weights, or export it anew"
        )


def _check_widths(path: Path, width: int, dense: Sequence[Dense]) -> None:
    for layer in dense:
        if layer.inputs != width:
            raise ModelError(f"{path}: a Dense layer takes {layer.inputs} components and is given {width}")
        width = layer.outputs


def _dense_files(dense: Sequence[Dense]) -> tuple[Path, ...]:
    return tuple(file for layer in dense for file in layer.files)
