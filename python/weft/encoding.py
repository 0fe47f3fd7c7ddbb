"""How an index talks to an encoder, its own or anybody's.

An encoder is any object with `encode_query` and `encode_document`, the two names that Sentence
Transformers and PyLate use too. `weft.Encoder` has more: it streams, splits long texts, names its
tokens and knows its own fingerprint. This module asks for each of these and does without where
there is none.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from weft.errors import EncoderMismatch, InvalidInput, ModelNotFound
from weft.matrices import Matrix, as_matrices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "TextEncoder",
    "check_encoder",
    "describe",
    "dimension",
    "encode_documents",
    "encode_queries",
    "is_text",
    "named_tokens",
    "open_encoder",
    "passage_text",
    "remembered_encoder",
    "require_same",
    "split",
]

_FOREIGN_BATCH = 32
_PROBE = "weft"


@runtime_checkable
class TextEncoder(Protocol):
    """What an object must have to serve as encoder.

    Both methods take a list of texts and return one matrix per text, float32 or float16, tokens by
    dimension: a list of arrays, or one three-dimensional array.
    """

    def encode_query(self, texts: list[str], /) -> Any:
        """Token vectors of queries."""

    def encode_document(self, texts: list[str], /) -> Any:
        """Token vectors of passages."""


def is_text(value: str) -> bool:
    """Say whether a string is text: with half a surrogate pair it is none, and nothing can store it."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_encoder(encoder: object) -> TextEncoder:
    """Raise `InvalidInput` unless the object can encode queries and passages."""
    if isinstance(encoder, TextEncoder):
        return encoder
    raise InvalidInput(
        f"encoder is a {type(encoder).__name__} without encode_query and encode_document: "
        "give an object that has both, or name a model with model="
    )


def open_encoder(
    model: str | None, threads: int | None, *, offline: bool | None = None, revision: str | None = None
) -> TextEncoder:
    """Open a model by directory, hub id or, with None, the bundled one; offline, without asking a network."""
    from weft.encoder import Encoder

    encoder: TextEncoder = Encoder.open(model, threads=threads, offline=offline, revision=revision)
    return encoder


def describe(encoder: TextEncoder, model: str | None = None) -> dict[str, Any]:
    """Say what an index remembers of its encoder.

    Parameters
    ----------
    encoder : TextEncoder
        The encoder.
    model : str, optional
        The name it was opened by. A directory is remembered too, so that the index finds it again.

    Returns
    -------
    dict
        ``name`` and ``fingerprint`` at least. An encoder that has no fingerprint of its own gets
        its class: two checkpoints behind one class are not told apart then.
    """
    own = getattr(encoder, "describe", None)
    if callable(own):
        description = dict(own())
    else:
        kind = f"{type(encoder).__module__}.{type(encoder).__qualname__}"
        description = {"name": kind, "fingerprint": str(getattr(encoder, "fingerprint", kind))}
    if model is not None and Path(model).is_dir():
        description["directory"] = str(Path(model).resolve())
    return description


def remembered_encoder(description: str, threads: int | None) -> TextEncoder:
    """Open the encoder an index was made with.

    Raises
    ------
    ModelNotFound
        When it cannot be found by what the index remembers: it was an object of the caller's, or a
        directory that is gone.
    EncoderMismatch
        When what is found there now is another model.
    """
    known = json.loads(description)
    name = known.get("name", "?")
    path = known.get("path")
    directory = known.get("directory")
    if path is not None:
        revision = known.get("revision")
        options = {} if revision is None else {"revision": revision}
        encoder = open_encoder(None if path == "default" else path, threads, **options)
    elif directory is not None and Path(directory).is_dir():
        encoder = open_encoder(directory, threads)
    elif directory is not None:
        raise ModelNotFound(
            f"the index was made with the model {name} in {directory}, which is gone: "
            "open the index with model= and the directory where it is now"
        )
    else:
        raise ModelNotFound(
            f"the index was made with the encoder {name}, which only its owner can make: "
            "open the index with encoder="
        )
    require_same(description, describe(encoder))
    return encoder


def require_same(remembered: str, current: dict[str, Any]) -> None:
    """Raise `EncoderMismatch`, naming both, unless the fingerprints are equal."""
    known = json.loads(remembered)
    if known.get("fingerprint") == current.get("fingerprint"):
        return
    raise EncoderMismatch(
        f"the index was made with {_named(known)} and cannot be used with {_named(current)}: "
        "open it without model= and encoder=, or make a new index"
    )


def _named(description: dict[str, Any]) -> str:
    fingerprint = str(description.get("fingerprint", ""))
    return f"the model {description.get('name', '?')} ({fingerprint[:12]})"


def dimension(encoder: TextEncoder) -> int:
    """Components of the vectors that an encoder makes, found by encoding a word."""
    return int(encode_queries(encoder, [_PROBE])[0].shape[1])


def encode_queries(encoder: TextEncoder, queries: Sequence[str]) -> list[Matrix]:
    """One checked matrix per query."""
    vectors = encoder.encode_query(list(queries))
    return as_matrices(vectors, "encode_query's result", count=len(queries))


def encode_documents(
    encoder: TextEncoder, texts: Iterable[str], *, truncate: bool, batch_size: int | None
) -> Iterator[Matrix]:
    """One checked matrix per text, in order, reading ahead no further than the encoder's window."""
    stream = getattr(encoder, "iter_documents", None)
    if callable(stream):
        options: dict[str, Any] = {} if batch_size is None else {"batch_size": batch_size}
        yield from stream(texts, truncate=truncate, **options)
        return
    remaining = iter(texts)
    while batch := list(islice(remaining, batch_size or _FOREIGN_BATCH)):
        vectors = encoder.encode_document(batch)
        yield from as_matrices(vectors, "encode_document's result", count=len(batch))


def split(encoder: TextEncoder, text: str, title: str | None) -> list[tuple[int, int]]:
    """Spans of the passages a text becomes: one, the whole, when the encoder cannot split."""
    own = getattr(encoder, "split", None)
    if not callable(own):
        return [(0, len(text))]
    spans: list[tuple[int, int]] = own(text, title=title)
    return spans


def passage_text(title: str | None, piece: str) -> str:
    """Join what is encoded for a passage: the title in front, as the BEIR collections are read."""
    return f"{title} {piece}" if title else piece


def named_tokens(encoder: TextEncoder, text: str, kind: str) -> list[tuple[str, int | None, int | None]]:
    """Text and span of the tokens whose vectors are kept; empty when the encoder cannot tell."""
    own = getattr(encoder, "tokens", None)
    if not callable(own):
        return []
    return [(token.text, token.start, token.end) for token in own(text, kind) if token.kept]
