"""``weft delete``: take documents out of an index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE, FAILED
from weft.cli.options import (
    Commands,
    add_choice,
    add_command,
    add_lock_timeout,
    add_path,
    check_choice,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "delete", run, "delete documents", shared)
    add_path(parser)
    add_choice(parser)
    parser.add_argument("--dry-run", action="store_true", help="say how many there are and delete none")
    add_lock_timeout(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete all that are there; ids that are not make the command fail afterwards."""
    check_choice(arguments)
    if arguments.filter == {}:
        arguments.refuse("the filter is empty and would delete everything: remove the directory instead")
    import weft

    with weft.open(arguments.path, read_only=arguments.dry_run, lock_timeout=arguments.lock_timeout) as index:
        ids = list(dict.fromkeys(arguments.ids))
        missing = [one for one in ids if one not in index]
        if arguments.dry_run:
            count = len(ids) - len(missing) if ids else index.count(arguments.filter)
        elif ids:
            count = index.delete(ids)
        else:
            count = index.delete(filter=arguments.filter)
    of = f" of {len(ids):,}" if ids else ""
    print(f"{'would delete' if arguments.dry_run else 'deleted'} {count:,}{of} documents", file=sys.stderr)
    for one in missing:
        print(f"weft: no document has the id {one!r} in {arguments.path}", file=sys.stderr)
    return FAILED if missing else DONE
