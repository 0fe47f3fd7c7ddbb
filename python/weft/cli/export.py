"""``weft export``: write an index out for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_path

if TYPE_CHECKING:
    import argparse

    from weft.cli.progress import ProgressBar
    from weft.index import Index

__all__ = ["register", "run"]

_KINDS = (".jsonl", ".npz", ".safetensors")


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "export", run, "write documents or vectors to a file", shared)
    add_path(parser)
    parser.add_argument(
        "out",
        metavar="OUT",
        help="what to write, by the end of the name: .jsonl for documents, which weft index reads back; "
        ".npz or .safetensors for vectors; - for documents on standard output",
    )
    parser.add_argument("--force", action="store_true", help="replace the file when it is there")
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Write the file; it has its name when it is complete."""
    kind = ".jsonl" if arguments.out == "-" else Path(arguments.out).suffix.lower()
    if kind not in _KINDS:
        arguments.refuse(f"OUT is {arguments.out!r}: its name ends in {', '.join(_KINDS)}, or it is -")
    import weft
    from weft.cli.progress import ProgressBar
    from weft.output import complete

    shown = False if arguments.no_progress or arguments.out == "-" else None
    with weft.open(arguments.path, read_only=True) as index, ProgressBar(shown=shown) as bar:
        if arguments.out == "-":
            said = _documents(index, None, bar)
        else:
            with complete(arguments.out, replace=arguments.force) as path:
                said = _documents(index, path, bar) if kind == ".jsonl" else _vectors(index, path, kind, bar)
            said = f"wrote {said} to {arguments.out}"
    if arguments.out != "-":
        print(said, file=sys.stderr)
    return DONE


def _documents(index: Index, path: Path | None, bar: ProgressBar) -> str:
    from weft.exports import write_documents

    total = len(index)

    def report(done: int) -> None:
        bar("write", done, total)

    if path is None:
        lines, without = write_documents(index, sys.stdout, report)
    else:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            lines, without = write_documents(index, file, report)
    if without:
        bar.close()
        print(
            f"weft: {without:,} documents have no text, only vectors: weft index cannot read them back",
            file=sys.stderr,
        )
    return f"{lines:,} documents"


def _vectors(index: Index, path: Path, kind: str, bar: ProgressBar) -> str:
    from weft.exports import Vectors, write_npz, write_safetensors

    total = index.info()["passages"]
    vectors = Vectors(index, lambda done: bar("write", done, total))
    (write_npz if kind == ".npz" else write_safetensors)(vectors, path)
    return f"{vectors.tokens:,} vectors of {vectors.passages:,} passages"
