"""How a checkpoint wants its texts encoded: one frozen class, the one truth for every layout.

The readers in `checkpoint/` fill it in, each with the defaults of the library whose files it reads: an absent
key means something different in each. Where libraries differ, the class has a field, and the reader sets it
as the model was trained.
"""

from __future__ import annotations

import json
import string
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PUNCTUATION", "EncoderSettings", "Kind", "SkiplistRule", "read_settings"]

Kind = Literal["document", "query"]
SkiplistRule = Literal["vocabulary", "first-token"]

PUNCTUATION = tuple(string.punctuation)
"""The 32 characters whose vectors passages do not keep, the reference's skiplist."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How a checkpoint wants its queries and passages encoded.

    Attributes
    ----------
    query_marker, document_marker : str
        The token at position 1, as the vocabulary writes it; empty for none.
    query_length : int
        Tokens a query is filled up to, `[CLS]`, marker and `[SEP]` included.
    document_length : int
        Most tokens a passage may have, the same three included.
    expand_queries : bool
        Whether a short query is filled up with mask tokens, whose vectors then count.
    attend_to_expansion : bool
        Whether the other tokens attend to those masks.
    skiplist : tuple of str
        Words whose token is dropped from the result.
    query_prompt, document_prompt : str
        Text put in front of every query or passage.
    lower_case : bool
        Lower the text before the tokenizer's own normalisation.
    max_length : int
        Positions the network has: nothing longer can be encoded.
    query_limit : int or None
        Tokens at which the library of the layout cuts a longer query; None: only at `max_length`. Weft cuts
        there on request only, see `Encoder.encode_query`.
    skiplist_rule : {"vocabulary", "first-token"}
        How a word of the skiplist becomes an id: the vocabulary's entry of that spelling (PyLate,
        Sentence Transformers), or the first token that the tokenizer makes of it (colbert-ai).
    skiplist_kinds : tuple of {"document", "query"}
        From what the skiplist's tokens are dropped.
    keep_only : tuple of int
        When not empty, the only ids of which passages keep vectors.
    expansion_token : str
        What fills up a query; empty for the tokenizer's mask token.
    strip : bool
        Whether white space around the text, its prompt included, is dropped before the tokenizer sees it.
    padding_in_text : bool
        Whether a `[PAD]` that stands in a text is padding: no vector in a passage, a mask in a query
        (colbert-ai), instead of a token like others.

    Examples
    --------
    A checkpoint of colbert-ai, whose files say little:

    >>> import json, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     metadata = pathlib.Path(name, "artifact.metadata")
    ...     _ = metadata.write_text(json.dumps({"query_maxlen": 24}))
    ...     settings = read_settings(pathlib.Path(name))
    >>> settings.query_marker, settings.query_length, settings.document_length
    ('[unused0]', 24, 220)
    """

    query_marker: str
    document_marker: str
    query_length: int
    document_length: int
    expand_queries: bool
    attend_to_expansion: bool
    skiplist: tuple[str, ...]
    query_prompt: str
    document_prompt: str
    lower_case: bool
    max_length: int
    query_limit: int | None = None
    skiplist_rule: SkiplistRule = "vocabulary"
    skiplist_kinds: tuple[Kind, ...] = ("document",)
    keep_only: tuple[int, ...] = ()
    expansion_token: str = ""
    strip: bool = True
    padding_in_text: bool = False

    def __post_init__(self) -> None:
        if self.max_length < 4:
            raise ModelError(f"max_length is {self.max_length}, less than an empty text's tokens")
        for name in ("query_length", "document_length", "query_limit"):
            length = getattr(self, name)
            if length is not None and not 4 <= length <= self.max_length:
                raise ModelError(
                    f"{name} is {length}, outside 4 to {self.max_length}, the positions the model has"
                )

    def prompt(self, kind: Kind) -> str:
        """Return the text that stands in front of every text of this kind."""
        return self.query_prompt if kind == "query" else self.document_prompt

    def canonical(self) -> str:
        """Return what vectors hang on as one line of JSON, the same for equal settings.

        Fields with a default are left out while they have it, so that a field that is added later does not
        give every model of old another fingerprint. `query_limit` is left out always: it cuts only queries
        for which the caller asks.
        """
        content: dict[str, Any] = asdict(self)
        for field in fields(self):
            if field.default is not MISSING and content[field.name] == field.default:
                del content[field.name]
        content.pop("query_limit", None)
        return json.dumps(content, sort_keys=True, ensure_ascii=True)


def read_settings(directory: Path) -> EncoderSettings:
    """Read the settings of the checkpoint in `directory`, whatever its layout.

    Raises
    ------
    ModelError
        If no file says that this is a late-interaction model, or one cannot be used.
    """
    from weft.encoder.checkpoint import read_layout

    return read_layout(directory).settings
