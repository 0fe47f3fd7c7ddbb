"""The engine. Everything here is wrapped by `weft.Index` and `weft.rerank`; use those.

Arrays go in through the buffer protocol: C-contiguous, and where nothing else is said two dimensions of
float32 or float16. Long calls
release the interpreter and can be interrupted. Errors are those of `weft.errors`.
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, final

__all__ = [
    "FORMAT_VERSION",
    "Importer",
    "Index",
    "Writer",
    "__version__",
    "cpu_tier",
    "cpu_tiers",
    "defaults",
    "maxsim",
    "maxsim_matrix",
    "parse_filter",
    "repair",
]

__version__: str
FORMAT_VERSION: int

def cpu_tier() -> str:
    """Name the tier in use: scalar, avx2 or avx512; the environment variable WEFT_CPU caps it."""

def cpu_tiers() -> list[str]:
    """All tiers that can be used here."""

def defaults(k: int | None = None) -> dict[str, Any]:
    """Give what is used for settings and parameters that are not given, for this k."""

def maxsim(query: Any, documents: Sequence[Any]) -> list[float]:
    """MaxSim of a query with every document, in float32."""

def maxsim_matrix(query: Any, document: Any) -> tuple[bytes, bytes]:
    """Give every query token's best document token (uint32) and similarity (float32), little-endian."""

def parse_filter(json: str) -> None:
    """Raise InvalidFilter, with the place and what may stand there, when this is no filter."""

def repair(
    path: str | PathLike[str],
    destination: str | PathLike[str],
    progress: Callable[[str, int, int], object] | None = None,
) -> dict[str, Any]:
    """Salvage what is whole into a new index: documents, passages, tokens, lost, damage, texts.

    `lost` has id, docno, reason and whether the text is whole of every document that was lost; those
    with a whole text stand in the file `texts`, one JSON object a line, ready to be added again.
    """

@final
class Index:
    """An open index."""

    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        create: bool = False,
        read_only: bool = False,
        nbits: int | None = None,
        codec: str | None = None,
        seed: int | None = None,
        threads: int | None = None,
        lock_timeout: float = 0.0,
        train_tokens: int | None = None,
    ) -> Index:
        """Open the index at a path, or create it there; settings belong to a new index."""

    @property
    def path(self) -> str:
        """Where the index lies."""

    @property
    def read_only(self) -> bool:
        """Whether changes are refused."""

    @property
    def generation(self) -> int:
        """Number of the last commit."""

    def __len__(self) -> int: ...
    def info(self) -> dict[str, Any]:
        """Numbers of the index: documents, passages, tokens, settings, segments, codebooks, bytes."""

    def encoder(self) -> str | None:
        """Give the description of the encoder, JSON."""

    def begin(self) -> Writer:
        """Become the writer."""

    def search(
        self,
        queries: Sequence[Any],
        k: int,
        *,
        words: Sequence[str] | None = None,
        mode: str = "semantic",
        filter: str | None = None,
        fusion: str = "rrf",
        weights: tuple[float, float] | None = None,
        exact: bool = False,
        nprobe: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        group: bool = False,
        texts: bool = True,
        threads: int | None = None,
        profile: dict[str, Any] | None = None,
    ) -> list[
        list[
            tuple[
                str,
                float,
                int,
                int,
                int,
                int,
                int,
                str | None,
                str | None,
                str | None,
                list[tuple[str, int, float]],
            ]
        ]
    ]:
        """Hits of every query: id, score, docno, passage, passages, start, end, text, title, metadata, parts.

        Parts are list ("semantic", "keyword"), rank and score of the passage there. `filter` is JSON; `words`
        are the queries' texts, for the modes "keyword", which takes no matrices, and "hybrid". A dict given
        as `profile` gets `nanoseconds`, `threads` and `stages`: name, calls, nanoseconds and counts of each.
        """

    def select(self, filter: str | None, after: str | None, limit: int) -> list[str]:
        """Ids of matching documents in the order of their adding, from the one behind `after`."""

    def documents(
        self, filter: str | None, after: str | None, limit: int
    ) -> list[tuple[str, str | None, str | None, str | None, list[tuple[int, int]]]]:
        """Give matching documents, as `select` and `get` give them."""

    def walk_ids(
        self, filter: str | None, cursor: tuple[int, int] | None, limit: int
    ) -> tuple[list[str], tuple[int, int]]:
        """Ids of the next matching documents, and the cursor for those behind; an empty list ends the walk.

        Documents may be deleted and replaced meanwhile: what is added after the beginning is not met.
        """

    def walk(
        self, filter: str | None, cursor: tuple[int, int] | None, limit: int
    ) -> tuple[list[tuple[str, str | None, str | None, str | None, list[tuple[int, int]]]], tuple[int, int]]:
        """Give the next matching documents, as `get` gives them, otherwise as `walk_ids`."""

    def count(self, filter: str | None) -> int:
        """Count the documents that match."""

    def get(
        self, ids: Sequence[str]
    ) -> list[tuple[str, str | None, str | None, str | None, list[tuple[int, int]]] | None]:
        """Documents: id, text, title, metadata, spans of the passages."""

    def ids(self, after: str | None, limit: int) -> list[str]:
        """Ids in the order of their adding, from the one behind `after`."""

    def explain(
        self, query: Any, id: str, passage: int | None = None
    ) -> tuple[int, float, list[tuple[int, float]]]:
        """Give passage, score, and every query token's best token of the passage with its similarity."""

    def vectors(self, id: str, passage: int) -> tuple[bytes, int, int]:
        """Give the decoded vectors of a passage: float32, tokens, dim."""

    def codebook(self) -> dict[str, Any] | None:
        """Give the codebook, or None while all vectors are float16.

        `dim`, `nbits`, `codec`; `centroids` (bytes of float32 [K, dim]) and `exact`, the type in which
        they are kept ("float16" or "float32"); `cutoffs` and `weights` (bytes of float32).
        """

    def codes(self, ids: Sequence[str]) -> tuple[list[list[int]], bytes, bytes]:
        """Give the tokens of each passage of every document, their codes (uint32) and residuals (uint8).

        Residuals are in ColBERT's bit order, dim * nbits / 8 bytes a token. Passages that are float16 are
        coded with the codebook; without one this raises InvalidInput. An id that is not there raises
        DocumentNotFound.
        """

    def delete(self, ids: Sequence[str]) -> int:
        """Delete documents and return how many there were."""

    def delete_where(self, filter: str) -> int:
        """Delete matching documents and return how many there were."""

    def compact(self, progress: Callable[[str, int, int], object] | None = None) -> dict[str, int]:
        """Join all segments without what was deleted; give sizes and numbers of segments before and after."""

    def check(self) -> list[str]:
        """Say what is wrong with the index, in words."""

    def search_defaults(self, k: int) -> tuple[int, int]:
        """Give nprobe and ndocs of a search that names none: the tuned ones, else the built-in ones."""

    def set_tuned(
        self,
        *,
        k: int,
        nprobe: int,
        ndocs: int,
        target: float,
        overlap: float,
        standard_error: float,
        queries: int,
        passages: int,
    ) -> None:
        """Make nprobe and ndocs the defaults of searches for k and somewhat fewer; the rest is for info."""

    def reset_tuned(self, k: int | None = None) -> int:
        """Give up what was tuned for one k, or everything; say how many there were."""

    def close(self) -> None:
        """Let the index go."""

