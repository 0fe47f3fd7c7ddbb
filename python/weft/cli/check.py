"""``weft check``: read every byte of an index and compare checksums."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE, UNREADABLE
from weft.cli.options import Commands, add_command, add_path

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "check", run, "read every byte of an index and compare checksums", shared)
    add_path(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per problem; a sound index prints none."""
    import weft

    with weft.open(arguments.path, read_only=True) as index:
        problems = index.check()
        documents = len(index)
    for problem in problems:
        print(problem)
    if problems:
        print(f"weft: {len(problems)} problems in {arguments.path}", file=sys.stderr)
        return UNREADABLE
    print(f"{arguments.path}: {documents:,} documents, no problems", file=sys.stderr)
    return DONE
