"""``weft import``: take over an index that another library made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command

if TYPE_CHECKING:
    import argparse

    from weft.imports import Import

__all__ = ["register", "run"]

_KINDS = ("colbert-ai", "ragatouille", "fast-plaid", "next-plaid")


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "import",
        run,
        "make an index out of one of colbert-ai, RAGatouille, PyLate, fast-plaid or next-plaid",
        shared,
    )
    parser.add_argument(
        "source", metavar="SRC", help="the other library's index, a directory; it is not changed"
    )
    parser.add_argument(
        "path", metavar="DEST", help="the new index's directory, outside of SRC; nothing may be there"
    )
    parser.add_argument(
        "--collection",
        metavar="FILE",
        help="the texts: .tsv (number, tab, text, perhaps tab and title) or a .json list; where documents "
        "have ids of their own, the id instead of the number, or a .json object",
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="the model that made the vectors, a directory or hub id (default: the checkpoint that SRC "
        "names, if it is on this machine)",
    )
    parser.add_argument(
        "--kind", choices=_KINDS, help="the library that made SRC (default: told by its files)"
    )
    parser.add_argument(
        "--id-field",
        metavar="NAME",
        help="the column of metadata.db that has the ids (default: PyLate's ids, else positions)",
    )
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def run(arguments: argparse.Namespace) -> int:
    """Import and say what was taken over."""
    import weft
    from weft.cli.progress import ProgressBar

    shown = False if arguments.quiet or arguments.no_progress else None
    with ProgressBar(shown=shown) as bar:
        done = weft.import_index(
            arguments.source,
            arguments.path,
            collection=arguments.collection,
            model=arguments.model,
            kind=arguments.kind,
            id_field=arguments.id_field,
            progress=bar,
        )
    if not arguments.quiet:
        for line in _said(done):
            print(line, file=sys.stderr)
    return DONE


def _said(done: Import) -> list[str]:
    lines = [f"left out {one.count:,} {one.what}" for one in done.left_out]
    lines += [f"note: {note}" for note in done.notes]
    if done.model is not None:
        lines.append(f"the model is {done.model}")
    lines.append(
        f"took over {done.documents:,} documents in {done.passages:,} passages, {done.tokens:,} token "
        f"vectors of dimension {done.dim} at {done.nbits} bits, from {done.kind} to {done.destination}"
    )
    return lines
