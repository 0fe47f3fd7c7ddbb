"""``weft compact``: merge all segments and give the space of deleted documents back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_lock_timeout, add_path, add_threads

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands, "compact", run, "give the space of deleted documents back to the disk", shared
    )
    add_path(parser)
    add_threads(parser)
    add_lock_timeout(parser)
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Compact and say what it brought."""
    import weft
    from weft.cli.progress import ProgressBar

    shown = False if arguments.no_progress else None
    with (
        weft.open(arguments.path, threads=arguments.threads, lock_timeout=arguments.lock_timeout) as index,
        ProgressBar(shown=shown) as bar,
    ):
        done = index.compact(bar)
    print(
        f"{arguments.path}: {done['bytes_before']:,} bytes in {done['segments_before']:,} segments before, "
        f"{done['bytes_after']:,} in {done['segments_after']:,} now",
        file=sys.stderr,
    )
    return DONE
