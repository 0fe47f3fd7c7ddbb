"""Text to rows of token ids, and the rules about them: markers, masks, the skiplist, lengths.

The rules are those of the reference implementation (ColBERTv2): the marker stands at position 1, a query
is filled up with mask tokens, a passage keeps `[CLS]`, marker and `[SEP]` and drops punctuation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from weft.errors import InvalidInput, ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from weft.encoder.settings import EncoderSettings

__all__ = ["Kind", "Row", "Token", "Tokeniser"]

Kind = Literal["document", "query"]


@dataclass(frozen=True, slots=True)
class Row:
    """The ids of one text as the network reads them.

    Attributes
    ----------
    ids : list of int
        Token ids, masks of a query's expansion included.
    real : int
        How many of them come from the text, its markers included; what follows are masks.
    """

    ids: list[int]
    real: int


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text, to explain what a vector stands for.

    Attributes
    ----------
    text : str
        The token as the vocabulary writes it.
    start, end : int or None
        Its characters in the text; None for markers, masks and the like.
    kept : bool
        Whether it has a vector in the result.
    """

    text: str
    start: int | None
    end: int | None
    kept: bool


class Tokeniser:
    """A tokenizer file and a checkpoint's settings, joined.

    Parameters
    ----------
    path : Path
        `tokenizer.json`.
    settings : EncoderSettings
        The checkpoint's settings.

    Raises
    ------
    ModelNotFound
        If tokenizers is not installed or the file is not there.
    ModelError
        If the file cannot be read, or the vocabulary lacks a token that the settings name.
    """

    def __init__(self, path: Path, settings: EncoderSettings) -> None:
        try:
            import tokenizers
        except ImportError as error:
            raise ModelNotFound("tokenizers is not installed: pip install tokenizers") from error
        if not path.is_file():
            raise ModelNotFound(f"{path}: no such file")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(path))
        # The library raises bare Exception for a file it cannot parse.
        except Exception as error:
            raise ModelError(f"{path}: cannot be read as a tokenizer: {error}") from error
        # Files are saved with whatever limits their trainer had; the limits here are the settings'.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if settings.lower_case:
            self._lower_first(tokenizers.normalizers)
        self._path = path
        self.settings = settings
        self._markers = {
            "query": self._marker(settings.query_marker),
            "document": self._marker(settings.document_marker),
        }
        self.mask = self._mask() if settings.expand_queries else None
        self.skiplist = self._skiplist()
        self._empty = len(self._tokenizer.encode("").ids)

    def _lower_first(self, normalizers: Any) -> None:
        own = self._tokenizer.normalizer
        lower = normalizers.Lowercase()
        self._tokenizer.normalizer = normalizers.Sequence([lower, own]) if own else lower

    def _marker(self, text: str) -> int | None:
        if not text:
            return None
        found: int | None = self._tokenizer.token_to_id(text)
        if found is None:
            raise ModelError(f"{self._path}: the marker {text!r} is not in the vocabulary")
        return found

    def _mask(self) -> int:
        # BERT's family writes [MASK], RoBERTa's <mask>.
        for text in ("[MASK]", "<mask>"):
            found: int | None = self._tokenizer.token_to_id(text)
            if found is not None:
                return found
        raise ModelError(f"{self._path}: queries are to be expanded and there is no mask token")

    def _skiplist(self) -> frozenset[int]:
        unknown = {self._tokenizer.token_to_id(text) for text in ("[UNK]", "<unk>")}
        found: set[int] = set()
        for word in self.settings.skiplist:
            ids = self._tokenizer.encode(word, add_special_tokens=False).ids
            # An unknown word would drop every unknown token of every passage.
            if ids and ids[0] not in unknown:
                found.add(ids[0])
        return frozenset(found)

    def overhead(self, kind: Kind) -> int:
        """Return how many tokens an empty text has: `[CLS]`, marker and `[SEP]` make three."""
        return self._empty + (self._markers[kind] is not None)

    def prompt(self, kind: Kind) -> str:
        """Return the text that stands in front of every text of this kind."""
        return self.settings.query_prompt if kind == "query" else self.settings.document_prompt

    def count(self, texts: Sequence[str], kind: Kind = "document") -> list[int]:
        """Return how many tokens each text has for the network, markers included."""
        return [len(ids) for ids in self._encode(texts, kind)]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of each token of the bare text: no markers, no prompt."""
        _check_texts([text])
        found: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return found

    def documents(self, texts: Sequence[str], *, truncate: bool, first: int = 0) -> list[Row]:
        """Return the rows of passages; `first` is the number of `texts[0]` in what the caller gave.

        Raises
        ------
        InvalidInput
            If a passage is longer than the model's limit and `truncate` is false.
        """
        limit = self.settings.document_length
        rows = []
        for number, ids in enumerate(self._encode(texts, "document", first), first):
            if len(ids) > limit:
                if not truncate:
                    raise InvalidInput(
                        f"texts[{number}] has {len(ids)} tokens and the model reads {limit}: "
                        "cut it up with Encoder.split(), or pass truncate=True to encode its beginning"
                    )
                ids = _cut(ids, limit)
            rows.append(Row(ids, len(ids)))
        return rows

    def queries(self, texts: Sequence[str], *, truncate: bool) -> list[Row]:
        """Return the rows of queries, filled up with masks when the model expands them.

        A query longer than `query_length` keeps all its tokens, up to the network's positions.

        Raises
        ------
        InvalidInput
            If a query has more tokens than the network has positions and `truncate` is false.
        """
        limit = self.settings.max_length
        rows = []
        for number, ids in enumerate(self._encode(texts, "query")):
            if len(ids) > limit:
                if not truncate:
                    raise InvalidInput(
                        f"texts[{number}] is a query of {len(ids)} tokens and the model reads at most "
                        f"{limit}: shorten it, or pass truncate=True to encode its beginning"
                    )
                ids = _cut(ids, limit)
            rows.append(self._expanded(ids))
        return rows

    def _expanded(self, ids: list[int]) -> Row:
        masks = self.settings.query_length - len(ids)
        if self.mask is None or masks <= 0:
            return Row(ids, len(ids))
        return Row(ids + [self.mask] * masks, len(ids))

    def tokens(self, text: str, kind: Kind) -> list[Token]:
        """Return every token the network reads for `text`, in order, and which of them are kept."""
        _check_texts([text])
        prompt = self.prompt(kind)
        encoding = self._tokenizer.encode(prompt + text)
        spans: list[tuple[int, int] | None] = []
        for (start, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True):
            inside = not special and start >= len(prompt)
            spans.append((start - len(prompt), end - len(prompt)) if inside else None)
        ids = list(encoding.ids)
        marker = self._markers[kind]
        if marker is not None:
            ids.insert(1, marker)
            spans.insert(1, None)
        if kind == "query":
            ids = self._expanded(ids).ids
            spans += [None] * (len(ids) - len(spans))
        dropped = self.skiplist if kind == "document" else frozenset[int]()
        return [
            Token(
                text=self._tokenizer.id_to_token(id_) or "",
                start=None if span is None else span[0],
                end=None if span is None else span[1],
                kept=id_ not in dropped,
            )
            for id_, span in zip(ids, spans, strict=True)
        ]

    def _encode(self, texts: Sequence[str], kind: Kind, first: int = 0) -> list[list[int]]:
        _check_texts(texts, first)
        prompt = self.prompt(kind)
        given = [prompt + text for text in texts] if prompt else list(texts)
        # One text does not wake the tokenizer's thread pool.
        if len(given) == 1:
            encodings = [self._tokenizer.encode(given[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(given)
        marker = self._markers[kind]
        rows = []
        for encoding in encodings:
            ids: list[int] = encoding.ids
            if marker is not None:
                ids.insert(1, marker)
            rows.append(ids)
        return rows


def _cut(ids: list[int], limit: int) -> list[int]:
    """Shorten to `limit` ids and keep the last, the end-of-text token."""
    return ids[: limit - 1] + ids[-1:]


def _check_texts(texts: Sequence[str], first: int = 0) -> None:
    for number, text in enumerate(texts, first):
        if not isinstance(text, str):
            raise InvalidInput(f"texts[{number}] is a {type(text).__name__}, expected str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"texts[{number}] is not valid Unicode: {error}") from None
