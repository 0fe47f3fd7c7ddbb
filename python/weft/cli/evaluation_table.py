"""Evaluations as tables for a person, and as values for a program."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.evaluation.report import Row

__all__ = ["as_rows", "print_notes", "print_tables"]

_SHOWN = 5  # Ids named in a warning: enough to see what kind they are.


def as_rows(rows: Sequence[Row], *, per_query: bool) -> list[dict[str, Any]]:
    """Lay out evaluations for JSON."""
    from weft.evaluation.published import SOURCE

    laid = []
    for row in rows:
        found = row.evaluation
        known = None
        if row.published is not None:
            known = {"measure": row.published[0], "value": row.published[1], "source": SOURCE}
        values: dict[str, Any] = {
            "name": row.name,
            "kind": row.kind,
            "split": row.split,
            "queries": len(found.values),
            "measures": dict(found.means),
            "published": known,
            "agreement": None if found.agreement is None else dataclasses.asdict(found.agreement),
            "missing": list(found.missing),
            "unknown": list(found.unknown),
            "own": found.own,
            "ties": found.ties,
        }
        if per_query:
            values["values"] = {query: dict(one) for query, one in found.values.items()}
        laid.append(values)
    return laid


def print_notes(row: Row, *, quiet: bool) -> None:
    """Say on standard error what has to be known to trust the figures."""
    found = row.evaluation
    name = row.name if row.kind is None else f"{row.name} {row.kind}"
    for ids, what in (
        (found.missing, f"{found.noun} have no text or no ranking, and count as failures"),
        (found.unknown, "judged documents are not in the index, and cannot be found"),
    ):
        if ids:
            more = ", ..." if len(ids) > _SHOWN else ""
            print(
                f"weft: warning: {name}: {len(ids):,} {what}: {', '.join(ids[:_SHOWN])}{more}",
                file=sys.stderr,
            )
    if found.own:
        print(f"{name}: left out {found.own:,} results that have the query's own id", file=sys.stderr)
    if not quiet:
        if row.split is not None:
            # The table comes when all collections are done; who interrupts before has these.
            means = ", ".join(f"{measure} {mean:.4f}" for measure, mean in found.means.items())
            print(f"{name}: {means}", file=sys.stderr)
        print(
            f"{name}: equal scores in {found.ties:,} rankings; they stand in the order of the ids",
            file=sys.stderr,
        )
        if row.written is not None:
            print(f"{name}: wrote {row.written}, scores in full", file=sys.stderr)


def print_tables(rows: Sequence[Row], *, lotte: bool, sets: bool) -> None:
    """Print what was measured: an index or a run on its own, collections as rows of one table."""
    from weft.evaluation.published import LOTTE_MEASURE, SOURCE

    if not sets:
        for row in rows:
            title = row.name if row.kind is None else f"{row.name}, {row.kind}"
            print(f"{title}\n{row.evaluation!r}")
        return
    if lotte and rows and LOTTE_MEASURE in rows[0].evaluation.means:
        print(_lotte_table(rows))
        print()
    print(_table(rows))
    if any(row.published is not None and row.published[0] in row.evaluation.means for row in rows):
        print(SOURCE)


def _lotte_table(rows: Sequence[Row]) -> str:
    """Lay out Success@5 as the paper does, in percent, with the published figure beside each."""
    from weft.evaluation.lotte import KINDS
    from weft.evaluation.published import LOTTE_MEASURE

    cells = {(row.name, row.kind): row for row in rows}
    lines = [["", *(word for kind in KINDS for word in (kind, "ColBERTv2"))]]
    for name in dict.fromkeys(row.name for row in rows):
        line = [name]
        for kind in KINDS:
            row = cells.get((name, kind))
            line.append("-" if row is None else f"{100 * row.evaluation.means[LOTTE_MEASURE]:.1f}")
            line.append("-" if row is None or row.published is None else f"{100 * row.published[1]:.1f}")
        lines.append(line)
    return f"LoTTE {rows[0].split}, {LOTTE_MEASURE} in percent\n{_aligned(lines)}"


def _table(rows: Sequence[Row]) -> str:
    """Lay out all measures, the published figure behind the measure it is of, and the agreement."""
    measures = list(rows[0].evaluation.means)
    of = {row.published[0] for row in rows if row.published is not None}
    heading = ["collection", "queries"]
    for name in measures:
        heading += [name, "ColBERTv2"] if name in of else [name]
    lines = [[*heading, "overlap@10", "recall@100"]]
    for row in rows:
        found = row.evaluation
        line = [f"{row.name} {row.kind or ''}".strip(), f"{len(found.values):,}"]
        for name in measures:
            line.append(f"{found.means[name]:.4f}")
            if name in of:
                known = row.published
                line.append("-" if known is None or known[0] != name else f"{known[1]:.3f}")
        agreed = found.agreement
        line.append("-" if agreed is None else f"{agreed.overlap_at_10:.4f}")
        line.append("-" if agreed is None else f"{agreed.recall_at_100:.4f}")
        lines.append(line)
    note = _agreement_note(rows)
    return f"{_aligned(lines)}\n{note}" if note else _aligned(lines)


def _agreement_note(rows: Sequence[Row]) -> str:
    """Say what the agreement is of: it depends on how many results were asked for."""
    agreed = [row.evaluation.agreement for row in rows if row.evaluation.agreement is not None]
    if not agreed:
        return ""
    asked = " or ".join(str(k) for k in sorted({one.k for one in agreed}))
    return (
        "overlap@10, recall@100: the share of the top 10 and 100 of exhaustive MaxSim over the same index "
        f"that a search with k={asked} finds"
    )


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
