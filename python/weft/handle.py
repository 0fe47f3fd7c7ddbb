"""What every part of an index stands on: the open engine, and the encoder, opened when a text needs it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from weft import encoding
from weft.encoding import TextEncoder, describe, encode_queries, require_same
from weft.errors import InvalidInput

if TYPE_CHECKING:
    from weft import _core
    from weft.matrices import Matrix

__all__ = ["Handle"]


class Handle:
    """An open engine and its encoder; `weft.Index` adds what is done with them."""

    def __init__(
        self,
        native: _core.Index,
        *,
        encoder: TextEncoder | None = None,
        model: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._native = native
        self._model = model
        self._threads = threads
        self._encoder: TextEncoder | None = None
        self._description: dict[str, Any] | None = None
        self._opening = threading.Lock()
        self._asked: tuple[str, Matrix] | None = None
        # The transaction of a `batch`, which belongs to the thread that opened it.
        self._local = threading.local()
        if encoder is not None:
            self._use(encoder)

    @property
    def path(self) -> str:
        """The index's directory."""
        return self._native.path

    @property
    def read_only(self) -> bool:
        """Whether it was opened for reading."""
        return self._native.read_only

    @property
    def encoder(self) -> TextEncoder:
        """The encoder; opened now when no text has needed it yet.

        Raises
        ------
        ModelNotFound
            It cannot be found.
        EncoderMismatch
            It is not the one the index was made with.
        InvalidInput
            The index holds only vectors that the caller made, and nobody said by which model.
        """
        with self._opening:
            if self._encoder is None:
                self._open_encoder()
            assert self._encoder is not None
            return self._encoder

    def _open_encoder(self) -> None:
        remembered = self._native.encoder()
        if self._model is not None:
            self._use(encoding.open_encoder(self._model, self._threads))
        elif remembered is not None:
            self._encoder = encoding.remembered_encoder(remembered, self._threads)
        elif len(self._native) > 0:
            raise InvalidInput(
                f"{self.path} holds vectors of an unknown model: open it with model= or encoder=, "
                "or use add_vectors and search_vectors"
            )
        else:
            self._use(encoding.open_encoder(None, self._threads))

    def _use(self, encoder: TextEncoder) -> None:
        description = describe(encoder, self._model)
        remembered = self._native.encoder()
        if remembered is not None:
            require_same(remembered, description)
        self._encoder, self._description = encoder, description

    def _vectors_of(self, query: str) -> Matrix:
        """Encode a query, or remember it: after a search, its hits are explained one by one."""
        asked = self._asked
        if asked is None or asked[0] != query:
            asked = self._asked = (query, encode_queries(self.encoder, [query])[0])
        return asked[1]
