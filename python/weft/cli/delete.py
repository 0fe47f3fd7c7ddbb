"""``weft delete``: take documents out of an index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE, FAILED
from weft.cli.options import Commands, add_command, add_lock_timeout, add_path

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "delete", run, "delete documents", shared)
    add_path(parser)
    parser.add_argument("ids", metavar="ID", nargs="+", help="ids of the documents")
    add_lock_timeout(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete all that are there; ids that are not make the command fail afterwards."""
    import weft

    with weft.open(arguments.path, lock_timeout=arguments.lock_timeout) as index:
        missing = [one for one in dict.fromkeys(arguments.ids) if one not in index]
        deleted = index.delete(arguments.ids)
    print(f"deleted {deleted:,} of {len(set(arguments.ids)):,} documents", file=sys.stderr)
    for one in missing:
        print(f"weft: no document has the id {one!r} in {arguments.path}", file=sys.stderr)
    return FAILED if missing else DONE
