"""Text to rows of token ids, and the rules about them: markers, masks, the skiplist, lengths.

The rules are those of the reference implementation (ColBERTv2): the marker stands at position 1, a query
is filled up with mask tokens, a passage keeps `[CLS]`, marker and `[SEP]` and drops punctuation. Where other
libraries do otherwise, `EncoderSettings` has a field for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.encoder.checkpoint.vocabulary import failures_of
from weft.encoder.settings import Kind
from weft.errors import InvalidInput, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from weft.encoder.checkpoint.vocabulary import Vocabulary
    from weft.encoder.settings import EncoderSettings

__all__ = ["Kind", "Row", "Token", "Tokeniser"]


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
    """Turns texts into rows of ids as the settings say.

    Parameters
    ----------
    vocabulary : Vocabulary
        The checkpoint's tokenizer.
    settings : EncoderSettings
        The rules.

    Raises
    ------
    ModelError
        If the vocabulary lacks a token that the settings name.
    """

    def __init__(self, vocabulary: Vocabulary, settings: EncoderSettings) -> None:
        self.vocabulary = vocabulary
        self.settings = settings
        self._tokenizer = vocabulary.tokenizer
        self._markers = {
            "query": self._marker(settings.query_marker),
            "document": self._marker(settings.document_marker),
        }
        self.mask = self._expansion() if settings.expand_queries else None
        with failures_of(vocabulary.path):
            self.skiplist = self._skiplist()
            self._empty = len(self._tokenizer.encode("").ids)
            # What stands behind a text, one `[SEP]` in most models: it survives when the text is cut.
            special: list[int] = self._tokenizer.encode("a").special_tokens_mask
        self._tail = len(special) - max((i + 1 for i, one in enumerate(special) if not one), default=0)

    def _marker(self, text: str) -> int | None:
        if not text:
            return None
        found: int | None = self._tokenizer.token_to_id(text)
        if found is None:
            raise ModelError(
                f"{self.vocabulary.path}: the marker {text!r} is not in the vocabulary: "
                "its vector would be one that was never trained"
            )
        return found

    def _expansion(self) -> int:
        """Return what fills up queries: what the settings name, the mask, or the end of PyLate's models."""
        named = self.settings.expansion_token
        if named:
            found: int | None = self._tokenizer.token_to_id(named)
            if found is None:
                raise ModelError(f"{self.vocabulary.path}: the expansion token {named!r} is not there")
            return found
        for usual in (self.vocabulary.mask, self.vocabulary.end):
            if usual is not None:
                return usual
        raise ModelError(f"{self.vocabulary.path}: queries are to be expanded and there is no mask token")

    def _skiplist(self) -> frozenset[int]:
        found: set[int] = set()
        for word in self.settings.skiplist:
            if self.settings.skiplist_rule == "vocabulary":
                id_ = self._tokenizer.token_to_id(word)
            else:
                ids = self._tokenizer.encode(word, add_special_tokens=False).ids
                # An unknown word would drop every unknown token of every passage.
                id_ = ids[0] if ids and ids[0] != self.vocabulary.unknown else None
            if id_ is not None:
                found.add(id_)
        return frozenset(found)

    def check_fits(self, words: int | None) -> None:
        """Raise `ModelError` when a marker or the mask has no row in a word table of this length."""
        named = [id_ for id_ in (*self._markers.values(), self.mask) if id_ is not None]
        if words is not None and any(id_ >= words for id_ in named):
            raise ModelError(
                f"{self.vocabulary.path}: a marker or mask has the id {max(named)}, and the weights have "
                f"{words} words: tokenizer and weights do not belong together"
            )

    def overhead(self, kind: Kind) -> int:
        """Return how many tokens an empty text has: `[CLS]`, marker and `[SEP]` make three."""
        return self._empty + (self._markers[kind] is not None)

    def count(self, texts: Sequence[str], kind: Kind = "document") -> list[int]:
        """Return how many tokens each text has for the network, markers included."""
        return [len(ids) for ids in self._encode(texts, kind)]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of each token of the bare text: no markers, no prompt."""
        _check_texts([text])
        with failures_of(self.vocabulary.path):
            encoding = self._tokenizer.encode(self._cased(text), add_special_tokens=False)
        span = self._span_finder(text)
        return [span(start, end) for start, end in encoding.offsets]

    def kept(self, ids: Sequence[int], kind: Kind) -> list[int]:
        """Return the positions of a row that have a vector in the result."""
        settings = self.settings
        dropped = self.skiplist if kind in settings.skiplist_kinds else frozenset[int]()
        if kind == "document" and settings.padding_in_text and self.vocabulary.padding is not None:
            dropped = dropped | {self.vocabulary.padding}
        positions = [position for position, id_ in enumerate(ids) if id_ not in dropped]
        if kind == "document" and settings.keep_only:
            positions = [position for position in positions if ids[position] in settings.keep_only]
        return positions

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
                ids = self._cut(ids, limit)
            rows.append(Row(ids, len(ids)))
        return rows

    def queries(self, texts: Sequence[str], *, truncate: bool) -> list[Row]:
        """Return the rows of queries, filled up with masks when the model expands them.

        A query longer than `query_length` keeps all its tokens, up to the network's positions, unless
        `truncate` asks for the limit of the library that trained the model.

        Raises
        ------
        InvalidInput
            If a query has more tokens than the network has positions and `truncate` is false.
        """
        limit = self.settings.max_length
        if truncate and self.settings.query_limit is not None:
            limit = self.settings.query_limit
        rows = []
        for number, ids in enumerate(self._encode(texts, "query")):
            if len(ids) > limit:
                if not truncate:
                    raise InvalidInput(
                        f"texts[{number}] is a query of {len(ids)} tokens and the model reads at most "
                        f"{limit}: shorten it, or pass truncate=True to encode its beginning"
                    )
                ids = self._cut(ids, limit)
            rows.append(self._expanded(ids))
        return rows

    def _expanded(self, ids: list[int]) -> Row:
        real = len(ids)
        if self.mask is not None:
            if self.settings.padding_in_text:
                ids = [self.mask if id_ == self.vocabulary.padding else id_ for id_ in ids]
            ids = ids + [self.mask] * (self.settings.query_length - real)
        return Row(ids, real)

    def _cut(self, ids: list[int], limit: int) -> list[int]:
        """Shorten to `limit` ids and keep what stands behind the text, the end-of-text token."""
        return ids[: limit - self._tail] + ids[len(ids) - self._tail :]

    def tokens(self, text: str, kind: Kind) -> list[Token]:
        """Return every token the network reads for `text`, in order, and which of them are kept."""
        _check_texts([text])
        prompt = self.settings.prompt(kind)
        whole = prompt + self._cased(text)
        with failures_of(self.vocabulary.path):
            encoding = self._tokenizer.encode(self._given(text, kind))
        shift = len(whole) - len(whole.lstrip()) if self.settings.strip else 0
        span_of = self._span_finder(text)
        spans: list[tuple[int, int] | None] = []
        for (start, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True):
            first = start + shift - len(prompt)
            inside = not special and first >= 0
            spans.append(span_of(first, first + end - start) if inside else None)
        ids = list(encoding.ids)
        marker = self._markers[kind]
        if marker is not None:
            ids.insert(1, marker)
            spans.insert(1, None)
        if kind == "query":
            ids = self._expanded(ids).ids
            spans += [None] * (len(ids) - len(spans))
        kept = set(self.kept(ids, kind))
        return [
            Token(
                text=self._tokenizer.id_to_token(id_) or "",
                start=None if span is None else span[0],
                end=None if span is None else span[1],
                kept=position in kept,
            )
            for position, (id_, span) in enumerate(zip(ids, spans, strict=True))
        ]

    def _cased(self, text: str) -> str:
        return text.lower() if self.settings.lower_case else text

    def _given(self, text: str, kind: Kind) -> str:
        """Return what the tokenizer gets for a text."""
        whole = self.settings.prompt(kind) + self._cased(text)
        return whole.strip() if self.settings.strip else whole

    def _span_finder(self, text: str) -> Callable[[int, int], tuple[int, int]]:
        """Return what turns a span of the text as lowered into one of the text as given."""
        if not self.settings.lower_case or len(text.lower()) == len(text):
            return lambda start, end: (start, end)
        # A few characters become two when they are lowered, as the capital I with a dot does.
        owners = [place for place, char in enumerate(text) for _ in char.lower()]
        owners.append(len(text))
        return lambda start, end: (owners[start], owners[end - 1] + 1 if end > start else owners[start])

    def _encode(self, texts: Sequence[str], kind: Kind, first: int = 0) -> list[list[int]]:
        _check_texts(texts, first)
        given = [self._given(text, kind) for text in texts]
        with failures_of(self.vocabulary.path):
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


def _check_texts(texts: Sequence[str], first: int = 0) -> None:
    for number, text in enumerate(texts, first):
        if not isinstance(text, str):
            raise InvalidInput(f"texts[{number}] is a {type(text).__name__}, expected str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"texts[{number}] is not valid Unicode: {error}") from None
