"""The index: a directory that texts go into and ranked passages come out of.

`Index` joins the engine, which knows vectors and nothing of models, with an encoder, which is
opened when the first text arrives: an index that is only asked for its documents never loads a
model. What it does is told in three parts: `weft.reading`, `weft.searching`, `weft.writing`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Self

from weft import _core
from weft.batch import engine_stages
from weft.counts import as_count
from weft.defaults import LOCK_TIMEOUT, TUNE_QUERIES, TUNE_TARGET, K
from weft.encoding import check_encoder
from weft.errors import InvalidInput
from weft.searching import Searching
from weft.threads import check_threads
from weft.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from weft.ingest import Progress
    from weft.tuning import Tuning

__all__ = ["Index", "open_index"]


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
    if threads is not None:
        check_threads(threads)
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


class Index(Searching, Writing):
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

    def __repr__(self) -> str:
        return f"Index({self.path!r}, documents={len(self)})"

    def info(self) -> dict[str, Any]:
        """Tell counts, settings and sizes.

        Returns
        -------
        dict
            ``documents``, ``passages``, ``tokens``, ``dim``, ``nbits``, ``codec``, ``seed``,
            ``segments``, ``codebooks``, ``codebook_age`` (share of the tokens that came after the
            newest codebook was trained or had grown; None without one), ``bytes`` by part,
            ``bytes_per_token``, ``encoder`` (what is remembered of it, or None),
            ``tuned`` (what `tune` stored, a dict for every ``k``), ``format_version``, ``cpu_tier`` and
            ``threads``.
        """
        information = dict(self._native.info())
        remembered = information.get("encoder")
        if remembered is not None:
            information["encoder"] = json.loads(remembered)
        information["codebook_age"] = _codebook_age(information)
        return information

    def check(self) -> list[str]:
        """Read every byte and compare checksums.

        Returns
        -------
        list of str
            One line per problem, naming file and section; empty when all is well.
        """
        return self._native.check()

    def compact(self, progress: Progress | None = None) -> dict[str, int]:
        """Merge all segments into one and give the space of deleted documents back to the disk.

        Not needed for correct answers: every write merges a little. It costs as much as reading and
        writing the whole index.

        Parameters
        ----------
        progress : callable, optional
            Called with stage, done and total.

        Returns
        -------
        dict
            ``bytes_before``, ``bytes_after``, ``segments_before`` and ``segments_after``.

        Raises
        ------
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> index.delete(["a", "b"])
        2
        >>> done = index.compact()
        >>> done["bytes_after"] <= done["bytes_before"]
        True
        """
        if self._transaction is not None:
            raise InvalidInput("compact is called inside a batch: leave the batch first")
        return self._native.compact(None if progress is None else engine_stages(progress))

    def tune(
        self,
        queries: Iterable[Any],
        *,
        target: float = TUNE_TARGET,
        k: int = K,
        sample: int = TUNE_QUERIES,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Tuning:
        """Find the cheapest `nprobe` and `ndocs` that find enough, and make them this index's defaults.

        Enough is a share of the best `k` passages of exhaustive MaxSim over the vectors that the index
        holds, mean over the queries (overlap@k); that mean less one standard error must be at least
        `target`. Of the parameters that reach it the ones with the least median time on this machine
        are taken, measured in turns; where times are equal within the noise, the ones with the least
        work. Searches for up to `k` results use them from now on, down to 11 or 101 when `k` is above
        (the ranges of the built-in defaults), in every process that has the index open; arguments of a
        search still win. Tune again when the index has become much larger.

        Parameters
        ----------
        queries : iterable of str, or of arrays
            Queries as your users ask them, or their vectors: at least 20 different ones.
        target : float
            More than 0, at most 1.
        k : int
            Results that your searches ask for.
        sample : int
            How many of the queries are used at most; they are chosen evenly. Exhaustive search costs
            a third of a second a query at a million tokens.
        dry_run : bool
            Only measure.
        progress : callable, optional
            Called with stage, done and total.

        Returns
        -------
        Tuning
            The parameters, what they find and cost, and those in use before.

        Raises
        ------
        InvalidInput
            There are too few queries, no parameters reach the target, or the index is so small that
            it is searched exactly anyway.
        IndexLocked, ReadOnlyIndex
            Nothing can be stored.

        Examples
        --------
        >>> import tempfile, numpy, weft
        >>> folder = tempfile.TemporaryDirectory()
        >>> large = weft.open(f"{folder.name}/large.weft", create=True)
        >>> vectors = numpy.random.default_rng(0).standard_normal((1100, 60, 16)).astype(numpy.float32)
        >>> _ = large.add_vectors(vectors)
        >>> tuning = large.tune(vectors[:40, :8], target=0.8)
        >>> tuning.best.overlap >= 0.8, large.info()["tuned"][0]["ndocs"] == tuning.best.ndocs
        (True, True)
        >>> large.reset_tuning()
        1
        >>> large.close(); folder.cleanup()
        """
        from weft.tuning import tune

        if self._transaction is not None:
            raise InvalidInput("tune is called inside a batch: leave the batch first")
        return tune(self, queries, target=target, k=k, sample=sample, dry_run=dry_run, progress=progress)

    def reset_tuning(self, k: int | None = None) -> int:
        """Go back to the built-in defaults of `nprobe` and `ndocs`.

        Parameters
        ----------
        k : int, optional
            Give up only what was tuned for this number of results.

        Returns
        -------
        int
            How many tunings were given up.

        Raises
        ------
        IndexLocked, ReadOnlyIndex
            Nothing can be written.

        Examples
        --------
        >>> index.reset_tuning()
        0
        """
        if self._transaction is not None:
            raise InvalidInput("reset_tuning is called inside a batch: leave the batch first")
        return self._native.reset_tuned(None if k is None else as_count("k", k))

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


def _codebook_age(information: dict[str, Any]) -> float | None:
    books = information["codebooks"]
    if not books or not information["tokens"]:
        return None
    known: int = max(books, key=lambda book: int(book["number"]))["tokens"]
    # After deletions there may be fewer tokens than it was trained for.
    tokens: int = information["tokens"]
    return max(0.0, 1.0 - known / tokens)
