"""BEIR's folders: corpus.jsonl, queries.jsonl and qrels/<split>.tsv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.evaluation.collection import Collection
from weft.evaluation.qrels import opened

if TYPE_CHECKING:
    import os

__all__ = ["BeirFolder", "file_in"]


@dataclass(frozen=True, slots=True)
class BeirFolder:
    """One collection with its judgements.

    Attributes
    ----------
    name : str
        The folder's name, which is the collection's.
    split : str
        Whose judgements these are.
    collection : Collection
        The documents.
    queries, qrels : Path
        The files of queries and judgements.
    """

    name: str
    split: str
    collection: Collection
    queries: Path
    qrels: Path

    @classmethod
    def open(cls, folder: str | os.PathLike[str], split: str = "test") -> BeirFolder:
        """Find the files.

        Raises
        ------
        InvalidInput
            One of them is not there.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InvalidInput(f"{folder}: no such folder: check the name")
        corpus, queries = file_in(folder, "corpus.jsonl"), file_in(folder, "queries.jsonl")
        qrels = file_in(folder / "qrels", f"{split}.tsv")
        return cls(folder.resolve().name, split, Collection(opened(corpus)), queries, qrels)


def file_in(folder: Path, name: str) -> Path:
    """Find a file by its name or its name with ``.gz``.

    Raises
    ------
    InvalidInput
        Neither is there; the message says what of the kind is.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    suffix = Path(name).suffix
    others = sorted(path.name for path in folder.glob(f"*{suffix}*")) if folder.is_dir() else []
    there = f"; there are {', '.join(others)}" if others else ""
    raise InvalidInput(f"{folder / name}: no such file{there}")
