"""Which library made an index: told by the files that only one of them writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import IndexNotFound, InvalidInput, UnreadableSource
from weft.imports.colbert import read_colbert
from weft.imports.json_file import read_object
from weft.imports.plaid_arrays import INSIDE_PYLATE, read_fast_plaid, read_next_plaid
from weft.imports.ragatouille import PASSAGES, read_ragatouille

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from weft.imports.foreign import Foreign

__all__ = ["KINDS", "read_foreign"]

_OF_TENSORS: dict[str, Callable[[Path, Path | None], Foreign]] = {
    "colbert-ai": read_colbert,
    "ragatouille": read_ragatouille,
}
_OF_ARRAYS: dict[str, Callable[[Path, Path | None, str | None], Foreign]] = {
    "fast-plaid": read_fast_plaid,
    "next-plaid": read_next_plaid,
}

KINDS = (*_OF_TENSORS, *_OF_ARRAYS)
"""Libraries whose indexes are read."""


def read_foreign(
    source: str | os.PathLike[str],
    collection: str | os.PathLike[str] | None,
    kind: str | None,
    id_field: str | None = None,
) -> Foreign:
    """Open an index of another library.

    Parameters
    ----------
    source : str or path
        The directory.
    collection : str or path, optional
        The texts.
    kind : str, optional
        Which library's reader to use; told by the files when it is not given.
    id_field : str, optional
        The column of ``metadata.db`` that has the documents' ids.

    Raises
    ------
    IndexNotFound
        There is no such directory.
    InvalidInput
        `kind` is none, or the collection or the column does not fit.
    UnreadableSource
        It is no index of any library known here, or a file of it cannot be used.
    """
    directory = Path(source)
    if kind is not None and kind not in KINDS:
        raise InvalidInput(f"kind is {kind!r}: {', '.join(KINDS)} are known")
    if not directory.is_dir():
        raise IndexNotFound(f"{directory}: there is no such directory")
    chosen = kind or _told_by_files(directory)
    texts = None if collection is None else Path(collection)
    if chosen in _OF_ARRAYS:
        return _OF_ARRAYS[chosen](directory, texts, id_field)
    if id_field is not None:
        raise InvalidInput(
            f"{directory}: an index of {chosen} has no metadata.db, and {id_field!r} is no column"
        )
    return _OF_TENSORS[chosen](directory, texts)


def _told_by_files(directory: Path) -> str:
    def has(name: str) -> bool:
        return (directory / name).exists()

    if has("catalog.sqlite"):
        raise UnreadableSource(f"{directory}: is an index of Weft already: weft.open opens it")
    if has(PASSAGES):
        return "ragatouille"
    if has("centroids.pt") or has("buckets.pt"):
        return "colbert-ai"
    if has(INSIDE_PYLATE):
        return "fast-plaid"
    if has("centroids.npy"):
        metadata = directory / "metadata.json"
        if not metadata.exists():
            raise UnreadableSource(
                f"{metadata}: is missing: it is written last, so the index was never finished: build it again"
            )
        return "next-plaid" if read_object(metadata).get("next_plaid_compatible") else "fast-plaid"
    raise UnreadableSource(
        f"{directory}: is no index of {', '.join(KINDS)}: neither centroids.pt nor centroids.npy is in it; "
        "give the directory that has it"
    )
