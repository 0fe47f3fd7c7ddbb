"""Searching: texts or vectors in, ranked passages out, and why they rank where they do."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

from weft.counts import as_count
from weft.defaults import K
from weft.encoding import encode_queries, is_text, named_tokens, passage_text
from weft.errors import InvalidInput
from weft.explanation import Explanation, TokenMatch
from weft.filters import Filter, as_filter
from weft.matrices import Matrix, as_matrices, as_matrix
from weft.metadata import parsed
from weft.profile import Profiled, Recorder
from weft.reading import Reading
from weft.results import Hit, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

__all__ = ["Searching"]

Mode = Literal["semantic", "keyword", "hybrid"]
Fusion = Literal["rrf", "weighted"]


class _Asked(TypedDict, total=False):
    """What a search takes besides query and `k`, for its overloads."""

    mode: Mode
    filter: Filter | None
    fusion: Fusion
    weights: tuple[float, float] | None
    group: Literal["document"] | None
    exact: bool
    nprobe: int | None
    ndocs: int | None
    centroid_score_threshold: float | None
    texts: bool


class Searching(Reading):
    """The part of an index that ranks."""

    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str, k: int = ..., *, profile: Literal[False] = ..., **asked: Unpack[_Asked]
    ) -> list[Hit]: ...
    @overload
    def search(
        self, query: Sequence[str], k: int = ..., *, profile: Literal[False] = ..., **asked: Unpack[_Asked]
    ) -> list[list[Hit]]: ...
    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str, k: int = ..., *, profile: Literal[True], **asked: Unpack[_Asked]
    ) -> Profiled[list[Hit]]: ...
    @overload
    def search(
        self, query: Sequence[str], k: int = ..., *, profile: Literal[True], **asked: Unpack[_Asked]
    ) -> Profiled[list[list[Hit]]]: ...
    def search(
        self,
        query: str | Sequence[str],
        k: int = K,
        *,
        mode: Mode = "semantic",
        filter: Filter | None = None,  # noqa: A002  what it is everywhere
        fusion: Fusion = "rrf",
        weights: tuple[float, float] | None = None,
        group: Literal["document"] | None = None,
        exact: bool = False,
        nprobe: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        texts: bool = True,
        profile: bool = False,
    ) -> list[Hit] | list[list[Hit]] | Profiled[list[Hit]] | Profiled[list[list[Hit]]]:
        """Rank passages by what they say, by their words, or by both.

        Parameters
        ----------
        query : str or sequence of str
            One query, or many, which are searched on all threads.
        k : int
            Results per query; fewer only when fewer match.
        mode : {"semantic", "keyword", "hybrid"}
            Rank by MaxSim over token vectors; or by BM25 over the words of title and text, without a
            model; or by both, fused.
        filter : dict, optional
            Conditions on the documents' metadata: only those that match are ranked, and the best `k` of
            them come back however rare they are.
        fusion : {"rrf", "weighted"}
            How a hybrid search joins its two lists: by reciprocal ranks, or by weighted scores, each
            list's scores first stretched to 0 to 1.
        weights : (float, float), optional
            What the semantic and the keyword list count in a hybrid search; both 1 when None.
        group : {"document"}, optional
            Rank documents, each by its best passage, instead of passages.
        exact : bool
            Score every passage instead of the candidates the centroids propose.
        nprobe : int, optional
            Centroids looked into per query token. More finds more and costs more; by default chosen
            from `k`, as is the next one.
        ndocs : int, optional
            Candidates kept after the first stage; a quarter of them, but at least `k`, is scored with
            residuals.
        centroid_score_threshold : float, optional
            Search in the stages of PLAID (Santhanam et al. 2022, sections 4.2 to 4.5), as colbert-ai
            does: candidates are first ranked by those of their centroids that some query token scores
            this high. With ``nprobe``, this and ``ndocs`` set to what colbert-ai has for `k` (1, 0.5,
            256 up to 10; 2, 0.45, 1024 up to 100; 4, 0.4, ``max(4 * k, 4096)`` beyond) the answers are
            colbert-ai's. By default this stage is left out and more is looked at.
        texts : bool
            Read texts, titles and metadata for the hits. False saves that time when only ids and
            scores are wanted.
        profile : bool
            Say beside the hits where the time went. The hits are the same; the call takes a little
            longer, because what each stage looked at is counted.

        Returns
        -------
        list of Hit, or list of list of Hit
            Best first; equal scores in the order of adding. A list of queries gives one list per query.
            With `profile`, `weft.Profiled`: these hits, and a `weft.Profile`.

        Raises
        ------
        InvalidInput
            A query is empty, or a parameter is out of range or of another mode.
        InvalidFilter
            The filter is not one.

        Examples
        --------
        >>> index.search("what does the shuttle carry?", k=1)
        [Hit(rank=1, id='a', score=..., text='the shuttle carries the weft')]
        >>> index.search("tension", mode="keyword")
        [Hit(rank=1, id='b', score=..., text='warp threads are held under tension')]
        >>> index.search("sail", k=1, mode="hybrid")[0].parts
        {'semantic': Part(rank=1, score=...), 'keyword': Part(rank=1, score=...)}
        >>> index.search("sail", filter={"year": {"gte": 1785}})
        []
        >>> hits, profile = index.search("what does the shuttle carry?", k=1, profile=True)
        >>> profile.stages["texts"].counts
        {'passages': 1}
        """
        recorder = Recorder() if profile else None
        queries = [query] if isinstance(query, str) else list(query)
        for position, asked in enumerate(queries):
            name = "query" if isinstance(query, str) else f"query[{position}]"
            if not isinstance(asked, str):
                raise InvalidInput(f"{name} is a {type(asked).__name__}: a str is needed")
            if not asked.strip():
                raise InvalidInput(f"{name} is empty: there is nothing to search for")
            if not is_text(asked):
                raise InvalidInput(f"{name} has half a surrogate pair, which is not text")
        _check_mode(mode, fusion, weights)
        if mode == "keyword" and (exact or not nprobe is ndocs is centroid_score_threshold is None):
            raise InvalidInput(
                "exact, nprobe, ndocs and centroid_score_threshold are about vectors: "
                "a keyword search has none"
            )
        k = as_count("k", k)
        text = as_filter(filter)
        if not queries or len(self) == 0:
            found: list[list[Hit]] = [[] for _ in queries]
        else:
            lists: dict[str, Any] = {}
            begun = perf_counter()
            if mode != "semantic":
                lists = {"mode": mode, "words": queries, "fusion": fusion, "weights": weights}
            if mode == "keyword":
                matrices: list[Matrix] = []
            elif isinstance(query, str):
                matrices = [self._vectors_of(query)]
            else:
                matrices = encode_queries(self.encoder, queries)
            if recorder is not None and matrices:
                recorder.encoded(matrices, begun)
            found = self._search(
                matrices,
                k,
                recorder=recorder,
                **lists,
                filter=text,
                group=group,
                exact=exact,
                nprobe=nprobe,
                ndocs=ndocs,
                centroid_score_threshold=centroid_score_threshold,
                texts=texts,
            )
        hits = found[0] if isinstance(query, str) else found
        # One of the four that the overloads name; a type variable of a union cannot say it.
        return hits if recorder is None else Profiled(hits, recorder.profile(len(queries)))  # type: ignore[return-value]

    def search_vectors(
        self,
        queries: Any,
        k: int = K,
        *,
        filter: Filter | None = None,  # noqa: A002
        group: Literal["document"] | None = None,
        exact: bool = False,
        nprobe: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        texts: bool = True,
        profile: bool = False,
    ) -> Any:
        """Rank passages for query vectors you made yourself.

        Parameters
        ----------
        queries : array, or iterable of arrays
            One matrix, tokens by dimension, float32 or float16; or several, or one array of shape
            (queries, tokens, dimension).
        k, filter, group, exact, nprobe, ndocs, centroid_score_threshold, texts, profile
            As in `search`.

        Returns
        -------
        list of Hit, or list of list of Hit
            As in `search`: one matrix gives one list. With `profile`, `weft.Profiled`: these hits, and
            a `weft.Profile`.

        Raises
        ------
        InvalidInput
            A matrix is not one, or has another dimension than the index.
        InvalidFilter
            The filter is not one.

        Examples
        --------
        >>> import numpy
        >>> index.search_vectors(numpy.eye(32, dtype=numpy.float32)[:3], k=1)[0].rank
        1
        """
        recorder = Recorder() if profile else None
        one = getattr(queries, "ndim", 3) == 2
        matrices = [as_matrix(queries, "queries")] if one else as_matrices(queries, "queries")
        k = as_count("k", k)
        found = self._search(
            matrices,
            k,
            recorder=recorder,
            filter=as_filter(filter),
            group=group,
            exact=exact,
            nprobe=nprobe,
            ndocs=ndocs,
            centroid_score_threshold=centroid_score_threshold,
            texts=texts,
        )
        hits = found[0] if one else found
        return hits if recorder is None else Profiled(hits, recorder.profile(len(matrices)))

    def _search(
        self,
        matrices: Sequence[Matrix],
        k: int,
        *,
        group: str | None,
        recorder: Recorder | None,
        **parameters: Any,
    ) -> list[list[Hit]]:
        if group not in (None, "document"):
            raise InvalidInput(f"group is {group!r}: it is None or 'document'")
        for name in ("nprobe", "ndocs"):
            if parameters[name] is not None:
                parameters[name] = as_count(name, parameters[name])
        if recorder is not None:
            parameters["profile"] = recorder.engine
        rankings = self._native.search(list(matrices), k, group=group == "document", **parameters)
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


def _check_mode(mode: object, fusion: object, weights: object) -> None:
    if mode not in ("semantic", "keyword", "hybrid"):
        raise InvalidInput(f"mode is {mode!r}: it is 'semantic', 'keyword' or 'hybrid'")
    if fusion not in ("rrf", "weighted"):
        raise InvalidInput(f"fusion is {fusion!r}: it is 'rrf' or 'weighted'")
    if weights is None:
        return
    if mode != "hybrid":
        raise InvalidInput(f"weights are for mode='hybrid': a {mode} search has one list only")
    if (
        not isinstance(weights, (tuple, list))
        or len(weights) != 2
        or not all(isinstance(one, (int, float)) and 0 <= one < float("inf") for one in weights)
        or not any(weights)
    ):
        raise InvalidInput(
            f"weights is {weights!r}: two numbers are needed, for the semantic and the keyword list, "
            "none below 0 and not both 0"
        )


def _hit(rank: int, row: tuple[Any, ...]) -> Hit:
    document, score, _, passage, passages, start, end, text, title, metadata, lists = row
    parts: Mapping[str, Part] = {name: Part(place, value) for name, place, value in lists}
    return Hit(
        rank, document, score, text or "", title, parsed(metadata), passage, passages, start, end, parts
    )
