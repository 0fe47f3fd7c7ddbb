"""What an evaluation gives: values of every query, their means, and what has to be known to trust them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.evaluation.agreement import Agreement

__all__ = ["Evaluation"]


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation:
    """Measures of rankings. Its repr is a table of the means.

    Attributes
    ----------
    means : dict of str to float
        By measure, over all judged queries.
    values : dict of str to dict of str to float
        By query id and measure.
    missing : tuple of str
        Judged queries without a text or a ranking. They count, as failures.
    unknown : tuple of str
        Judged documents that are not in the index and can never be found.
    own : int
        Results left out because they were the query itself.
    ties : int
        Queries with equal scores in their ranking, which stand in the order of the ids.
    agreement : Agreement or None
        How much of exhaustive MaxSim the search finds; None where it was not compared.
    noun : str
        What was asked: queries, or questions that have answers.
    """

    means: Mapping[str, float] = field(hash=False)
    values: Mapping[str, Mapping[str, float]] = field(hash=False)
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    own: int = 0
    ties: int = 0
    agreement: Agreement | None = None
    noun: str = "queries"

    def __repr__(self) -> str:
        rows = [(name, f"{mean:.4f}") for name, mean in self.means.items()]
        if self.agreement is not None:
            rows.append(("overlap@10 with exact", f"{self.agreement.overlap_at_10:.4f}"))
            rows.append(("recall@100 of exact", f"{self.agreement.recall_at_100:.4f}"))
        width = max(len(name) for name, _ in rows)
        lines = [f"Evaluation of {len(self.values):,} {self.noun}"]
        return "\n".join(lines + [f"{name:<{width}}  {value:>8}" for name, value in rows])
