"""Taking over an index of another library: its vectors as they are coded, its ids, texts and metadata."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from weft import _core
from weft.batch import engine_stages
from weft.imports.detection import read_foreign
from weft.imports.model import model_for
from weft.imports.report import Import, LeftOut
from weft.imports.taking_over import refusals_of, take_over
from weft.places import check_apart

if TYPE_CHECKING:
    from weft.imports.foreign import Foreign
    from weft.ingest import Progress

__all__ = ["import_index"]


def import_index(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    collection: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    kind: str | None = None,
    id_field: str | None = None,
    progress: Progress | None = None,
) -> Import:
    """Make an index out of one that another library made.

    Vectors are not compressed again: centroids, tables, codes and residual bits are taken over, so the new
    index has the same decoded vectors. Inverted lists are made anew. Of a source nothing is run: its pickles
    are read as data, or not at all.

    Parameters
    ----------
    source : str or path
        The directory of an index of colbert-ai, RAGatouille, fast-plaid (also inside of PyLate's) or
        next-plaid. It is not changed.
    destination : str or path
        Where the new index is made, outside of the source; nothing may be there, but for an empty directory.
        After an error nothing is.
    collection : str or path, optional
        The texts, where the source does not keep them: ``.tsv`` with number, tab, text and perhaps tab and
        title, as colbert-ai has it, or a JSON list. When the documents have ids of their own (PyLate), the id
        stands instead of the number, and JSON is an object.
    model : str or path, optional
        The model that made the vectors, a directory or hub id; it encodes queries and later additions.
        Without it, the checkpoint that the source names, if it is on this machine.
    kind : {"colbert-ai", "ragatouille", "fast-plaid", "next-plaid"}, optional
        Which library made it; told by its files when not given.
    id_field : str, optional
        The column of the ``metadata.db`` of fast-plaid or next-plaid that has the documents' ids, unique
        strings or numbers. Without it their positions are the ids.
    progress : callable, optional
        Called with stage, done and total: ``"import"`` counts passages, then come the engine's stages.

    Returns
    -------
    Import
        What was taken over and what was not.

    Raises
    ------
    IndexNotFound
        There is no directory `source`.
    UnreadableSource
        It is no index that is known here, or a file of it is missing, damaged, or contradicts another one.
    IndexExists
        Something is at `destination`.
    InvalidInput
        `destination` lies inside of `source`, `collection` is not that of the source, `id_field` has no ids,
        or `model` makes vectors of another dimension.
    ModelNotFound, ModelError
        `model` cannot be opened.

    Examples
    --------
    >>> import weft
    >>> weft.import_index("nowhere", "new.weft")
    Traceback (most recent call last):
        ...
    weft.errors.IndexNotFound: nowhere: there is no such directory
    """
    # As a path: a slash at the end would make the engine's name beside it one inside of it.
    destination = Path(destination)
    foreign = read_foreign(source, collection, kind, id_field)
    check_apart(source, destination)
    description, name = model_for(foreign, None if model is None else os.fspath(model))
    documents, passages, tokens = _written(foreign, destination, description, progress)
    left_out = tuple(LeftOut(count, what) for what, count in foreign.left_out.items() if count)
    return Import(
        destination=str(destination),
        kind=foreign.kind,
        documents=documents,
        passages=passages,
        tokens=tokens,
        dim=foreign.coded.codebook.dim,
        nbits=foreign.coded.codebook.nbits,
        model=name,
        checkpoint=foreign.checkpoint,
        left_out=left_out,
        notes=tuple(foreign.notes),
    )


def _written(
    foreign: Foreign, destination: Path, description: str | None, progress: Progress | None
) -> tuple[int, int, int]:
    codebook, total = foreign.coded.codebook, foreign.coded.passages

    def report(done: int) -> None:
        if progress is not None:
            progress("import", done, total)

    with refusals_of(foreign):
        importer = _core.Importer.create(
            str(destination),
            nbits=codebook.nbits,
            centroids=codebook.centroids,
            cutoffs=codebook.cutoffs,
            weights=codebook.weights,
        )
    try:
        counts = take_over(foreign, importer, report)
        if description is not None:
            importer.set_encoder(description)
        importer.commit(None if progress is None else engine_stages(progress))
    except BaseException:
        # Ctrl-C included: nothing is left where the index was to be.
        importer.abort()
        raise
    return counts
