"""Judgements: TREC's and MS MARCO's four columns, BEIR's three with a header, LoTTE's qas lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput
from weft.inputs.jsonl import objects
from weft.inputs.record import check_text, malformed
from weft.inputs.source import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

__all__ = ["check_qrels", "opened", "read_qrels"]

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def read_qrels(path: str | os.PathLike[str]) -> dict[str, dict[str, int]]:
    """Read judgements.

    Parameters
    ----------
    path : str or path
        Lines of ``query iteration document grade`` separated by blanks or tabs, as TREC and MS MARCO have
        them; lines of query, document and grade with tabs between, with or without a header, as BEIR has
        them; or a .jsonl file of objects with ``qid`` and ``answer_pids``, as LoTTE has them. Each also
        as .gz.

    Returns
    -------
    dict of str to dict of str to int
        For every query the grades of its documents; an empty dict for a query without answers.

    Raises
    ------
    InvalidInput
        A line is malformed, a grade is negative, a document has two grades, or there are no judgements.
    """
    source = opened(path)
    judgements = _answer_pids(source) if source.kind == ".jsonl" else _columns(source)
    qrels: dict[str, dict[str, int]] = {}
    for line, query, document, grade in judgements:
        grades = qrels.setdefault(query, {})
        if document is None:
            continue
        if grades.setdefault(document, grade) != grade:
            raise malformed(
                source.shown,
                line,
                f"query {query!r} grades the document {document!r} {grades[document]} and {grade}",
            )
    if not any(qrels.values()):
        raise InvalidInput(f"{source.shown}: there are no judgements in it")
    return qrels


def check_qrels(qrels: Mapping[str, Mapping[str, int]]) -> None:
    """Raise `InvalidInput` unless these are grades of documents."""
    for query, grades in qrels.items():
        for document, grade in grades.items():
            if not isinstance(grade, int) or isinstance(grade, bool) or grade < 0:
                raise InvalidInput(
                    f"qrels[{query!r}][{document!r}] is {grade!r}: a grade is a whole number from 0"
                )
    if not any(qrels.values()):
        raise InvalidInput("qrels holds no judgements")


def opened(path: str | os.PathLike[str]) -> Source:
    """Name a file as a source of lines; its kind is its suffix without ``.gz``."""
    path = Path(path)
    if not path.is_file():
        raise InvalidInput(f"{path}: no such file: check the name")
    inner = Path(path.stem) if path.suffix.lower() == ".gz" else path
    return Source(path, str(path), None, inner.suffix.lower())


_Judgement = tuple[int, str, str | None, int]


def _columns(source: Source) -> Iterator[_Judgement]:
    tabbed: bool | None = None
    for number, line in source.lines():
        if not line.strip():
            continue
        if tabbed is None:
            columns = line.split("\t")
            tabbed = len(columns) == 3
            if tabbed and not _NUMBER.fullmatch(columns[2].strip()):
                continue  # BEIR's header
        if tabbed:
            columns = [column.strip() for column in line.split("\t")]
            expected = "query, document and grade with tabs between"
        else:
            columns = line.split()
            expected = "query, iteration, document and grade"
        if len(columns) != (3 if tabbed else 4) or not all(columns):
            raise malformed(source.shown, number, f"{len(columns)} columns: {expected} are needed")
        query, document, grade = columns[0], columns[-2], columns[-1]
        if not _NUMBER.fullmatch(grade):
            raise malformed(source.shown, number, f"the grade {grade!r} is no whole number")
        if grade.startswith("-"):
            raise malformed(source.shown, number, f"the grade {grade} is negative: say 0 for not relevant")
        yield number, query, document, int(grade)


def _answer_pids(source: Source) -> Iterator[_Judgement]:
    seen: dict[str, int] = {}
    for number, values in objects(source):
        query = _name(source, number, "qid", values.get("qid"))
        if query in seen:
            raise malformed(
                source.shown, number, f"the qid {query!r} stands already at {source.shown}:{seen[query]}"
            )
        seen[query] = number
        answers = values.get("answer_pids")
        if not isinstance(answers, list):
            raise malformed(source.shown, number, "there is no list 'answer_pids'")
        # A query without answers counts too, as one that cannot succeed.
        yield number, query, None, 0
        for answer in answers:
            yield number, query, _name(source, number, "answer_pids", answer), 1


def _name(source: Source, number: int, what: str, value: object) -> str:
    if isinstance(value, str) and value.strip():
        check_text(source.shown, number, what, value)
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise malformed(source.shown, number, f"{value!r} is no id in {what!r}: a number or a string is needed")
