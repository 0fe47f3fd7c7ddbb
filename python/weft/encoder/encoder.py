"""The encoder people use: queries and passages to matrices of unit vectors, one row per token.

Passages are sorted by length within a window and run in batches that are padded only to their own longest.
Batches are small: on a processor a large batch is no faster (the caches overflow), and its texts differ
more in length.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.encoder.checkpoint import Layout, read_layout
from weft.encoder.checkpoint.vocabulary import open_vocabulary
from weft.encoder.network import Network, open_network
from weft.encoder.session import available_threads
from weft.encoder.split import split_spans
from weft.encoder.tokenise import Kind, Row, Token, Tokeniser
from weft.errors import InvalidInput
from weft.hub import ModelLocation, locate
from weft.threads import check_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from weft.encoder.settings import EncoderSettings

__all__ = ["Encoder", "passage_text"]

Matrix = NDArray[np.float32]

_WINDOW = 16
"""Batches read ahead and sorted by length: enough that padding is a few per cent."""

_USUAL_LENGTH = 512
"""Tokens of a text up to which a batch has all its texts. Memory for attention grows with the square of the
length: of longer texts there are fewer in a batch, so that one of 8,192 tokens runs alone."""


def passage_text(title: str | None, piece: str) -> str:
    """Return what is encoded for a passage: its title in front, as the BEIR collections are read.

    >>> passage_text("Amber", "A fossil resin.")
    'Amber A fossil resin.'
    """
    return f"{title} {piece}" if title else piece


class Encoder:
    """A late-interaction encoder, opened from files. Make one with `Encoder.open`.

    Attributes
    ----------
    name : str
        ``default``, a hub id or a directory's name.
    settings : EncoderSettings
        What the checkpoint says about encoding.
    batch_size : int
        Texts in one run of the network.
    threads : int
        Threads of one run.
    """

    def __init__(
        self,
        location: ModelLocation,
        layout: Layout,
        tokeniser: Tokeniser,
        network: Network,
        *,
        batch_size: int,
        threads: int,
    ) -> None:
        self._location = location
        self._layout = layout
        self._tokeniser = tokeniser
        self._network = network
        self.name = location.name
        self.settings: EncoderSettings = tokeniser.settings
        self.batch_size = batch_size
        self.threads = threads

    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        batch_size: int = 8,
        offline: bool | None = None,
        revision: str | None = None,
        model_file: str | None = None,
        providers: Sequence[str] = (),
    ) -> Encoder:
        """Open a model: its ONNX graph, or its weights in safetensors when there is no graph.

        Checkpoints of colbert-ai, PyLate, Sentence Transformers 6 and next-plaid are told by their files and
        used with the settings these have. No code of a checkpoint is run and no pickle is read.

        Parameters
        ----------
        name_or_path : str or path, optional
            A directory, a hub id such as ``org/model``, or None for the bundled model.
        threads : int, optional
            Threads of one run; None takes every processor this process may use.
        batch_size : int
            Texts in one run.
        offline : bool, optional
            Never touch the network; None leaves it to HF_HUB_OFFLINE.
        revision : str, optional
            A commit, branch or tag of a hub id.
        model_file : str, optional
            The graph to use, relative to the model's directory; None prefers int8, and takes the weights
            where there is no graph.
        providers : sequence of str
            ONNX Runtime's execution providers to try before the processor.

        Raises
        ------
        ModelNotFound
            If there is no such model, a file of it is missing, or a package that it takes is not installed.
        ModelError
            If a file of the model cannot be used.
        """
        _positive("batch_size", batch_size)
        if threads is None:
            threads = available_threads()
        check_threads(threads)
        name = None if name_or_path is None else os.fspath(name_or_path)
        location = locate(name, offline=offline, revision=revision)
        directory = location.directory
        layout = read_layout(directory)
        tokeniser = Tokeniser(open_vocabulary((layout.modules.transformer, directory)), layout.settings)
        network = open_network(layout, model_file=model_file, threads=threads, providers=providers)
        tokeniser.check_fits(network.words)
        return cls(location, layout, tokeniser, network, batch_size=batch_size, threads=threads)

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self._network.dim

    @property
    def query_length(self) -> int:
        """Tokens a query is filled up to."""
        return self.settings.query_length

    @property
    def document_length(self) -> int:
        """Most tokens of a passage, its three special ones included."""
        return self.settings.document_length

    @cached_property
    def fingerprint(self) -> str:
        """sha256, in hexadecimal, over all that vectors hang on: equal only for equal vectors.

        Settings, tokenizer, graph or weights, and the layers behind it; not the place or the name. Every byte
        of these files is read once, when it is first asked for, at the speed of the disk and of sha256: a
        fraction of a second for the bundled model, one to two seconds for each gigabyte of weights.
        """
        total = hashlib.sha256(self.settings.canonical().encode())
        for path in self._files():
            total.update(_file_digest(path))
        beyond = self._network.description + self._tokeniser.vocabulary.description
        total.update(beyond.encode())
        return total.hexdigest()

    def _files(self) -> tuple[Path, ...]:
        """Return the files whose bytes decide about vectors."""
        return (*self._network.files, self._tokeniser.vocabulary.path)

    def info(self) -> dict[str, Any]:
        """Return what ``weft model info`` shows: layout, settings, dimension, files and fingerprint.

        ``graph`` is the ONNX file, None when the graph is made from weights. ``dense`` are the layers applied
        behind it, none when it has them inside. ``files`` are those that decide about vectors.
        """
        layout, network = self._layout, self._network
        within = [os.path.relpath(path, layout.directory) for path in self._files()]
        return {
            "name": self.name,
            **layout.describe(),
            "dim": self.dim,
            "graph": None if network.graph is None else within[0],
            "dense": [layer.describe() for layer in network.dense],
            "files": within,
            "fingerprint": self.fingerprint,
        }

    def describe(self) -> dict[str, Any]:
        """Return what an index remembers: name, dim, fingerprint, and where one finds it again.

        The latter is ``path``, and ``revision`` when the model was opened with one.
        """
        description: dict[str, Any] = {
            "name": self.name,
            "dim": self.dim,
            "fingerprint": self.fingerprint,
        }
        if self._location.path is not None:
            description["path"] = self._location.path
        if self._location.revision is not None:
            description["revision"] = self._location.revision
        return description

    def encode_query(self, texts: str | Sequence[str], *, truncate: bool = False) -> list[Matrix]:
        """Encode queries.

        A query shorter than `query_length` is filled up with mask tokens if the model expands queries; all
        positions are kept. A longer one is not cut at `query_length`, as the reference does in silence:
        it keeps all its tokens, up to the positions the network has. `truncate` gives the reference's
        vectors for long queries too.

        Parameters
        ----------
        texts : str or sequence of str
            The queries; one alone gives a list of one.
        truncate : bool
            Cut a longer query where the library that trained the model cuts it, at
            `settings.query_limit`, or at the positions the network has where it does not.

        Returns
        -------
        list of float32 [tokens, dim]
            One matrix per query, its rows of length one.

        Raises
        ------
        InvalidInput
            If a query is too long for the network and `truncate` is false.
        """
        rows = self._tokeniser.queries(_as_list(texts), truncate=truncate)
        attend = self.settings.attend_to_expansion
        results: list[Matrix] = [np.empty((0, self.dim), np.float32)] * len(rows)
        for batch in _batches(rows, self.batch_size):
            attended = [len(rows[i].ids) if attend else rows[i].real for i in batch]
            vectors = self._run([rows[i].ids for i in batch], attended)
            for i, matrix in zip(batch, vectors, strict=True):
                results[i] = matrix[self._tokeniser.kept(rows[i].ids, "query")]
        return results

    def encode_document(
        self,
        texts: str | Sequence[str],
        *,
        truncate: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Matrix]:
        """Encode passages.

        Parameters
        ----------
        texts : str or sequence of str
            The passages; one alone gives a list of one.
        truncate : bool
            Encode the beginning of a passage that is longer than `document_length`.
        progress : callable, optional
            Called with the number of passages done and of all.

        Returns
        -------
        list of float32 [tokens, dim]
            One matrix per passage, its rows of length one; punctuation has no row. An empty text has the
            rows of `[CLS]`, the marker and `[SEP]`.

        Raises
        ------
        InvalidInput
            If a passage is longer than the model's limit and `truncate` is false.
        """
        given = _as_list(texts)
        results = []
        for matrix in self.iter_documents(given, truncate=truncate):
            results.append(matrix)
            if progress is not None:
                progress(len(results), len(given))
        return results

    def iter_documents(
        self, texts: Iterable[str], *, truncate: bool = False, batch_size: int | None = None
    ) -> Iterator[Matrix]:
        """Encode passages as they come and yield their matrices in the order given.

        Reads 16 batches ahead and holds no more than their vectors.

        Parameters
        ----------
        texts : iterable of str
            The passages.
        truncate : bool
            As in `encode_document`.
        batch_size : int, optional
            Texts in one run of the network; None takes the encoder's.

        Yields
        ------
        float32 [tokens, dim]
            One matrix per passage.

        Raises
        ------
        InvalidInput
            As in `encode_document`; the passages before the window with the bad one have been yielded.
        """
        size = self.batch_size if batch_size is None else batch_size
        _positive("batch_size", size)
        remaining, first = iter(texts), 0
        while window := list(islice(remaining, size * _WINDOW)):
            rows = self._tokeniser.documents(window, truncate=truncate, first=first)
            results: list[Matrix | None] = [None] * len(rows)
            for batch in _batches(rows, size):
                vectors = self._run([rows[i].ids for i in batch], [rows[i].real for i in batch])
                for i, matrix in zip(batch, vectors, strict=True):
                    results[i] = matrix[self._tokeniser.kept(rows[i].ids, "document")]
            for i, result in enumerate(results):
                assert result is not None, "every row of the window is in one batch"
                results[i] = None
                yield result
            first += len(window)

    def split(self, text: str, *, title: str | None = None) -> list[tuple[int, int]]:
        """Return spans of `text`, in characters, that the model reads whole together with the title.

        A text that fits gives one span, the whole. A longer one is cut at sentence ends into the least
        number of pieces, evenly; at white space only where a sentence is too long, within a word only where
        the word is. The spans cover everything but white space.

        Parameters
        ----------
        text : str
            The text.
        title : str, optional
            Its title, which stands before every piece (see `passage_text`).

        Raises
        ------
        InvalidInput
            If the title leaves no room for text.
        """
        limit = self.document_length
        if self._tokeniser.count([passage_text(title, text)])[0] <= limit:
            return [(0, len(text))]
        room = limit - self._tokeniser.count([passage_text(title, "")])[0]

        def excess(spans: Sequence[tuple[int, int]]) -> list[int]:
            pieces = [passage_text(title, text[start:end]) for start, end in spans]
            return [count - limit for count in self._tokeniser.count(pieces)]

        spans = split_spans(text, self._tokeniser.offsets(text), room, excess)
        if spans is None:
            raise InvalidInput(
                f"the title alone has {limit - room} tokens and the model reads {limit}: shorten it"
            )
        return spans

    def tokens(self, text: str, kind: Kind = "document") -> list[Token]:
        """Return the tokens the network reads for a text; those `kept` are the rows of its matrix.

        Parameters
        ----------
        text : str
            A query, or a passage with its title in front.
        kind : {"document", "query"}
            Which it is.
        """
        if kind not in ("document", "query"):
            raise InvalidInput(f"kind is {kind!r}, expected 'document' or 'query'")
        return self._tokeniser.tokens(text, kind)

    def _run(self, ids: list[list[int]], attended: list[int]) -> Matrix:
        """Run one batch; `attended` is how many positions of each row may be attended to."""
        longest = max(map(len, ids))
        # What pads is never attended to and never returned: any id of the vocabulary would do.
        padded = np.zeros((len(ids), longest), np.int64)
        attention = np.zeros_like(padded)
        for line, (row, count) in enumerate(zip(ids, attended, strict=True)):
            padded[line, : len(row)] = row
            attention[line, :count] = 1
        return self._network.run(padded, attention)

    def __repr__(self) -> str:
        return (
            f"Encoder({self.name!r}, dim={self.dim}, query_length={self.query_length}, "
            f"document_length={self.document_length}, threads={self.threads})"
        )


def _batches(rows: Sequence[Row], size: int) -> Iterator[list[int]]:
    """Yield the numbers of the rows in batches of like length, the longest first.

    The longest first, so that memory peaks at once and not at the end.
    """
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].ids), i))
    start = 0
    while start < len(order):
        longest = len(rows[order[start]].ids)
        count = max(1, min(size, size * _USUAL_LENGTH**2 // max(1, longest) ** 2))
        yield order[start : start + count]
        start += count


def _as_list(texts: str | Sequence[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)


def _positive(name: str, value: int) -> None:
    if value < 1:
        raise InvalidInput(f"{name} is {value}, expected at least 1")


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
