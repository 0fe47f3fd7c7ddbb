"""``weft export-plaid``: write an index out as colbert-ai keeps one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_path

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "export-plaid",
        run,
        "write the index as a directory that colbert-ai and PyLate open",
        shared,
    )
    add_path(parser)
    parser.add_argument("out", metavar="DEST", help="the new directory; nothing may be there")
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def run(arguments: argparse.Namespace) -> int:
    """Write the directory; it has its name when it is complete."""
    import weft
    from weft.cli.progress import ProgressBar

    shown = False if arguments.quiet or arguments.no_progress else None
    with ProgressBar(shown=shown) as bar:
        done = weft.export_plaid(arguments.path, arguments.out, progress=bar)
    if not arguments.quiet:
        if done.trained:
            print("note: the vectors were float16; they are compressed for the export", file=sys.stderr)
        if done.checkpoint is None:
            print(
                "note: colbert-ai must be told the checkpoint: Searcher(..., checkpoint=...)", file=sys.stderr
            )
        print(
            f"wrote {done.passages:,} passages of {done.documents:,} documents, {done.tokens:,} token "
            f"vectors of dimension {done.dim} at {done.nbits} bits, to {done.destination}",
            file=sys.stderr,
        )
    return DONE
