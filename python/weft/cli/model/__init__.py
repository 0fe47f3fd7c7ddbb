"""``weft model``: which models there are, fetch one, look at one.

Each sub-command is one file with `register` and `run`, as the commands beside this folder are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cli.model import export, info, list_known, pull
from weft.cli.options import CommandParser, Commands

if TYPE_CHECKING:
    import argparse

__all__ = ["register"]

_SUMMARY = "list, fetch, inspect and export models"


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command and its sub-commands."""
    parser = commands.add_parser("model", help=_SUMMARY, description=f"{_SUMMARY.capitalize()}.")
    inner = parser.add_subparsers(metavar="SUBCOMMAND", required=True, parser_class=CommandParser)
    for command in (list_known, pull, info, export):
        command.register(inner, shared)
