"""LoTTE's layout: <domain>/<split>/ with a collection, and questions and answers of two kinds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.evaluation.beir import file_in
from weft.evaluation.collection import Collection
from weft.evaluation.qrels import opened

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["KINDS", "LotteDomain", "lotte_domains"]

KINDS = ("search", "forum")
_DOMAINS = ("writing", "recreation", "science", "technology", "lifestyle", "pooled")
_COLLECTION = "collection.tsv"


@dataclass(frozen=True, slots=True)
class LotteDomain:
    """One domain.

    Attributes
    ----------
    name, split : str
        Which.
    collection : Collection
        Its passages.
    kinds : dict of str to (Path, Path)
        By kind of question, "search" or "forum", the files of questions and of answers.
    """

    name: str
    split: str
    collection: Collection
    kinds: dict[str, tuple[Path, Path]]


def lotte_domains(
    folder: str | os.PathLike[str], split: str = "test", domains: Sequence[str] | None = None
) -> list[LotteDomain]:
    """Find the domains of a folder, in the order of the published table.

    Parameters
    ----------
    folder : str or path
        What the archive unpacks to.
    split : str
        "test" or "dev".
    domains : sequence of str, optional
        Which; all that are there when None.

    Raises
    ------
    InvalidInput
        A domain is not there, or has no questions with answers.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInput(f"{folder}: no such folder: check the name")
    if domains is None:
        there = [
            place.name
            for place in folder.iterdir()
            if any((place / split / f"{_COLLECTION}{packed}").is_file() for packed in ("", ".gz"))
        ]
        known = [name for name in _DOMAINS if name in there]
        domains = known + sorted(set(there) - set(known))
        if not domains:
            raise InvalidInput(f"{folder}: there is no <domain>/{split}/{_COLLECTION} in it")
    return [_domain(folder / name / split, name, split) for name in dict.fromkeys(domains)]


def _domain(folder: Path, name: str, split: str) -> LotteDomain:
    collection = Collection(opened(file_in(folder, _COLLECTION)))
    kinds = {}
    for kind in KINDS:
        if (folder / f"qas.{kind}.jsonl").is_file() or (folder / f"qas.{kind}.jsonl.gz").is_file():
            kinds[kind] = (file_in(folder, f"questions.{kind}.tsv"), file_in(folder, f"qas.{kind}.jsonl"))
    if not kinds:
        raise InvalidInput(f"{folder}: there is neither qas.search.jsonl nor qas.forum.jsonl in it")
    return LotteDomain(name, split, collection, kinds)
