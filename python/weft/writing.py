"""Changing an index: add, replace, update, delete, one call or a batch of them at a time.

Every change is a transaction of the engine. Outside of a batch each call has its own; inside, the calls
of one thread share one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from itertools import chain
from typing import Any

from weft.batch import Given, Transaction
from weft.encoding import dimension, is_text
from weft.errors import InvalidInput
from weft.filters import Filter, as_filter
from weft.handle import Handle
from weft.ingest import Progress, add_matrices, add_texts, entries
from weft.metadata import as_metadata
from weft.updating import change_metadata, paired

__all__ = ["Writing"]


class Writing(Handle):
    """The part of an index that changes it."""

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
            `texts` has a length), then come the engine's ``"train"``, ``"compress"``,
            ``"merge"`` and ``"write"``.

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
        description = self._description

        def write(transaction: Transaction) -> list[str]:
            if description is not None:
                # The same one again is no change; another one, remembered meanwhile, is an error.
                transaction.set_encoder(json.dumps(description, ensure_ascii=False))
            return add_texts(
                transaction,
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

        def write(transaction: Transaction) -> list[str]:
            return add_matrices(transaction, documents, _counter(progress, total))

        return self._write(write, progress)

    def update(
        self,
        ids: str | Iterable[str] | None = None,
        metadata: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None = None,
        *,
        filter: Filter | None = None,  # noqa: A002  what it is everywhere
        unset: str | Iterable[str] = (),
        replace: bool = False,
    ) -> int:
        """Change the metadata of documents, and nothing else: no text is encoded again.

        Parameters
        ----------
        ids : str or iterable of str, optional
            Which documents; one that is not there is passed over.
        metadata : dict, or iterable of dict
            Keys to set, for all documents, or one dict per id. Other keys stay as they are.
        filter : dict, optional
            Which documents, instead of `ids`: those whose metadata matches.
        unset : str or iterable of str
            Keys to take away.
        replace : bool
            Let `metadata` be all the metadata there is afterwards.

        Returns
        -------
        int
            How many documents were there.

        Raises
        ------
        InvalidInput
            `metadata` is not what it must be, or it is not said which documents.
        InvalidFilter
            The filter is not one.
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> index.update("a", {"year": 1785, "lang": "en"})
        1
        >>> index.update(filter={"year": {"lt": 1800}}, metadata={"old": True}, unset="lang")
        1
        >>> index.get("a").metadata
        {'year': 1785, 'old': True}
        """
        chosen = _one_of(ids, filter)
        removed = frozenset([unset] if isinstance(unset, str) else unset)
        if metadata is None and not removed and not replace:
            raise InvalidInput("metadata is missing: say which keys to set, or which to unset")
        if metadata is None or isinstance(metadata, Mapping):
            one = as_metadata(metadata, "metadata")

            def write(transaction: Transaction) -> int:
                names = iter(transaction.select(chosen)) if isinstance(chosen, str) else chosen
                changes = ((name, one) for name in names)
                return change_metadata(transaction, changes, removed, replace=replace)
        else:
            if isinstance(chosen, str):
                raise InvalidInput("metadata is a list: with a filter, one dict for all is needed")
            each = metadata

            def write(transaction: Transaction) -> int:
                return change_metadata(transaction, paired(chosen, each), removed, replace=replace)

        return self._write(write, None)

    def delete(
        self,
        ids: str | Iterable[str] | None = None,
        *,
        filter: Filter | None = None,  # noqa: A002
    ) -> int:
        """Delete documents, all or none.

        Parameters
        ----------
        ids : str or iterable of str, optional
            Ids; one that is not there is passed over.
        filter : dict, optional
            Instead of `ids`: delete the documents whose metadata matches.

        Returns
        -------
        int
            How many were there.

        Raises
        ------
        InvalidInput
            Neither is given, or both, or the filter is empty and would match everything.
        InvalidFilter
            The filter is not one.
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> index.delete(["c", "nobody"])
        1
        >>> index.delete(filter={"year": {"lt": 1900}})
        0
        """
        chosen = _one_of(ids, filter)
        if filter is not None and not filter:
            raise InvalidInput("filter is empty and would delete everything: pass ids=list(index) to do that")

        def write(transaction: Transaction) -> int:
            if isinstance(chosen, str):
                return transaction.delete_where(chosen)
            names = list(chosen)
            return transaction.delete(names) if names else 0

        return self._write(write, None)

    def remember_encoder(self) -> None:
        """Remember the encoder that the index was opened with, so that it need not be named again.

        For an index whose vectors came without a model's name: an imported one, or one of `add_vectors`.
        Adding texts remembers the encoder too.

        Raises
        ------
        InvalidInput
            The encoder makes vectors of another dimension than those of the index; or none was named.
        EncoderMismatch
            The index remembers another one.
        ModelNotFound, ModelError
            It cannot be opened.
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> import numpy
        >>> vectors = weft.open(index.path + ".vectors", create=True, encoder=encoder)
        >>> vectors.add_vectors([numpy.eye(32, dtype=numpy.float32)], ids=["a"])
        ['a']
        >>> vectors.remember_encoder()
        >>> vectors.info()["encoder"]["name"]
        'hashing'
        >>> vectors.close()
        """
        encoder = self.encoder
        description = self._description
        if description is None:
            # It was opened by what the index remembers.
            return
        made, needed = dimension(encoder), self._native.info()["dim"]
        if needed is not None and made != needed:
            raise InvalidInput(
                f"the encoder makes vectors of dimension {made}, and those of {self.path} have {needed}"
            )
        text = json.dumps(description, ensure_ascii=False)
        self._write(lambda transaction: transaction.remember_encoder(text), None)

    @contextmanager
    def batch(self, *, progress: Progress | None = None) -> Iterator[None]:
        """Make many changes one: all are committed at the end of the block, or none.

        The block holds the writer's lock from its beginning. Changes that this thread makes through this
        index belong to it; `update` and `delete` see them, everything that reads sees the last commit. An
        exception, Ctrl-C included, takes all of them back.

        Parameters
        ----------
        progress : callable, optional
            Told about the commit, as in `add`.

        Raises
        ------
        IndexLocked, ReadOnlyIndex
            Nothing can be written.
        InvalidInput
            This thread is in a batch of this index already.

        Examples
        --------
        >>> with index.batch():
        ...     index.add(["a net", "a rope"], ids=["d", "e"])
        ...     index.delete("a")
        ...     "d" in index
        ['d', 'e']
        1
        False
        >>> list(index)
        ['b', 'c', 'd', 'e']
        """
        if self._transaction is not None:
            raise InvalidInput("this thread is in a batch of this index already: batches do not nest")
        with self._begun(progress) as transaction:
            self._local.transaction = transaction
            try:
                yield
            finally:
                self._local.transaction = None

    @property
    def _transaction(self) -> Transaction | None:
        return getattr(self._local, "transaction", None)

    @contextmanager
    def _begun(self, progress: Progress | None) -> Iterator[Transaction]:
        transaction = Transaction(self._native.begin())
        try:
            yield transaction
            transaction.commit(progress)
        except BaseException:
            # Ctrl-C included: whatever ended the work, the index stays as it was.
            transaction.abort()
            raise

    def _write(self, work: Callable[[Transaction], Given], progress: Progress | None) -> Given:
        under_way = self._transaction
        if under_way is not None:
            return under_way.run(work)
        with self._begun(progress) as transaction:
            return transaction.run(work)


def _one_of(ids: str | Iterable[str] | None, filter: Filter | None) -> str | Iterable[str]:  # noqa: A002
    """Check that either is given: the filter's JSON, which is a str, or ids, which are an iterable."""
    if (ids is None) == (filter is None):
        raise InvalidInput("say which documents by either ids or filter")
    if ids is None:
        text = as_filter(filter)
        assert text is not None
        return text
    if isinstance(ids, Mapping):
        raise InvalidInput("ids is one dict: a filter is given as filter=")
    return _names([ids] if isinstance(ids, str) else ids)


def _names(ids: Iterable[str]) -> Iterable[str]:
    for position, name in enumerate(ids):
        if not isinstance(name, str):
            raise InvalidInput(f"ids[{position}] is a {type(name).__name__}: a str is needed")
        if not is_text(name):
            raise InvalidInput(f"ids[{position}] has half a surrogate pair, which is not text")
        yield name


def _counter(progress: Progress | None, total: int | None) -> Callable[[int], None]:
    if progress is None:
        return lambda _: None
    return lambda done: progress("encode", done, total)
