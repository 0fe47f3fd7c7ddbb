"""``weft index``: put documents of files into an index.

Files are read twice: once to check every line and count, then to encode. Encoding a large collection takes
hours, and a malformed last line should not be found at their end.
"""

from __future__ import annotations

import sys
import time
from itertools import chain, tee
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import (
    Commands,
    add_command,
    add_lock_timeout,
    add_model,
    add_path,
    at_least_one,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from weft.cli.progress import ProgressBar
    from weft.inputs import Documents, Record

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "index",
        run,
        "add documents of files and folders to an index, making it when there is none",
        shared,
    )
    add_path(parser)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help=".jsonl (id or _id, title, text, more is metadata), .tsv (id, tab, text), .csv (with a header), "
        "each also .gz; .txt, .md; folders of these; - for JSON lines on standard input",
    )
    parser.add_argument("--id-field", metavar="NAME", help="key or column of the id (default: id or _id)")
    parser.add_argument("--title-field", metavar="NAME", help="key or column of the title (default: title)")
    parser.add_argument("--text-field", metavar="NAME", help="key or column of the text (default: text)")
    parser.add_argument(
        "--truncate",
        action="store_true",
        help="cut a text that the model cannot take whole instead of splitting it",
    )
    parser.add_argument(
        "--nbits",
        type=int,
        choices=(1, 2, 4, 8),
        help="bits per component of a vector in a new index (default: 2)",
    )
    parser.add_argument("--batch-size", metavar="N", type=at_least_one, help="passages per call of the model")
    add_model(parser)
    add_lock_timeout(parser)
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def run(arguments: argparse.Namespace) -> int:
    """Check the inputs, then add them all in one commit."""
    from weft.cli.progress import ProgressBar
    from weft.inputs import Documents, Fields

    chosen = {
        name: (value,)
        for name in ("id", "title", "text")
        if (value := getattr(arguments, f"{name}_field")) is not None
    }
    documents = Documents(arguments.inputs, Fields(**chosen))
    drawn = False if arguments.quiet or arguments.no_progress else None
    with ProgressBar(shown=drawn) as bar:
        total = _checked(documents, bar) if documents.rereadable else None
        summary = _add(arguments, documents, total, bar)
    if not arguments.quiet:
        for count, what in ((documents.other, "of other kinds"), (documents.empty, "that are empty")):
            if count:
                print(f"passed over {count:,} files {what}", file=sys.stderr)
        print(summary, file=sys.stderr)
    return DONE


def _checked(documents: Documents, bar: ProgressBar) -> int:
    count = 0
    for count, _ in enumerate(documents, start=1):
        bar("check", count, None)
    return count


def _add(arguments: argparse.Namespace, documents: Documents, total: int | None, bar: ProgressBar) -> str:
    from pathlib import Path

    import weft
    from weft.encoding import open_encoder
    from weft.errors import InvalidInput

    records: Iterator[Record] = iter(documents)
    # One document is read before anything is made, so that a bad beginning leaves no empty index.
    first = next(records, None)
    if first is None:
        raise InvalidInput(f"{' '.join(arguments.inputs)}: there are no documents in it")
    if not Path(arguments.path).exists():
        # A model that cannot be opened leaves no empty index either; it is opened twice this once.
        open_encoder(arguments.model, arguments.threads)
    texts, ids, titles, metadata = tee(chain([first], records), 4)

    def progress(stage: str, done: int, known: int | None) -> None:
        bar(stage, done, total if stage == "encode" else known)

    began = time.monotonic()
    with weft.open(
        arguments.path,
        create=True,
        model=arguments.model,
        nbits=arguments.nbits,
        threads=arguments.threads,
        lock_timeout=arguments.lock_timeout,
    ) as index:
        before = len(index)
        added = index.add(
            (record.text for record in texts),
            ids=(record.id for record in ids),
            titles=(record.title for record in titles),
            metadata=(record.metadata for record in metadata),
            truncate=arguments.truncate,
            batch_size=arguments.batch_size,
            progress=progress,
        )
        information = index.info()
    took = time.monotonic() - began
    new = information["documents"] - before
    replaced = f", {len(added) - new:,} of them replaced" if len(added) > new else ""
    return (
        f"added {len(added):,} documents{replaced} in {took:.1f} s; {arguments.path} now has "
        f"{information['documents']:,} documents in {information['passages']:,} passages, "
        f"{information['tokens']:,} token vectors, {information['bytes_per_token']:.1f} bytes each"
    )
