"""Run files: the six columns that every evaluation tool of the field reads.

``query Q0 document rank score tag``, separated by blanks, which is why an id with a blank in it
cannot be written: the line would have seven columns, and the tools would misread it without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from weft.defaults import RUN_TAG
from weft.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["write_run"]


def write_run(
    file: TextIO,
    rankings: Iterable[tuple[str, Iterable[tuple[str, float]]]],
    *,
    tag: str = RUN_TAG,
) -> int:
    """Write rankings as a TREC run.

    Scores are written in full. Equal scores are put in the order of the document ids, so that the
    same rankings always give the same file.

    Parameters
    ----------
    file : text file
        Where to.
    rankings : iterable of (str, iterable of (str, float))
        For each query its id, and the ids and scores of documents, each document once.
    tag : str
        Name of the run.

    Returns
    -------
    int
        Lines written.

    Raises
    ------
    InvalidInput
        An id is empty or holds a blank, or a query's ranking names a document twice.

    Examples
    --------
    >>> import sys
    >>> write_run(sys.stdout, [("q1", [("b", 2.0), ("a", 2.0), ("c", 2.5)])])
    q1 Q0 c 1 2.5 weft
    q1 Q0 a 2 2.0 weft
    q1 Q0 b 3 2.0 weft
    3
    """
    _check("the run's tag", tag)
    lines = 0
    for query, ranking in rankings:
        _check("query id", query)
        ordered = sorted(ranking, key=lambda found: (-found[1], found[0]))
        seen = set()
        for rank, (document, score) in enumerate(ordered, start=1):
            _check(f"document id for query {query}:", document)
            if document in seen:
                raise InvalidInput(
                    f"the ranking of query {query} names the document {document} twice: group it by document"
                )
            seen.add(document)
            file.write(f"{query} Q0 {document} {rank} {score!r} {tag}\n")
            lines += 1
    return lines


def _check(what: str, name: str) -> None:
    if not name or name.split() != [name]:
        raise InvalidInput(
            f"{what} {name!r} cannot stand in a run file, whose columns are separated by blanks: "
            "use names without blanks, or write --jsonl"
        )
