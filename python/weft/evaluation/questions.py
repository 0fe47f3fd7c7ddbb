"""Files of questions with answers: NQ, SQuAD, TriviaQA and DPR's own, told apart by name and content."""

from __future__ import annotations

import ast
import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.encoding import is_text
from weft.errors import InvalidInput
from weft.evaluation.answer_match import tokens
from weft.evaluation.qrels import opened
from weft.inputs.jsonl import objects
from weft.inputs.record import malformed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from weft.inputs.source import Source

__all__ = ["Question", "read_questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes
    ----------
    id : str
        Its id; where the file has none, its place, from 0.
    text : str
        The question. Empty when the file has answers only, and the text is in a file of queries.
    answers : tuple of str
        Strings any of which answers it.
    """

    id: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one entry of a file says, and where it stands."""

    where: str
    id: object
    text: object
    answers: object


def read_questions(path: str | os.PathLike[str]) -> list[Question]:
    """Read questions and their answers.

    Parameters
    ----------
    path : str or path
        Each also as .gz:

        * .jsonl, with ``question``, ``query`` or ``text``, ``answers`` or ``answer`` (a list, or one string),
          and ``id``, ``_id`` or ``qid`` if there are ids: NQ-open, and queries with answers.
        * .csv or .tsv, a question, a tab and a list of strings as Python writes it: DPR's test files.
        * .json of SQuAD (``data``, ``paragraphs``, ``qas``), of TriviaQA (``Data``, ``Answer``,
          ``Aliases``), or a list of objects as in .jsonl.

    Returns
    -------
    list of Question
        In the order of the file, without the unanswerable ones of SQuAD 2.

    Raises
    ------
    InvalidInput
        An entry is malformed, has no answer, or has an answer without a letter, digit or sign, which would be
        in every passage; or two entries have one id.
    """
    source = opened(path)
    if source.kind == ".jsonl":
        found = _lines(source)
    elif source.kind in (".csv", ".tsv"):
        found = _rows(source)
    elif source.kind == ".json":
        found = _document(source)
    else:
        raise InvalidInput(
            f"{source.shown}: its kind is not known: answers come as .jsonl, .csv, .tsv or .json"
        )
    questions: dict[str, Question] = {}
    places: dict[str, str] = {}
    for one in found:
        question = _checked(one, len(questions))
        if question.id in questions:
            raise InvalidInput(
                f"{one.where}: the id {question.id!r} stands already at {places[question.id]}: ids are unique"
            )
        questions[question.id], places[question.id] = question, one.where
    if not questions:
        raise InvalidInput(f"{source.shown}: there are no questions in it")
    return list(questions.values())


def _checked(found: _Found, place: int) -> Question:
    name, text, answers = found.id, found.text, found.answers
    if name is None:
        name = str(place)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"{found.where}: the id {name!r} is none: a string or a number is needed")
    if text is not None and not isinstance(text, str):
        raise InvalidInput(f"{found.where}: the question is no string")
    if isinstance(answers, str):
        answers = [answers]
    if not isinstance(answers, list) or not answers or not all(isinstance(one, str) for one in answers):
        raise InvalidInput(f"{found.where}: there is no list of answers, which are strings")
    for one in (name, text or "", *answers):
        if not is_text(one):
            raise InvalidInput(f"{found.where}: holds half a surrogate pair, which is not text")
    for one in answers:
        if not tokens(one).strip("\0"):
            raise InvalidInput(f"{found.where}: the answer {one!r} is blank, and would be in every passage")
    return Question(name, (text or "").strip(), tuple(dict.fromkeys(answers)))


def _entry(where: str, values: dict[str, Any]) -> _Found:
    def first(*names: str) -> object:
        return next((values[name] for name in names if values.get(name) is not None), None)

    return _Found(
        where, first("id", "_id", "qid"), first("question", "query", "text"), first("answers", "answer")
    )


def _lines(source: Source) -> Iterator[_Found]:
    for number, values in objects(source):
        yield _entry(f"{source.shown}:{number}", values)


def _rows(source: Source) -> Iterator[_Found]:
    """Read DPR's files: tabs between, quotes as in CSV, and a list as Python writes it."""
    rows = csv.reader((f"{line}\n" for _, line in source.lines()), delimiter="\t")
    begins = 1
    try:
        for row in rows:
            line, begins = begins, rows.line_num + 1
            if not row:
                continue
            if len(row) != 2:
                raise malformed(
                    source.shown, line, f"{len(row)} columns: a question, a tab and a list are needed"
                )
            try:
                # Literals only: no name, call or operation is evaluated.
                answers = ast.literal_eval(row[1].strip())
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise malformed(source.shown, line, "the second column is no list of strings") from None
            yield _Found(f"{source.shown}:{line}", None, row[0], answers)
    except csv.Error as error:
        raise malformed(source.shown, begins, f"not readable as columns: {error}") from error


def _document(source: Source) -> Iterator[_Found]:
    text = "\n".join(line for _, line in source.lines())
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise malformed(
            source.shown, error.lineno, f"not JSON at character {error.colno}: {error.msg}"
        ) from error
    # Brackets within brackets without end; a number of thousands of digits.
    except (RecursionError, ValueError) as error:
        raise InvalidInput(f"{source.shown}: not usable JSON: {error}") from error
    if isinstance(value, dict) and "data" in value:
        yield from _squad(source.shown, value)
    elif isinstance(value, dict) and "Data" in value:
        yield from _trivia(source.shown, value)
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield _entry(f"{source.shown}: entry {at}", _object(f"{source.shown}: entry {at}", one))
    else:
        raise InvalidInput(
            f"{source.shown}: is neither SQuAD's JSON (data), nor TriviaQA's (Data), nor a list of questions"
        )


def _squad(file: str, value: dict[str, Any]) -> Iterator[_Found]:
    for a, article in enumerate(_list(f"{file}: data", value["data"])):
        where = f"{file}: data[{a}].paragraphs"
        for p, paragraph in enumerate(_list(where, _object(where, article).get("paragraphs"))):
            inner = f"{where}[{p}].qas"
            for q, entry in enumerate(_list(inner, _object(inner, paragraph).get("qas"))):
                place = f"{inner}[{q}]"
                values = _object(place, entry)
                if values.get("is_impossible"):
                    continue
                answers = [_object(place, one).get("text") for one in _list(place, values.get("answers"))]
                yield _Found(place, values.get("id"), values.get("question"), answers)


def _trivia(file: str, value: dict[str, Any]) -> Iterator[_Found]:
    for at, entry in enumerate(_list(f"{file}: Data", value["Data"])):
        place = f"{file}: Data[{at}]"
        values = _object(place, entry)
        answer = _object(f"{place}.Answer", values.get("Answer"))
        aliases = answer.get("Aliases") or ([answer["Value"]] if answer.get("Value") else None)
        yield _Found(place, values.get("QuestionId"), values.get("Question"), aliases)


def _list(where: str, value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise InvalidInput(f"{where}: is no list")


def _object(where: str, value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise InvalidInput(f"{where}: is no object")
