"""The export from end to end: read, trace, check, quantise, measure; then the directory gets its name."""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from weft.defaults import EXPORT_OPSET
from weft.encoder import Encoder
from weft.encoder.checkpoint import read_layout
from weft.encoder.checkpoint.vocabulary import open_vocabulary
from weft.encoder.session import EncoderSession, available_threads
from weft.encoder.tokenise import Tokeniser
from weft.errors import InvalidInput
from weft.model_export import retrieval, verify
from weft.model_export.copies import copy_small_files
from weft.model_export.place import MARK, check_place, complete_directory
from weft.model_export.report import ExportedFile, ExportReport, Int8Report
from weft.model_export.requirements import cannot_import, check_requirements, versions
from weft.model_export.source import Source, read_source

if TYPE_CHECKING:
    from weft.ingest import Progress
    from weft.model_export.retrieval import Collection, RetrievalLoss

__all__ = ["OPSETS", "export_model"]

OPSETS = range(14, 21)
"""Versions of ONNX's operators that torch's exporter writes and the int8 graph can be made of."""

_GRAPH = "model.onnx"
_INT8_GRAPH = "model_int8.onnx"


def export_model(
    checkpoint: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    int8: bool = False,
    evaluate: str | os.PathLike[str] | None = None,
    opset: int = EXPORT_OPSET,
    force: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Export a safetensors checkpoint to ONNX, and see that the export is the checkpoint.

    The graph holds the backbone, every Dense layer with its bias, activation and residual, and the
    normalisation. Its inputs are ``input_ids`` and ``attention_mask``, its output is ``contextual``; batch
    and length are free. The settings of the encoder are copied with it, so that `Encoder.open` reads the same
    from both.

    Needs the extra: ``pip install "weft[export]"``. Nothing of the checkpoint is run, and no pickle is read.

    Parameters
    ----------
    checkpoint : str or path
        A directory in the layout of colbert-ai, PyLate or Sentence Transformers 6, or a hub id.
    out : str or path
        The directory to make: ``model.onnx``, with `int8` also ``model_int8.onnx``, the tokenizer, the small
        files of the checkpoint, and ``export.json``, which says how it was made and what was measured.
    int8 : bool
        Also write a graph with int8 weights, and measure what it loses in retrieval. Takes minutes.
    evaluate : str or path, optional
        A BEIR folder to measure on; None takes the sample that ships with Weft.
    opset : int
        Version of ONNX's operators, 14 to 20.
    force : bool
        Replace an earlier export.
    threads : int, optional
        Threads of the exported network in the checks; None takes every processor.
    progress : callable, optional
        Told a stage, how much of it is done, and of how much.

    Returns
    -------
    ExportReport
        What was written and how far it is from its source; ``str()`` of it is a table.

    Raises
    ------
    MissingExtra
        If torch, transformers or optimum is not installed, or not in versions that fit.
    InvalidInput
        If an argument is wrong, or `out` is there already.
    ModelNotFound
        If there is no such checkpoint, or a file of it is missing.
    ModelError
        If the checkpoint cannot be exported, or the graph differs from it by more than 1e-4 a component;
        nothing is left behind then.

    Examples
    --------
    >>> weft.export_model("no/such/folder", "out")
    Traceback (most recent call last):
        ...
    weft.errors.ModelNotFound: no/such/folder: no such directory, and not a hub id of the form org/model...
    """
    if opset not in OPSETS:
        raise InvalidInput(f"opset is {opset}, expected {OPSETS[0]} to {OPSETS[-1]}")
    if evaluate is not None and not int8:
        raise InvalidInput("evaluate measures what int8 loses: ask for int8 too")
    source = read_source(os.fspath(checkpoint))
    target = Path(os.path.abspath(Path(out).expanduser()))
    check_place(target, replace=force)
    check_requirements()
    collection = None
    if int8:
        collection = (
            retrieval.sample_collection()
            if evaluate is None
            else retrieval.read_collection(Path(evaluate).expanduser())
        )
    with complete_directory(target, replace=force) as folder:
        report = _write(source, folder, target, opset, threads, collection, progress)
        (folder / MARK).write_text(_record(report, source), encoding="utf-8")
    return report


def _write(
    source: Source,
    folder: Path,
    target: Path,
    opset: int,
    threads: int | None,
    collection: Collection | None,
    progress: Progress | None,
) -> ExportReport:
    """Fill a directory and report; int8 is written when there is a collection to measure it on."""
    try:
        from weft.model_export import graph, int8, network
    except ImportError as error:
        raise cannot_import(error) from error
    modules = source.layout.modules
    loaded = network.load_network(modules.transformer, source.configuration, source.layers, attention="eager")
    graph.write_graph(loaded, folder / _GRAPH, opset)
    del loaded
    copy_small_files(source.layout, folder)
    layout = read_layout(folder)
    assert layout.settings == source.layout.settings, "all files that settings are read from were copied"
    vocabulary = open_vocabulary((layout.modules.transformer, folder))
    rows, attended = verify.rows_to_check(Tokeniser(vocabulary, layout.settings))
    yardstick = network.load_network(modules.transformer, source.configuration, source.layers, attention=None)
    threads = available_threads() if threads is None else threads
    session = EncoderSession(folder / _GRAPH, threads=threads)
    difference = verify.compare(yardstick, session, rows, attended)
    verify.check(difference, _GRAPH)
    loss = None
    if collection is not None:
        int8.quantise(folder / _GRAPH, folder / _INT8_GRAPH)
        small = EncoderSession(folder / _INT8_GRAPH, threads=threads)
        loss = Int8Report(
            verify.compare(yardstick, small, rows, attended),
            _retrieval_loss(folder, collection, threads, progress),
        )
    return ExportReport(
        checkpoint=source.name,
        directory=target,
        layout=source.layout.name,
        backbone=source.configuration["model_type"],
        dim=session.dim,
        layers=len(source.layers),
        opset=opset,
        files=_files(folder),
        difference=difference,
        int8=loss,
        versions=versions(),
    )


def _retrieval_loss(
    folder: Path, collection: Collection, threads: int, progress: Progress | None
) -> RetrievalLoss:
    found = []
    for stage, graph in (("encode float", _GRAPH), ("encode int8", _INT8_GRAPH)):
        encoder = Encoder.open(folder, model_file=graph, threads=threads)
        report = None if progress is None else partial(progress, stage)
        found.append(retrieval.rank(collection, encoder, report))
    return retrieval.compare_rankings(collection, *found)


def _files(folder: Path) -> tuple[ExportedFile, ...]:
    return tuple(
        ExportedFile(path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def _record(report: ExportReport, source: Source) -> str:
    """Return what `export.json` says: the report, and which weights it was made from."""
    content = report.as_dict()
    del content["directory"]
    content["weights"] = {
        path.relative_to(source.layout.directory).as_posix(): _sha256(path) for path in source.weights
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
