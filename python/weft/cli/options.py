"""Arguments that several commands have, and the types of their values."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["Commands", "add_command", "add_model", "add_path", "at_least_one", "seconds"]

Commands = Any  # argparse keeps the type of what add_subparsers returns to itself.


def add_command(
    commands: Commands, name: str, run: Any, summary: str, shared: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Add a command with the options all commands have."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", parents=[shared]
    )
    parser.set_defaults(run=run)
    return parser


def add_path(parser: argparse.ArgumentParser) -> None:
    """Add the index's directory."""
    parser.add_argument("path", metavar="PATH", help="the index's directory")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add what concerns the encoder and its speed."""
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a model's directory or hub id; default: the one the index was made with, else the bundled one",
    )
    add_threads(parser)


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the number of threads."""
    parser.add_argument("--threads", metavar="N", type=at_least_one, help="threads; default: all cores")


def add_lock_timeout(parser: argparse.ArgumentParser) -> None:
    """Add how long to wait for another writer."""
    from weft.defaults import LOCK_TIMEOUT

    parser.add_argument(
        "--lock-timeout",
        metavar="SECONDS",
        type=seconds,
        default=LOCK_TIMEOUT,
        help=f"wait this long for another writer (default: {LOCK_TIMEOUT:g})",
    )


def at_least_one(text: str) -> int:
    """Parse a count."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return value


def seconds(text: str) -> float:
    """Parse a time to wait."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value
