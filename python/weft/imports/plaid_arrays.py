"""Indexes of fast-plaid (1.4 to 1.7) and next-plaid (1.6 to 1.8): arrays in ``.npy`` files.

Both have the same names with the same meaning (fast-plaid 1.7, ``load.py``; next-plaid 1.8,
``index.rs``). Codes and residuals are in chunk files, in merged copies of these, or in both:
fast-plaid 1.7 has only the merged ones, and chunk files beside them are newer. The inverted lists and inverse
norms follow from codes and are made anew. ``embeddings.npy`` and ``buffer.npy`` are uncompressed copies of
documents that are in the chunks too, kept for the next update; fast-plaid pickles them, and they are not
read.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import InvalidInput, UnreadableSource
from weft.imports.coded import Chunk, Codebook, Coded
from weft.imports.foreign import Foreign
from weft.imports.json_file import count_in, read_lengths, read_object
from weft.imports.metadata_db import MetadataRows
from weft.imports.npy import object_count, read_array
from weft.imports.positions import Positions, given_texts
from weft.imports.pylate_ids import read_pylate_ids
from weft.imports.refusal import refused

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["INSIDE_PYLATE", "read_fast_plaid", "read_next_plaid"]

INSIDE_PYLATE = "fast_plaid_index"
"""The folder in which PyLate keeps fast-plaid's index, with the documents' ids beside it."""


def read_fast_plaid(directory: Path, collection: Path | None, id_field: str | None) -> Foreign:
    """Read an index of fast-plaid, as it is or inside of PyLate's folder.

    fast-plaid rounds centroids and weights to float16 whenever it opens an index; they are taken so.

    Raises
    ------
    UnreadableSource
        A file is missing, cannot be read, or contradicts another one.
    InvalidInput
        The collection is none, or that of another index.
    """
    inner = directory / INSIDE_PYLATE
    ids_in = directory
    if (inner / "metadata.json").is_file():
        directory = inner
    elif directory.resolve().name == INSIDE_PYLATE:
        ids_in = directory.resolve().parent
    return _read("fast-plaid", directory, collection, id_field, ids_in=ids_in)


def read_next_plaid(directory: Path, collection: Path | None, id_field: str | None) -> Foreign:
    """Read an index of next-plaid; errors as of `read_fast_plaid`. Other codecs than PLAID's are refused."""
    path = directory / "metadata.json"
    for codec in ("binary", "ternary"):
        if read_object(path).get(codec):
            raise refused(
                path,
                f"says that the codec is {codec}, which has no centroids and residual tables as PLAID's has: "
                "index the documents again with weft index",
            )
    return _read("next-plaid", directory, collection, id_field, ids_in=None)


def _read(
    kind: str, directory: Path, collection: Path | None, id_field: str | None, *, ids_in: Path | None
) -> Foreign:
    path = directory / "metadata.json"
    metadata = read_object(path)
    codebook = _codebook(directory, rounded=kind == "fast-plaid")
    for name, found in (("nbits", codebook.nbits), ("embedding_dim", codebook.dim)):
        said = metadata.get(name)
        # Files older than the key have 0 there.
        if said and said != found:
            raise refused(path, f"says that {name} is {str(said)[:40]!r}, and the arrays have {found}")
    coded = Coded(codebook, _chunks(directory, count_in(path, metadata, "num_chunks")))
    said = metadata.get("num_documents")
    if said and said != coded.passages:
        raise refused(
            path, f"says that num_documents is {str(said)[:40]!r}, and the chunks have {coded.passages:,}"
        )

    left_out: Counter[str] = Counter()
    ids = None if ids_in is None else read_pylate_ids(ids_in, coded.passages, left_out)
    database = directory / "metadata.db"
    rows = MetadataRows(database) if database.is_file() else None
    if id_field is not None:
        if rows is None:
            raise InvalidInput(f"{database}: is not there, so {id_field!r} is the name of no column")
        ids = rows.ids(id_field)
    texts = given_texts(collection, coded.passages, ids)
    documents = Positions(coded, left_out, ids=ids, metadata=rows, texts=texts)
    notes = _notes_on_copies(directory, coded.passages)
    if rows is not None and rows.text is not None:
        notes.append(f"the column {rows.text!r} of metadata.db is taken for the documents' texts")
    return Foreign(kind, directory, coded, documents, left_out=left_out, notes=notes)


