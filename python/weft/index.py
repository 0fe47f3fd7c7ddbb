"""The index: a directory that texts go into and ranked passages come out of.

`Index` joins the engine, which knows vectors and nothing of models, with an encoder, which is
opened when the first text arrives: an index that is only asked for its documents never loads a
model.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from weft import _core
from weft.defaults import LOCK_TIMEOUT, K
from weft.encoding import (
    TextEncoder,
    check_encoder,
    describe,
    encode_queries,
    named_tokens,
    open_encoder,
    passage_text,
    remembered_encoder,
    require_same,
)
from weft.errors import DocumentNotFound, InvalidInput
from weft.explanation import Explanation, TokenMatch
from weft.ingest import Progress, add_matrices, add_texts, entries
from weft.matrices import Matrix, as_matrices, as_matrix
from weft.results import Document, Hit

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Index", "open_index"]

_PAGE = 1000  # Ids read from the catalogue at a time while iterating.


def open_index(
    path: str | os.PathLike[str],
    *,
    create: bool = False,
    model: str | os.PathLike[str] | None = None,
    encoder: object | None = None,
    nbits: int | None = None,
    codec: str | None = None,
    seed: int | None = None,
    threads: int | None = None,
    read_only: bool = False,
    lock_timeout: float = LOCK_TIMEOUT,
) -> Index:
    """Open an index.

    Parameters
    ----------
    path : str or path
        The index's directory.
    create : bool
        Make the index when there is none; open it when there is.
    model : str or path, optional
        A model: a directory or a hub id. Without it, the model the index was made with, and for a
        new index the bundled one. It is loaded when the first text comes.
    encoder : object, optional
        Instead of a model, an object with ``encode_query`` and ``encode_document``, which take a
        list of texts and return one float32 or float16 matrix per text.
    nbits : {1, 2, 4, 8}, optional
        Bits per vector component of a new index.
    codec : {"weft", "plaid"}, optional
        How a new index compresses: Weft's tables, or exactly the reference's.
    seed : int, optional
        Fixes sampling and clustering of a new index.
    threads : int, optional
        Threads of engine and model; all cores when None.
    read_only : bool
        Never write, not even a lock; for read-only media.
    lock_timeout : float
        Seconds that a write waits for another writer before it raises `IndexLocked`.

    Returns
    -------
    Index
        The open index, also a context manager.

    Raises
    ------
    IndexNotFound
        Nothing is there and `create` is false.
    IndexExists
        Something that is no index is there.
    CorruptIndex, IncompatibleIndex
        It cannot be read.
    EncoderMismatch
        `encoder` is not the one the index was made with.
    InvalidInput
        A setting contradicts those of the existing index, or two arguments contradict each other.

    Examples
    --------
    >>> import tempfile, numpy, weft
    >>> folder = tempfile.TemporaryDirectory()
    >>> index = weft.open(f"{folder.name}/toy.weft", create=True)
    >>> index.add_vectors([numpy.eye(8, dtype=numpy.float32)[:3]], ids=["a"])
    ['a']
    >>> index.search_vectors(numpy.eye(8, dtype=numpy.float32)[:2])[0].id
    'a'
    >>> index.close(); folder.cleanup()
    """
    if model is not None and encoder is not None:
        raise InvalidInput("model and encoder are both given: one of them says how to encode")
    checked = check_encoder(encoder) if encoder is not None else None
    native = _core.Index.open(
        os.fspath(path),
        create=create,
        read_only=read_only,
        nbits=nbits,
        codec=codec,
        seed=seed,
        threads=threads,
        lock_timeout=lock_timeout,
    )
    return Index(native, encoder=checked, model=None if model is None else os.fspath(model), threads=threads)


class Index:
    """An open index. `weft.open` makes it.

    One index may be used by many threads. Searches see one consistent state of documents and
    vectors, and pick up what another process has committed.

    Examples
    --------
    >>> index
    Index('...', documents=3)
    >>> len(index), "a" in index, list(index)
    (3, True, ['a', 'b', 'c'])
    """

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
        if encoder is not None:
            self._use(encoder)

    # What it is

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
            self._use(open_encoder(self._model, self._threads))
        elif remembered is not None:
            self._encoder = remembered_encoder(remembered, self._threads)
        elif len(self._native) > 0:
            raise InvalidInput(
                f"{self.path} holds vectors of an unknown model: open it with model= or encoder=, "
                "or use add_vectors and search_vectors"
            )
        else:
            self._use(open_encoder(None, self._threads))

    def _use(self, encoder: TextEncoder) -> None:
        description = describe(encoder, self._model)
        remembered = self._native.encoder()
        if remembered is not None:
            require_same(remembered, description)
        self._encoder, self._description = encoder, description

    def __len__(self) -> int:
        return len(self._native)

    def __bool__(self) -> bool:
        # An empty index is not a missing one: `if index:` asks whether there is an index.
        return True

    def __contains__(self, wanted: object) -> bool:
        return isinstance(wanted, str) and self._native.get([wanted])[0] is not None

    def __iter__(self) -> Iterator[str]:
        """Ids in the order they were added, read in pages."""
        after: str | None = None
        while page := self._native.ids(after, _PAGE):
            yield from page
            after = page[-1]

    def __repr__(self) -> str:
        return f"Index({self.path!r}, documents={len(self)})"

    def info(self) -> dict[str, Any]:
        """Tell counts, settings and sizes.

        Returns
        -------
        dict
            ``documents``, ``passages``, ``tokens``, ``dim``, ``nbits``, ``codec``, ``seed``,
            ``segments``, ``codebooks``, ``bytes`` by part, ``bytes_per_token``, ``encoder`` (what
            is remembered of it, or None), ``format_version``, ``cpu_tier`` and ``threads``.
        """
        information = dict(self._native.info())
        remembered = information.get("encoder")
        if remembered is not None:
            information["encoder"] = json.loads(remembered)
        return information

    def check(self) -> list[str]:
        """Read every byte and compare checksums.

        Returns
        -------
        list of str
            One line per problem, naming file and section; empty when all is well.
        """
        return self._native.check()

    # Writing

    def add(
        self,
        texts: str | Iterable[str],
        *,
        ids: str | Iterable[str | None] | None = None,
        titles: str | Iterable[str | None] | None = None,
        metadata: Mapping[str, Any] | Iterable[Mapping[str, Any] | None] | None = None,
        truncate: bool = False,
        batch_size: int | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        """Encode and add documents, all or none.

        The arguments may be lists or any iterables; they are read side by side as the work goes on.
        A text longer than the model's limit becomes several passages, cut at sentence ends. A
        document whose id is there already is replaced; of two equal ids in one call the later
        counts.

        Parameters
        ----------
        texts : str or iterable of str
            The texts. With one str, the other arguments may be single values too.
        ids : iterable of str, optional
            Unique names; made when left out or None.
        titles : iterable of str, optional
            Encoded in front of each passage of the text.
        metadata : iterable of dict, optional
            Anything JSON can hold, given back with each hit.
        truncate : bool
            Encode only the beginning of a long text.
        batch_size : int, optional
            Passages per call of the model.
        progress : callable, optional
            Called with stage, done and total: ``"encode"`` counts documents (total None unless
            `texts` has a length), then come the engine's ``"train"``, ``"compress"`` and
            ``"write"``.

        Returns
        -------
        list of str
            The ids, in order.

        Raises
        ------
        InvalidInput
            An element is not what it must be, is empty, or the lengths differ. The index is as it
            was.
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> index.add(["warp and weft", "a loom"], ids=["d", "e"], metadata=[{"year": 2020}, None])
        ['d', 'e']
        >>> index.get("d").metadata
        {'year': 2020}
        """
        if isinstance(texts, str):
            # The single values that one text allows; `entries` refuses them beside a list.
            texts = [texts]
            ids = [ids] if isinstance(ids, str) else ids
            titles = [titles] if isinstance(titles, str) else titles
            metadata = [metadata] if isinstance(metadata, Mapping) else metadata
        total = len(texts) if isinstance(texts, Sized) else None
        walk = entries("texts", texts, ids=ids, texts=None, titles=titles, metadata=metadata)
        documents = (entry for entry, _ in walk)

        first = next(documents, None)
        if first is None:
            return []
        encoder = self.encoder

        def write(writer: _core.Writer) -> list[str]:
            if self._description is not None:
                writer.set_encoder(json.dumps(self._description, ensure_ascii=False))
            return add_texts(
                writer,
                encoder,
                chain([first], documents),
                truncate=truncate,
                batch_size=batch_size,
                report=_counter(progress, total),
            )

        return self._write(write, progress)

    def add_vectors(
        self,
        vectors: Iterable[Any],
        *,
        ids: Iterable[str | None] | None = None,
        texts: Iterable[str | None] | None = None,
        titles: Iterable[str | None] | None = None,
        metadata: Iterable[Mapping[str, Any] | None] | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        """Add documents whose token vectors you made yourself, all or none.

        Each becomes one passage. Vectors are normalised to unit length; the first ones added settle
        the index's dimension, a multiple of 8.

        Parameters
        ----------
        vectors : iterable of arrays
            One matrix per document, float32 or float16, tokens by dimension; or one array of shape
            (documents, tokens, dimension).
        ids, texts, titles, metadata : iterable, optional
            As in `add`; the texts are kept for the results and not encoded.
        progress : callable, optional
            As in `add`.

        Returns
        -------
        list of str
            The ids, in order.

        Raises
        ------
        InvalidInput
            A matrix has another dtype, shape or dimension, NaN, or a row of zeros; it names the
            element.

        Examples
        --------
        >>> import numpy
        >>> vectors = numpy.eye(32, dtype=numpy.float32)
        >>> index.add_vectors([vectors[:4], vectors[4:]], ids=["f", "g"])
        ['f', 'g']
        """
        if getattr(vectors, "ndim", 3) != 3:
            raise InvalidInput(
                f"vectors is one array of shape {tuple(vectors.shape)}: "  # type: ignore[attr-defined]
                "give a list of matrices, one per document"
            )
        total = len(vectors) if isinstance(vectors, Sized) else None
        documents = entries("vectors", vectors, ids=ids, texts=texts, titles=titles, metadata=metadata)

        def write(writer: _core.Writer) -> list[str]:
            return add_matrices(writer, documents, _counter(progress, total))

        return self._write(write, progress)

    def _write(self, write: Callable[[_core.Writer], list[str]], progress: Progress | None) -> list[str]:
        writer = self._native.begin()
        try:
            given = write(writer)
            if given:
                writer.commit(None if progress is None else _engine_stages(progress))
            else:
                writer.abort()
        except BaseException:
            # Ctrl-C included: whatever ended the work, the index stays as it was.
            writer.abort()
            raise
        return given

    def delete(self, ids: str | Iterable[str]) -> int:
        """Delete documents.

        Parameters
        ----------
        ids : str or iterable of str
            Ids; one that is not there is passed over.

        Returns
        -------
        int
            How many were there.

        Examples
        --------
        >>> index.delete(["c", "nobody"])
        1
        """
        return self._native.delete([ids] if isinstance(ids, str) else list(ids))

    # Reading

    # A str is also an iterable of str, which is what the checker minds; the first overload wins.
    @overload
    def get(self, ids: str) -> Document: ...  # type: ignore[overload-overlap]
    @overload
    def get(self, ids: Iterable[str]) -> list[Document]: ...
    def get(self, ids: str | Iterable[str]) -> Document | list[Document]:
        """Read documents back.

        Parameters
        ----------
        ids : str or iterable of str
            One id or several.

        Returns
        -------
        Document or list of Document
            One per id, in their order.

        Raises
        ------
        DocumentNotFound
            One of them is not there. ``id in index`` asks first.

        Examples
        --------
        >>> index.get("a")
        Document(id='a', text='the shuttle carries the weft')
        """
        wanted = [ids] if isinstance(ids, str) else list(ids)
        documents = []
        for one, row in zip(wanted, self._native.get(wanted), strict=True):
            if row is None:
                raise DocumentNotFound(f"no document has the id {one!r} in {self.path}")
            found, text, title, metadata, spans = row
            documents.append(Document(found, text, title, _parsed(metadata), tuple((s, e) for s, e in spans)))
        return documents[0] if isinstance(ids, str) else documents

    @overload
    def search(  # type: ignore[overload-overlap]
        self,
        query: str,
        k: int = ...,
        *,
        exact: bool = ...,
        nprobe: int | None = ...,
        ndocs: int | None = ...,
        centroid_score_threshold: float | None = ...,
        group: Literal["document"] | None = ...,
        texts: bool = ...,
    ) -> list[Hit]: ...
    @overload
    def search(
        self,
        query: Sequence[str],
        k: int = ...,
        *,
        exact: bool = ...,
        nprobe: int | None = ...,
        ndocs: int | None = ...,
        centroid_score_threshold: float | None = ...,
        group: Literal["document"] | None = ...,
        texts: bool = ...,
    ) -> list[list[Hit]]: ...
    def search(
        self,
        query: str | Sequence[str],
        k: int = K,
        *,
        exact: bool = False,
        nprobe: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        group: Literal["document"] | None = None,
        texts: bool = True,
    ) -> list[Hit] | list[list[Hit]]:
        """Rank passages by MaxSim.

        Parameters
        ----------
        query : str or sequence of str
            One query, or many, which are searched on all threads.
        k : int
            Results per query; fewer only when the index holds fewer.
        exact : bool
            Score every passage instead of the candidates the centroids propose.
        nprobe : int, optional
            Centroids looked into per query token. More finds more and costs more; by default chosen
            from `k`, as are the next two.
        ndocs : int, optional
            Candidates kept after the centroid stage.
        centroid_score_threshold : float, optional
            Centroids scored below it are left out of the approximate score.
        group : {"document"}, optional
            Rank documents, each by its best passage, instead of passages.
        texts : bool
            Read texts, titles and metadata for the hits. False saves that time when only ids and
            scores are wanted.

        Returns
        -------
        list of Hit, or list of list of Hit
            Best first; equal scores by document id. A list of queries gives one list per query.

        Raises
        ------
        InvalidInput
            A query is empty, or a parameter is out of range.

        Examples
        --------
        >>> index.search("what does the shuttle carry?", k=1)
        [Hit(rank=1, id='a', score=..., text='the shuttle carries the weft')]
        """
        queries = [query] if isinstance(query, str) else list(query)
        for position, asked in enumerate(queries):
            name = "query" if isinstance(query, str) else f"query[{position}]"
            if not isinstance(asked, str):
                raise InvalidInput(f"{name} is a {type(asked).__name__}: a str is needed")
            if not asked.strip():
                raise InvalidInput(f"{name} is empty: there is nothing to search for")
        _check_k(k)
        if not queries or len(self) == 0:
            found: list[list[Hit]] = [[] for _ in queries]
        else:
            found = self._search(
                [self._vectors_of(query)]
                if isinstance(query, str)
                else encode_queries(self.encoder, queries),
                k,
                exact=exact,
                nprobe=nprobe,
                ndocs=ndocs,
                centroid_score_threshold=centroid_score_threshold,
                group=group,
                texts=texts,
            )
        return found[0] if isinstance(query, str) else found

    def search_vectors(
        self,
        queries: Any,
        k: int = K,
        *,
        exact: bool = False,
        nprobe: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        group: Literal["document"] | None = None,
        texts: bool = True,
    ) -> Any:
        """Rank passages for query vectors you made yourself.

        Parameters
        ----------
        queries : array, or iterable of arrays
            One matrix, tokens by dimension, float32 or float16; or several, or one array of shape
            (queries, tokens, dimension).
        k, exact, nprobe, ndocs, centroid_score_threshold, group, texts
            As in `search`.

        Returns
        -------
        list of Hit, or list of list of Hit
            As in `search`: one matrix gives one list.

        Raises
        ------
        InvalidInput
            A matrix is not one, or has another dimension than the index.

        Examples
        --------
        >>> import numpy
        >>> index.search_vectors(numpy.eye(32, dtype=numpy.float32)[:3], k=1)[0].rank
        1
        """
        one = getattr(queries, "ndim", 3) == 2
        matrices = [as_matrix(queries, "queries")] if one else as_matrices(queries, "queries")
        _check_k(k)
        found = self._search(
            matrices,
            k,
            exact=exact,
            nprobe=nprobe,
            ndocs=ndocs,
            centroid_score_threshold=centroid_score_threshold,
            group=group,
            texts=texts,
        )
        return found[0] if one else found

    def _search(
        self,
        matrices: Sequence[Matrix],
        k: int,
        *,
        exact: bool,
        nprobe: int | None,
        ndocs: int | None,
        centroid_score_threshold: float | None,
        group: str | None,
        texts: bool,
    ) -> list[list[Hit]]:
        if group not in (None, "document"):
            raise InvalidInput(f"group is {group!r}: it is None or 'document'")
        rankings = self._native.search(
            list(matrices),
            k,
            exact=exact,
            nprobe=nprobe,
            ndocs=ndocs,
            centroid_score_threshold=centroid_score_threshold,
            group=group == "document",
            texts=texts,
        )
        return [[_hit(rank, row) for rank, row in enumerate(ranking, start=1)] for ranking in rankings]

    def explain(
        self,
        query: str,
        id: str,  # noqa: A002  what it is everywhere else here
        passage: int | None = None,
    ) -> Explanation:
        """Say which token of the query met which token of a document.

        Parameters
        ----------
        query : str
            The query.
        id : str
            The document.
        passage : int, optional
            Which of its passages; the best one when None.

        Returns
        -------
        Explanation
            The matches, the score they add up to, and the words to mark. Printing it shows a table.

        Raises
        ------
        DocumentNotFound
            No document has this id.
        InvalidInput
            It has no such passage, or the query is empty.

        Examples
        --------
        >>> explanation = index.explain("shuttle", "a")
        >>> [explanation.text[h.start : h.end] for h in explanation.highlights()]
        ['shuttle']
        """
        if not query.strip():
            raise InvalidInput("query is empty: there is nothing to explain")
        document = self.get(id)
        encoder = self.encoder
        vectors = self._vectors_of(query)
        number, score, matches = self._native.explain(vectors, id, passage)
        start, end = document.passages[number]
        title, text = document.title, document.text or ""
        met = named_tokens(encoder, passage_text(title, text[start:end]), "document")
        asked = named_tokens(encoder, query, "query")
        offset = len(title) + 1 if title else 0
        return Explanation(
            id=id,
            passage=number,
            score=score,
            query=query,
            text=text,
            title=title,
            start=start,
            end=end,
            matches=tuple(
                _match(_nth(asked, position), _nth(met, other), offset, start, similarity)
                for position, (other, similarity) in enumerate(matches)
            ),
        )

    def _vectors_of(self, query: str) -> Matrix:
        """Encode a query, or remember it: after a search, its hits are explained one by one."""
        asked = self._asked
        if asked is None or asked[0] != query:
            asked = self._asked = (query, encode_queries(self.encoder, [query])[0])
        return asked[1]

    # Ending

    def close(self) -> None:
        """Let go of the files; using the index afterwards is an error. Twice is harmless."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_Token = tuple[str, int | None, int | None]