@final
class Writer:
    """The one writer of an index; dropped without a commit it leaves the index as it was."""

    def add(
        self,
        ids: Sequence[str | None],
        texts: Sequence[str | None],
        titles: Sequence[str | None],
        metadata: Sequence[str | None],
        spans: Sequence[Sequence[tuple[int, int]]],
        lengths: Sequence[int],
        vectors: Any,
    ) -> list[str]:
        """Stage documents and return their ids."""

    def delete(self, ids: Sequence[str]) -> int:
        """Stage the deletion of documents and return how many there were."""

    def delete_where(self, filter: str) -> int:
        """Stage the deletion of matching documents, staged ones included, and return how many there were."""

    def select(self, filter: str) -> list[str]:
        """Ids of matching documents, staged ones included."""

    def metadata(self, ids: Sequence[str]) -> list[str | None]:
        """Metadata of documents, staged ones included: JSON, "{}" for none, None for no such document."""

    def update(self, ids: Sequence[str], metadata: Sequence[str | None]) -> int:
        """Stage other metadata for documents and return how many there were."""

    def set_encoder(self, description: str) -> None:
        """Stage the encoder's description; raise EncoderMismatch when another one is remembered."""

    def commit(self, progress: Callable[[str, int, int], object] | None = None) -> dict[str, int]:
        """Make everything staged visible and durable.

        Counts: added, replaced, deleted, updated; and the generation.
        """

    def abort(self) -> None:
        """Leave the index as it was."""

@final
class Importer:
    """A new index from vectors that are coded already.

    Nothing is there before the commit, and nothing is left without one.
    """

    @staticmethod
    def create(
        path: str | PathLike[str],
        *,
        nbits: int,
        centroids: Any,
        cutoffs: Any,
        weights: Any,
        threads: int | None = None,
    ) -> Importer:
        """Begin an index at a path where nothing is yet.

        Centroids [K, dim] are kept in the type in which they come; cutoffs [2**nbits - 1] and weights
        [2**nbits] have one dimension.
        """

    def add(
        self,
        ids: Sequence[str | None],
        texts: Sequence[str | None],
        titles: Sequence[str | None],
        metadata: Sequence[str | None],
        spans: Sequence[Sequence[tuple[int, int]]],
        lengths: Sequence[int],
        codes: Any,
        residuals: Any,
    ) -> list[str]:
        """Stage documents and return their ids; an id that was there before is refused.

        The first six are as those of `Writer.add`; codes are int32 or uint32 [tokens], residuals uint8
        [tokens, dim * nbits / 8] in ColBERT's bit order.
        """

    def set_encoder(self, description: str) -> None:
        """Remember the encoder's description."""

    def commit(self, progress: Callable[[str, int, int], object] | None = None) -> dict[str, int]:
        """Write the index and give it its name; counts as those of `Writer.commit`."""

    def abort(self) -> None:
        """Leave nothing."""
