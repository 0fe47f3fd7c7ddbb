"""The check of a graph against its source: the same ids through both, and how far apart the vectors are.

The source runs every text alone, without padding. The graph runs batches of unequal lengths. Whatever is
wrong with the graph's masks or its free axes shows as a difference of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from weft.errors import ModelError
from weft.model_export.sentences import passages_to_check, queries_to_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from weft.encoder.tokenise import Row, Tokeniser

__all__ = ["TOLERANCE", "Difference", "check", "compare", "rows_to_check"]

TOLERANCE = 1e-4
"""Largest difference of a component that a float graph may have from its source."""

_BATCH = 8


class Runs(Protocol):
    """What maps ids and attention, int64 [batch, length], to vectors, float32 [batch, length, dim]."""

    def run(self, ids: NDArray[np.int64], attention: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encode one batch."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two networks are apart on the same texts.

    Attributes
    ----------
    texts, vectors : int
        What was compared; padding is not.
    largest : float
        Largest difference of a component; vectors have length one.
    cosine : float
        Least cosine of a vector with its twin.
    mean_cosine : float
        Mean over all vectors.
    at_mask : bool
        Whether the largest difference is at a mask that fills up a query and is not attended to.
    """

    texts: int
    vectors: int
    largest: float
    cosine: float
    mean_cosine: float
    at_mask: bool


def rows_to_check(tokeniser: Tokeniser) -> tuple[list[Row], list[int]]:
    """Return rows of ids for queries and passages, and how many positions of each may be attended to."""
    queries = tokeniser.queries(queries_to_check(), truncate=True)
    passages = tokeniser.documents(passages_to_check(), truncate=True)
    attend = tokeniser.settings.attend_to_expansion
    attended = [len(row.ids) if attend else row.real for row in queries] + [row.real for row in passages]
    return [*queries, *passages], attended


def compare(source: Runs, graph: Runs, rows: Sequence[Row], attended: Sequence[int]) -> Difference:
    """Run rows through both, alone through the source and in mixed batches through the graph.

    Raises
    ------
    ModelError
        If a vector is not finite.
    """
    largest, at_mask, cosines = 0.0, False, []
    for start in range(0, len(rows), _BATCH):
        ids, attention = _padded(rows[start : start + _BATCH], attended[start : start + _BATCH])
        vectors = graph.run(ids, attention)
        for line, row in enumerate(rows[start : start + _BATCH]):
            length = len(row.ids)
            alone = source.run(ids[line : line + 1, :length], attention[line : line + 1, :length])[0]
            found = vectors[line, :length]
            for name, vector in (("source", alone), ("graph", found)):
                if not np.isfinite(vector).all():
                    raise ModelError(f"the vectors of the {name} are not finite for text {start + line}")
            apart = np.abs(found - alone).max(axis=1)
            if apart.max() > largest:
                largest, at_mask = float(apart.max()), int(apart.argmax()) >= attended[start + line]
            cosines.append(np.einsum("ld,ld->l", found.astype(np.float64), alone.astype(np.float64)))
    together = np.concatenate(cosines)
    return Difference(
        texts=len(rows),
        vectors=len(together),
        largest=largest,
        cosine=float(together.min()),
        mean_cosine=float(together.mean()),
        at_mask=at_mask,
    )


def check(found: Difference, name: str) -> None:
    """Refuse a float graph that is not its source.

    Raises
    ------
    ModelError
        If a component differs by more than `TOLERANCE`.
    """
    if found.largest <= TOLERANCE:
        return
    why = "the export is wrong and was not kept"
    if found.at_mask:
        # DeBERTa, and ModernBERT beyond its window: every score of the row is masked, and what the softmax of
        # that is hangs on the runtime and on the padding of the batch, in the checkpoint's own library too.
        why = (
            "at a mask that fills up a query: this backbone lets an unattended mask see nothing, so that its "
            "vector hangs on the batch; queries of this model should not be filled up, or attend to the masks"
        )
    raise ModelError(
        f"{name}: differs from its source by up to {found.largest:.2g} a component (least cosine "
        f"{found.cosine:.6f}), more than {TOLERANCE:g}: {why}"
    )


def _padded(rows: Sequence[Row], attended: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids = np.zeros((len(rows), max(len(row.ids) for row in rows)), np.int64)
    attention = np.zeros_like(ids)
    for line, (row, count) in enumerate(zip(rows, attended, strict=True)):
        ids[line, : len(row.ids)] = row.ids
        attention[line, :count] = 1
    return ids, attention
