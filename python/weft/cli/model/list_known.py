"""``weft model list``: the known models, their settings and licences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command

if TYPE_CHECKING:
    import argparse

    from weft.encoder.known import KnownModel

__all__ = ["register", "run"]

_HEADINGS = ("MODEL", "BACKBONE", "SIZE", "DIM", "QUERY", "PASSAGE", "EXPANSION", "TEXT", "LICENCE")


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "list", run, "list known models with their settings and licences", shared)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print a table, or a line of JSON for each model."""
    import dataclasses

    from weft.cli.printing import as_json
    from weft.encoder.known import KNOWN

    if arguments.json:
        for model in KNOWN:
            print(as_json(dataclasses.asdict(model)))
        return DONE
    rows = [_HEADINGS, *(_row(model) for model in KNOWN)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    notes = ["", *(model.note for model in KNOWN)]
    for row, note in zip(rows, notes, strict=True):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if note:
            print(f"  {note}")
    print("\nOther checkpoints open too; their own files decide. Fetch one with: weft model pull MODEL")
    return DONE


def _row(model: KnownModel) -> tuple[str, ...]:
    return (
        model.name,
        model.backbone,
        f"{model.parameters}M",
        str(model.dim),
        str(model.query_length or "see card"),
        str(model.document_length or "see card"),
        model.expansion or "see card",
        model.languages,
        model.licence or "see card",
    )
