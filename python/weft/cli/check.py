"""``weft check``: read every byte of an index, compare checksums, and save what is whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE, FAILED
from weft.cli.options import Commands, add_command, add_path

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "check", run, "read every byte of an index and compare checksums", shared)
    add_path(parser)
    parser.add_argument(
        "--repair",
        metavar="DEST",
        help="save what is whole into a new index there, and list what is lost; PATH stays as it is",
    )
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per problem, and with a repair one per lost document; a sound index prints none."""
    import weft

    try:
        with weft.open(arguments.path, read_only=True) as index:
            problems = index.check()
            documents = len(index)
    except weft.CorruptIndex as error:
        # What is damaged too much to be opened is found damaged, like the rest.
        problems = [str(error)]
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{arguments.path}: {documents:,} documents, no problems", file=sys.stderr)
        if arguments.repair is not None:
            print("weft: nothing to repair: nothing was written", file=sys.stderr)
        return DONE
    print(f"weft: {len(problems):,} problems in {arguments.path}", file=sys.stderr)
    if arguments.repair is not None:
        _repair(arguments)
    return FAILED


def _repair(arguments: argparse.Namespace) -> None:
    import weft
    from weft.cli.progress import ProgressBar

    with ProgressBar(shown=False if arguments.no_progress else None) as bar:
        saved = weft.repair(arguments.path, arguments.repair, progress=bar)
    for one in saved.lost:
        name = f"document number {one.docno}" if one.id is None else one.id
        text = "its text is whole" if one.text_is_whole else "its text is lost too"
        print(f"lost {name}: {one.reason}; {text}")
    print(
        f"saved {saved.documents:,} documents in {saved.passages:,} passages to {saved.destination}; "
        f"lost {len(saved.lost):,}",
        file=sys.stderr,
    )
    if saved.texts is not None:
        print(
            f"texts of lost documents are in {saved.texts}: weft index {saved.destination} {saved.texts}",
            file=sys.stderr,
        )