def _nth(tokens: list[_Token], position: int) -> _Token:
    return tokens[position] if position < len(tokens) else (f"#{position}", None, None)


def _match(asked: _Token, met: _Token, offset: int, start: int, similarity: float) -> TokenMatch:
    """Move the met token's span from the encoded text, title in front, to the document's field."""
    token, first, last = met
    field = None
    if first is not None and last is not None:
        field = "title" if first < offset else "text"
        if field == "text":
            first, last = first - offset + start, last - offset + start
    return TokenMatch(*asked, token, first, last, field, similarity)


def _counter(progress: Progress | None, total: int | None) -> Callable[[int], None]:
    if progress is None:
        return lambda _: None
    return lambda done: progress("encode", done, total)


def _engine_stages(progress: Progress) -> Callable[[str, int, int], None]:
    """Rename a stage: the engine calls quantising "encode", which here is the model's work."""

    def report(stage: str, done: int, total: int) -> None:
        progress("compress" if stage == "encode" else stage, done, total)

    return report


def _check_k(k: object) -> None:
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise InvalidInput(f"k is {k!r}: a whole number of at least 1 is needed")


def _parsed(metadata: str | None) -> dict[str, Any]:
    return {} if metadata is None else json.loads(metadata)


def _hit(rank: int, row: tuple[Any, ...]) -> Hit:
    document, score, _, passage, passages, start, end, text, title, metadata, _ = row
    return Hit(rank, document, score, text or "", title, _parsed(metadata), passage, passages, start, end)
