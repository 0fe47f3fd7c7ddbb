"""From documents to the engine's writer: zip, check, split, encode, hand over in blocks.

Everything streams. What is in memory at one time is the encoder's window of passages and one block
of vectors, however many documents there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from weft.defaults import WRITE_TOKENS
from weft.encoding import TextEncoder, encode_documents, passage_text, split
from weft.errors import InvalidInput
from weft.matrices import Matrix, as_matrix, check_dimension, joined
from weft.metadata import as_metadata

if TYPE_CHECKING:
    from weft.batch import Transaction

__all__ = ["Entry", "Progress", "add_matrices", "add_texts", "entries"]

Progress = Callable[[str, int, int | None], None]
"""Told the stage, how much of it is done, and how much there is when that is known."""

_MISSING = object()


@dataclass(slots=True)
class Entry:
    """One document on its way in; `name` is what errors call it."""

    name: str
    id: str | None
    text: str | None
    title: str | None
    metadata: str | None


def entries(
    main: str,
    values: Iterable[Any],
    *,
    ids: Iterable[str | None] | None,
    texts: Iterable[str | None] | None,
    titles: Iterable[str | None] | None,
    metadata: Mapping[str, Any] | Iterable[Mapping[str, Any] | None] | None,
) -> Iterator[tuple[Entry, Any]]:
    """Walk the arguments of an `add` side by side.

    Parameters
    ----------
    main : str
        Name of the argument that says how many documents there are.
    values : iterable
        That argument.
    ids, texts, titles, metadata : iterable, optional
        The others, as long as `values`.

    Yields
    ------
    tuple of Entry and object
        The document and its element of `values`.

    Raises
    ------
    InvalidInput
        When one argument ends before another, or an element is not what it must be.
    """
    others = {"ids": ids, "texts": texts, "titles": titles, "metadata": metadata}
    for name, other in others.items():
        if isinstance(other, (str, bytes, Mapping)):
            raise InvalidInput(f"{name} is one {type(other).__name__}: give a list, one per document")
    walks = {name: iter(other) for name, other in others.items() if other is not None}
    count = 0
    for value in values:
        row = dict.fromkeys(others)
        for name, walk in walks.items():
            element = next(walk, _MISSING)
            if element is _MISSING:
                raise InvalidInput(f"{name} has {count} elements, but {main} has more")
            row[name] = element
        yield (
            Entry(
                name=f"{main}[{count}]",
                id=_checked_id(row["ids"], f"ids[{count}]"),
                text=_checked_text(value if main == "texts" else row["texts"], f"texts[{count}]"),
                title=_checked_text(row["titles"], f"titles[{count}]"),
                metadata=as_metadata(row["metadata"], f"metadata[{count}]"),
            ),
            value,
        )
        count += 1
    for name, walk in walks.items():
        if next(walk, _MISSING) is not _MISSING:
            raise InvalidInput(f"{main} has {count} elements, but {name} has more")


def _checked_text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is a {type(value).__name__}: a str is needed")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} has half a surrogate pair at character {error.start}, which is not text: "
                "decode it again from its source"
            ) from None
    return value


def _checked_id(value: object, name: str) -> str | None:
    text = _checked_text(value, name)
    if text is not None and (not text.strip() or any(character in text for character in "\n\r\t\0")):
        raise InvalidInput(f"{name} is {text!r}: an id needs visible characters and no tab or line end")
    return text


@dataclass(slots=True)
class _Block:
    """Documents with their vectors, collected until a call into the engine is worth its cost."""

    writer: Transaction
    given: list[str] = field(default_factory=list)
    waiting: list[tuple[Entry, list[tuple[int, int]]]] = field(default_factory=list)
    vectors: list[Matrix] = field(default_factory=list)
    tokens: int = 0

    def put(self, entry: Entry, spans: list[tuple[int, int]], vectors: list[Matrix]) -> None:
        self.waiting.append((entry, spans))
        self.vectors += vectors
        self.tokens += sum(len(matrix) for matrix in vectors)
        if self.tokens >= WRITE_TOKENS:
            self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        documents = [entry for entry, _ in self.waiting]
        self.given += self.writer.add(
            [entry.id for entry in documents],
            [entry.text for entry in documents],
            [entry.title for entry in documents],
            [entry.metadata for entry in documents],
            [spans for _, spans in self.waiting],
            [len(matrix) for matrix in self.vectors],
            joined(self.vectors),
        )
        self.waiting, self.vectors, self.tokens = [], [], 0


def add_texts(
    writer: Transaction,
    encoder: TextEncoder,
    documents: Iterable[Entry],
    *,
    truncate: bool,
    batch_size: int | None,
    report: Callable[[int], None],
) -> list[str]:
    """Split, encode and hand over documents.

    Parameters
    ----------
    writer : Transaction
        Receives them; committing is the caller's.
    encoder : TextEncoder
        Encodes them.
    documents : iterable of Entry
        With texts.
    truncate : bool
        Encode the beginning of a long text instead of splitting it.
    batch_size : int, optional
        Passages per call of the model.
    report : callable
        Told after each document how many are encoded.

    Returns
    -------
    list of str
        The ids, given or made.
    """
    block = _Block(writer)
    # Documents whose passages are on their way through the encoder, which reads ahead.
    under_way: deque[tuple[Entry, list[tuple[int, int]]]] = deque()

    def passages() -> Iterator[str]:
        for entry in documents:
            text = _encodable(entry)
            spans = [(0, len(text))] if truncate else _spans(encoder, entry, text)
            under_way.append((entry, spans))
            for start, end in spans:
                yield passage_text(entry.title, text[start:end])

    vectors: list[Matrix] = []
    done = 0
    for matrix in encode_documents(encoder, passages(), truncate=truncate, batch_size=batch_size):
        vectors.append(matrix)
        if len(vectors) == len(under_way[0][1]):
            block.put(*under_way.popleft(), vectors)
            vectors = []
            done += 1
            report(done)
    block.flush()
    return block.given


def _encodable(entry: Entry) -> str:
    if entry.text is None or not entry.text.strip():
        named = f" (id {entry.id!r})" if entry.id is not None else ""
        raise InvalidInput(f"{entry.name}{named} is empty: there is nothing to encode; leave it out")
    return entry.text


def _spans(encoder: TextEncoder, entry: Entry, text: str) -> list[tuple[int, int]]:
    try:
        return split(encoder, text, entry.title)
    except InvalidInput as error:
        raise InvalidInput(f"{entry.name}: {error}") from error


def add_matrices(
    writer: Transaction, documents: Iterable[tuple[Entry, Any]], report: Callable[[int], None]
) -> list[str]:
    """Hand over documents whose vectors the caller made: one passage each.

    Returns
    -------
    list of str
        The ids, given or made.

    Raises
    ------
    InvalidInput
        For a matrix that is not one, or has another dimension than the first.
    """
    block = _Block(writer)
    dim: int | None = None
    for done, (entry, value) in enumerate(documents, start=1):
        matrix = as_matrix(value, entry.name)
        dim = dim or matrix.shape[1]
        check_dimension(matrix, dim, entry.name, "vectors[0]")
        block.put(entry, [(0, len(entry.text or ""))], [matrix])
        report(done)
    block.flush()
    return block.given
