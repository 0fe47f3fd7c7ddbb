"""Writing an index out as colbert-ai keeps one, so that whoever came can also leave."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import IndexExists
from weft.exports.plaid.chunks import Chunks
from weft.exports.plaid.coded import CodedPassages
from weft.exports.plaid.inverted import InvertedLists
from weft.exports.plaid.settings import colbert_settings
from weft.exports.plaid.tensor_file import TensorFile
from weft.exports.plaid.texts import Texts
from weft.exports.plaid.training import trained_copy
from weft.imports.json_file import read_lengths
from weft.imports.torch_file import read_tensor
from weft.index import Index, open_index
from weft.places import check_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from weft.ingest import Progress

__all__ = ["PlaidExport", "export_plaid"]


@dataclass(frozen=True, slots=True)
class PlaidExport:
    """What was written.

    Attributes
    ----------
    destination : str
        Where.
    documents, passages, tokens : int
        How many; passages are numbered from 0 in the order of documents.
    chunks, centroids : int
        How many.
    dim, nbits : int
        Components of a vector, and bits of each residual component.
    trained : bool
        Whether the codebook was made for the export, because the index keeps its vectors in float16.
    checkpoint : str or None
        The checkpoint that colbert-ai opens by itself; without one it must be told.
    """

    destination: str
    documents: int
    passages: int
    tokens: int
    chunks: int
    centroids: int
    dim: int
    nbits: int
    trained: bool
    checkpoint: str | None


def export_plaid(
    index: Index | str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> PlaidExport:
    """Write an index as a directory that colbert-ai, and PyLate's Stanford back end, open and search.

    Codes and residuals are written as they are: nothing is compressed again, unless the index is so small
    that it keeps its vectors in float16; then a codebook is made for the export. Each passage becomes one of
    colbert-ai's, which numbers them; ``pid_docid_map.json`` tells the documents' ids. Deleted documents are
    not written.

    Parameters
    ----------
    index : Index, str or path
        The index, or where it is.
    destination : str or path
        The new directory; nothing may be there. It has its name when it is complete.
    progress : callable, optional
        Called with stage, done and total: ``"write"`` and ``"invert"`` count passages.

    Returns
    -------
    PlaidExport
        What was written.

    Raises
    ------
    IndexNotFound
        There is no index.
    IndexExists
        Something is at `destination`.
    InvalidInput
        The index is empty, or `destination` lies inside of it.
    WeftError
        The index was changed meanwhile.

    Examples
    --------
    >>> import numpy
    >>> vectors = numpy.eye(32, dtype=numpy.float32)
    >>> with weft.open(index.path + ".small", create=True) as small:
    ...     given = small.add_vectors([vectors[:16], vectors[16:]], ids=["a", "b"])
    ...     done = weft.export_plaid(small, index.path + ".plaid")
    >>> done.passages, done.tokens, done.trained
    (2, 32, True)
    >>> weft.import_index(index.path + ".plaid", index.path + ".again").documents
    2
    """
    place = Path(destination)
    if isinstance(index, Index):
        return _exported(index, place, progress)
    with open_index(index, read_only=True) as opened:
        return _exported(opened, place, progress)


def _exported(index: Index, destination: Path, progress: Progress | None) -> PlaidExport:
    check_apart(index.path, destination)
    with _complete(destination) as directory:
        if index._native.codebook() is not None or not len(index):
            return _written(index, destination, directory, progress, trained=False)
        spare = directory / "weft"
        try:
            with trained_copy(index, spare) as copy:
                return _written(copy, destination, directory, progress, trained=True)
        finally:
            shutil.rmtree(spare, ignore_errors=True)


@contextmanager
def _complete(destination: Path) -> Iterator[Path]:
    """Give a directory to write to; after the block it has its name, after an error it is gone."""
    if destination.exists():
        raise IndexExists(f"{destination} is there already: name another place")
    part = destination.with_name(f"{destination.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        yield part
        if destination.exists():
            raise IndexExists(f"{destination} has appeared meanwhile: name another place")
        part.rename(destination)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _written(
    index: Index, destination: Path, directory: Path, progress: Progress | None, *, trained: bool
) -> PlaidExport:
    passages = CodedPassages(index)
    book = index._native.codebook()
    assert book is not None
    centroids = _write_codebook(directory, book)
    settings = colbert_settings(index, destination.absolute(), dim=book["dim"], nbits=book["nbits"])

    def report(stage: str, done: int) -> None:
        if progress is not None:
            progress(stage, done, passages.passages)

    inverted = InvertedLists(centroids)
    chunks = Chunks(directory, book["dim"] * book["nbits"] // 8)
    done = 0
    try:
        with Texts(directory) as texts:
            for block in passages.blocks():
                for document in block.documents:
                    texts.add(document)
                inverted.count(block.lengths, block.codes)
                chunks.add(block.lengths, block.codes, block.residuals)
                done += len(block.lengths)
                report("write", done)
        chunks.close()
    except BaseException:
        chunks.abandon()
        raise
    inverted.write(
        directory / "ivf.pid.pt", _again(directory, chunks.count), lambda seen: report("invert", seen)
    )
    _write_metadata(directory, settings, chunks, centroids)
    return PlaidExport(
        destination=str(destination),
        documents=passages.documents,
        passages=chunks.passages,
        tokens=chunks.tokens,
        chunks=chunks.count,
        centroids=centroids,
        dim=book["dim"],
        nbits=book["nbits"],
        trained=trained,
        checkpoint=settings["checkpoint"],
    )


def _write_codebook(directory: Path, book: dict[str, Any]) -> int:
    """Write centroids and tables; give the number of centroids."""
    centroids = np.frombuffer(book["centroids"], "<f4").reshape(-1, book["dim"])
    with TensorFile(directory / "centroids.pt") as file:
        # float16 as colbert-ai has them; those of next-plaid, which keeps float32, are not rounded:
        # colbert-ai takes them too.
        file.begin("f2" if book["exact"] == "float16" else "f4", (book["dim"],))
        file.write(centroids)
    weights = np.frombuffer(book["weights"], "<f4")
    with TensorFile(directory / "buckets.pt") as file:
        file.begin("f4")
        file.write(np.frombuffer(book["cutoffs"], "<f4"))
        file.begin("f4")
        file.write(weights)
    with TensorFile(directory / "avg_residual.pt") as file:
        # Nobody uses it. The mean of the weights' sizes is what it is when buckets are equally full.
        file.begin("f4", None)
        file.write(np.abs(weights).mean())
    return len(centroids)


def _again(directory: Path, chunks: int) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[Any]]]:
    """Read lengths and codes of the chunks that were written."""
    for number in range(chunks):
        yield (
            read_lengths(directory / f"doclens.{number}.json"),
            read_tensor(directory / f"{number}.codes.pt"),
        )


def _write_metadata(directory: Path, settings: dict[str, Any], chunks: Chunks, centroids: int) -> None:
    mean = chunks.tokens / chunks.passages
    counted = {"num_chunks": chunks.count, "num_partitions": centroids}
    for name, content in (
        ("plan.json", {**counted, "num_embeddings_est": chunks.tokens, "avg_doclen_est": mean}),
        ("metadata.json", {**counted, "num_embeddings": chunks.tokens, "avg_doclen": mean}),
    ):
        text = json.dumps({"config": settings, **content}, indent=4)
        (directory / name).write_text(text + "\n", encoding="utf-8")
