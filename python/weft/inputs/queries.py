"""Files of queries: JSON lines with an id and a text, or two columns with a tab between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.inputs.fields import Fields
from weft.inputs.jsonl import read_jsonl
from weft.inputs.record import Record, malformed
from weft.inputs.source import STANDARD_INPUT, Source
from weft.inputs.tsv import read_tsv

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_queries"]

# ColBERT and LoTTE say qid and question, or qid and query; BEIR says _id and text.
_FIELDS = Fields(id=("id", "_id", "qid"), text=("text", "query", "question"))


def read_queries(name: str) -> list[tuple[str, str]]:
    """Read the queries of one file.

    Parameters
    ----------
    name : str
        A .jsonl file (``id``, ``_id`` or ``qid``; ``text``, ``query`` or ``question``) or a .tsv file,
        each also with .gz; or ``-`` for JSON lines on standard input.

    Returns
    -------
    list of (str, str)
        Id and text of each.

    Raises
    ------
    InvalidInput
        The file is not there or of another kind, a line is malformed, or two queries have one id.
    """
    queries: dict[str, str] = {}
    lines: dict[str, int] = {}
    for record in _records(_source(name)):
        if record.id is None:
            raise malformed(record.file, record.line, "the query has no id")
        if record.id in queries:
            raise malformed(
                record.file,
                record.line,
                f"the id {record.id!r} stands already at {record.file}:{lines[record.id]}: ids are unique",
            )
        queries[record.id], lines[record.id] = record.text, record.line
    return list(queries.items())


def _source(name: str) -> Source:
    # No name to make ids of: a run file whose query ids were invented answers no judgement.
    if name == STANDARD_INPUT:
        return Source(None, "standard input", None, ".jsonl")
    path = Path(name)
    if not path.is_file():
        raise InvalidInput(f"{name}: no such file: check the name")
    packed = path.suffix.lower() == ".gz"
    kind = Path(path.stem).suffix.lower() if packed else path.suffix.lower()
    if kind not in (".jsonl", ".tsv"):
        raise InvalidInput(f"{name}: its kind is not known: queries come as .jsonl or .tsv")
    return Source(path, name, None, kind)


def _records(source: Source) -> Iterator[Record]:
    return read_jsonl(source, _FIELDS) if source.kind == ".jsonl" else read_tsv(source)