def _codebook(directory: Path, *, rounded: bool) -> Codebook:
    files = [directory / f"{name}.npy" for name in ("centroids", "bucket_cutoffs", "bucket_weights")]
    centroids, cutoffs, weights = (read_array(path) for path in files)
    if rounded and centroids.dtype.kind == weights.dtype.kind == "f":
        with np.errstate(over="ignore"):  # What becomes infinite is refused.
            centroids, weights = centroids.astype(np.float16), weights.astype(np.float16)
    return Codebook.checked(centroids, cutoffs, weights, file=files[0], tables=(files[1], files[2]))


def _chunks(directory: Path, count: int) -> list[Chunk]:
    lengths = [read_lengths(directory / f"doclens.{number}.json") for number in range(count)]
    for name in (f"doclens.{count}.json", f"{count}.codes.npy", f"{count}.residuals.npy"):
        if (directory / name).exists():
            raise refused(directory / name, f"is there, and metadata.json counts {count} chunks, from 0 on")
    rows = [int(chunk.sum()) for chunk in lengths]
    codes = _Pieces(directory, "codes", rows)
    residuals = _Pieces(directory, "residuals", rows)
    chunks = []
    for number, of_chunk in enumerate(lengths):
        code_file, code_rows = codes.piece(number)
        residual_file, residual_rows = residuals.piece(number)
        doclens = directory / f"doclens.{number}.json"
        chunks.append(Chunk(of_chunk, code_rows, residual_rows, (doclens, code_file, residual_file)))
    return chunks


class _Pieces:
    """Codes or residuals of each chunk, from its own file or out of the merged one.

    The merged file has the chunks one after another, as its manifest counts them, and padding at its end. A
    chunk's own file is newer than its piece there: fast-plaid writes it when it changes the chunk, and merges
    later.
    """

    def __init__(self, directory: Path, what: str, rows: list[int]) -> None:
        self._directory = directory
        self._what = what
        self._merged = directory / f"merged_{what}.npy"
        self._opened: npt.NDArray[Any] | None = None
        self._merged_rows = self._manifest(rows)

    def _manifest(self, rows: list[int]) -> list[int]:
        """Rows of each chunk in the merged file."""
        path = self._directory / f"merged_{self._what}.manifest.json"
        if not path.is_file():
            return rows
        entries = read_object(path)
        merged = []
        for number, expected in enumerate(rows):
            entry = entries.get(f"{number}.{self._what}.npy")
            if entry is None:
                merged.append(expected)
                continue
            if not isinstance(entry, dict):
                raise refused(path, f"describes chunk {number} by a {type(entry).__name__}")
            merged.append(count_in(path, entry, "rows"))
        return merged

    def piece(self, number: int) -> tuple[Path, npt.NDArray[Any]]:
        """Give the file and the rows of a chunk."""
        own = self._directory / f"{number}.{self._what}.npy"
        if own.exists():
            return own, read_array(own)
        if not self._merged.exists():
            raise refused(own, f"is missing, and there is no {self._merged.name} in its stead")
        if self._opened is None:
            self._opened = read_array(self._merged)
        start = sum(self._merged_rows[:number])
        piece = self._opened[start : start + self._merged_rows[number]]
        return self._merged, piece


def _notes_on_copies(directory: Path, passages: int) -> list[str]:
    """Say when the uncompressed copies have documents that the chunks lack: an update was interrupted."""
    notes = []
    for name in ("embeddings.npy", "buffer.npy"):
        path = directory / name
        if not path.is_file():
            continue
        lengths = path.with_name(path.stem + "_lengths.json")
        try:
            # fast-plaid has an element per document, next-plaid all rows in one array and lengths beside it.
            count = len(read_lengths(lengths)) if lengths.is_file() else object_count(path)
        except UnreadableSource as error:
            notes.append(f"a copy of uncompressed vectors is not looked at: {error}")
            continue
        if count > passages:
            notes.append(
                f"{name} has {count:,} documents, {count - passages:,} more than the index: an update was "
                "interrupted, and these are not taken over"
            )
    return notes
